"""Builders and the fake store of notifications, with the promises that fake and real one keep."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from notifications.adapters.message import Message
from notifications.application.attempt import lapse, record
from notifications.application.ports import Attempt, Change, Delivery, Occasion, Store
from notifications.application.tell import (
    forget,
    stop_offer,
    stop_referral,
    tell,
    tell_of_offer,
)
from notifications.domain.attempts import PENDING, UNDELIVERED, Answer, State, Verdict
from notifications.domain.notices import Audience, Notice, Owner, Recipient, Template

HOST = UUID(int=1)
AGENCY = UUID(int=2)
MEMBER = UUID(int=3)
PARTNER = UUID(int=4)
AUDIENCE = Audience(HOST, {"brva": AGENCY})
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
REFERENCE = "WH-7K3F-92"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

DELIVERED = Answer("delivered", Verdict.DELIVERED)
BROKEN = Answer("status-500", Verdict.TEMPORARY)
REFUSED = Answer("recipient-refused", Verdict.PERMANENT)
GONE = Answer("status-410", Verdict.GONE)


def an_occasion(**changes: Any) -> Occasion:
    """Return an event about a referral of its own."""
    values: dict[str, Any] = {
        "event_id": uuid4(),
        "referral_id": uuid4(),
        "agency": "brva",
        "time": NOW,
        "trace": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        "correlation_id": "c-1",
    }
    return Occasion(**(values | changes))


def an_offer(answer_by: datetime = NOW + timedelta(hours=4), **changes: Any) -> Notice:
    """Return the notice of an offer to PARTNER."""
    offer_id = changes.pop("offer_id", None) or uuid4()
    notice = AUDIENCE.offer(PARTNER, offer_id=offer_id, reference=REFERENCE, answer_by=answer_by)
    return replace(notice, **changes)


def a_message(**changes: Any) -> Message:
    """Return a leased delivery of an offer."""
    values: dict[str, Any] = {
        "delivery_id": uuid4(),
        "endpoint_id": uuid4(),
        "owner": Owner.PARTNER,
        "channel": "webhook",
        "address": "https://partner.example.org/hooks",
        "secret": SECRET.encode(),
        "template": Template.OFFER_WAITING,
        "reference": REFERENCE,
        "answer_by": NOW + timedelta(hours=4),
        "agency": "brva",
        "said_at": NOW,
        "attempt": 1,
        "leased_at": datetime.now(UTC),
        "trace": "",
        "correlation_id": "c-1",
    }
    return Message(**(values | changes))


@dataclass(slots=True)
class FakeStore:
    """The rows of notifications in memory."""

    points: dict[UUID, Recipient] = field(default_factory=dict)
    channels: dict[UUID, str] = field(default_factory=dict)
    disabled: set[UUID] = field(default_factory=set)
    erased: set[UUID] = field(default_factory=set)
    closed: dict[UUID, UUID] = field(default_factory=dict)
    deliveries: dict[UUID, Delivery] = field(default_factory=dict)
    published: list[tuple[str, UUID]] = field(default_factory=list)

    def open_thread(self, referral_id: UUID, agency: str) -> bool:
        return referral_id not in self.erased

    def endpoints(self, recipient: Recipient) -> Sequence[UUID]:
        return sorted(
            endpoint
            for endpoint, point in self.points.items()
            if (point.owner, point.owner_id) == (recipient.owner, recipient.owner_id)
            and endpoint not in self.disabled
        )

    def add(
        self, occasion: Occasion, notice: Notice, template: Template, endpoints: Sequence[UUID]
    ) -> None:
        told = {(found.event_id, found.endpoint_id) for found in self.deliveries.values()}
        for endpoint in endpoints:
            if (occasion.event_id, endpoint) not in told:
                delivery_id = uuid4()
                self.deliveries[delivery_id] = Delivery(
                    delivery_id=delivery_id,
                    event_id=occasion.event_id,
                    endpoint_id=endpoint,
                    referral_id=occasion.referral_id,
                    offer_id=notice.offer_id,
                    channel=self.channels[endpoint],
                    template=template,
                    state=State.WAITING,
                    attempts=0,
                    not_after=notice.not_after,
                )

    def close_offer(self, offer_id: UUID, referral_id: UUID) -> None:
        self.closed[offer_id] = referral_id

    def is_closed(self, offer_id: UUID) -> bool:
        return offer_id in self.closed

    def stop(
        self, referral_id: UUID, templates: Iterable[Template], offer_id: UUID | None = None
    ) -> None:
        wanted = set(templates)
        for found in self._of(referral_id):
            fits = offer_id is None or found.offer_id == offer_id
            if fits and found.template in wanted and found.state in UNDELIVERED:
                self.deliveries[found.delivery_id] = replace(found, state=State.STOPPED)

    def forget(self, referral_id: UUID) -> None:
        for found in self._of(referral_id):
            if found.template is not Template.OFFER_STOPPED or found.state not in PENDING:
                del self.deliveries[found.delivery_id]
        self.closed = {
            offer: referral for offer, referral in self.closed.items() if referral != referral_id
        }
        self.erased.add(referral_id)

    def lock(self, delivery_id: UUID) -> Delivery | None:
        return self.deliveries.get(delivery_id)

    def change(self, delivery: Delivery, change: Change) -> None:
        self.deliveries[delivery.delivery_id] = replace(delivery, state=change.state)

    def is_heard(self, delivery: Delivery) -> bool:
        return any(
            found.event_id == delivery.event_id
            and found.template == delivery.template
            and found.delivery_id != delivery.delivery_id
            and found.state not in {State.EXHAUSTED, State.STOPPED}
            for found in self.deliveries.values()
        )

    def disable(self, endpoint_id: UUID) -> None:
        self.disabled.add(endpoint_id)

    def publish_delivered(self, delivery: Delivery) -> None:
        self.published.append(("delivered", delivery.delivery_id))

    def publish_exhausted(self, delivery: Delivery) -> None:
        self.published.append(("exhausted", delivery.delivery_id))

    def _of(self, referral_id: UUID) -> list[Delivery]:
        return [found for found in self.deliveries.values() if found.referral_id == referral_id]


class World(Protocol):
    """A store with means to prepare it and to look into it."""

    def store(self) -> AbstractContextManager[Store]:
        """Give the store of one transaction."""

    def a_point(self, owner: Owner, owner_id: UUID, channel: str = "email") -> UUID:
        """Add a contact point and return its id."""

    def lease(self, delivery_id: UUID, attempts: int = 1) -> None:
        """Mark the delivery as being sent."""

    def rows(self, referral_id: UUID) -> list[Delivery]:
        """Return the referral's deliveries."""

    def published(self, referral_id: UUID) -> list[tuple[str, UUID]]:
        """Return the events published for the referral, in their order."""


@dataclass(slots=True)
class FakeWorld:
    """The world of a FakeStore."""

    fake: FakeStore = field(default_factory=FakeStore)

    @contextmanager
    def store(self) -> Iterator[Store]:
        yield self.fake

    def a_point(self, owner: Owner, owner_id: UUID, channel: str = "email") -> UUID:
        endpoint = uuid4()
        self.fake.points[endpoint] = Recipient(owner, owner_id, Template.OFFER_WAITING)
        self.fake.channels[endpoint] = channel
        return endpoint

    def lease(self, delivery_id: UUID, attempts: int = 1) -> None:
        found = self.fake.deliveries[delivery_id]
        self.fake.deliveries[delivery_id] = replace(found, state=State.SENDING, attempts=attempts)

    def rows(self, referral_id: UUID) -> list[Delivery]:
        return [row for row in self.fake.deliveries.values() if row.referral_id == referral_id]

    def published(self, referral_id: UUID) -> list[tuple[str, UUID]]:
        return list(self.fake.published)


class StorePromises:
    """What holds on every store; a subclass gives the fixture `world`."""

    def test_the_same_event_told_again_makes_one_delivery(self, world: World) -> None:
        endpoint = world.a_point(Owner.PARTNER, PARTNER)
        occasion, offer = an_occasion(), an_offer()

        for _ in range(2):
            with world.store() as store:
                assert tell_of_offer(occasion, offer, store)

        (row,) = world.rows(occasion.referral_id)
        assert (row.endpoint_id, row.state) == (endpoint, State.WAITING)
        assert (row.offer_id, row.not_after) == (offer.offer_id, offer.not_after)

    def test_every_contact_point_of_the_partner_is_told(self, world: World) -> None:
        mail = world.a_point(Owner.PARTNER, PARTNER)
        hook = world.a_point(Owner.PARTNER, PARTNER, "webhook")
        world.a_point(Owner.PARTNER, uuid4())
        occasion = an_occasion()

        with world.store() as store:
            tell_of_offer(occasion, an_offer(), store)

        told = {(row.endpoint_id, row.channel) for row in world.rows(occasion.referral_id)}
        assert told == {(mail, "email"), (hook, "webhook")}

    def test_the_host_is_told_in_its_own_words_where_the_partner_cannot_be(
        self, world: World
    ) -> None:
        gone = world.a_point(Owner.PARTNER, PARTNER)
        host = world.a_point(Owner.HOST, HOST)
        occasion = an_occasion()
        with world.store() as store:
            store.disable(gone)

        with world.store() as store:
            tell_of_offer(occasion, an_offer(), store)

        (row,) = world.rows(occasion.referral_id)
        assert (row.endpoint_id, row.template) == (host, Template.NEEDS_ATTENTION)

    def test_the_agency_is_told_where_the_advocate_has_no_contact_point(
        self, world: World
    ) -> None:
        office = world.a_point(Owner.AGENCY, AGENCY)
        world.a_point(Owner.HOST, HOST)
        occasion = an_occasion()

        with world.store() as store:
            tell(occasion, AUDIENCE.new_release("brva", MEMBER), store)

        (row,) = world.rows(occasion.referral_id)
        assert (row.endpoint_id, row.template) == (office, Template.NEEDS_NEW_RELEASE)

    def test_it_says_when_nobody_can_be_told(self, world: World) -> None:
        with world.store() as store:
            assert not tell(an_occasion(), AUDIENCE.host(), store)

    def test_an_answered_offer_is_spoken_of_no_more(self, world: World) -> None:
        """R-15: what is pending stops at once, and what was given up cannot come back."""
        world.a_point(Owner.PARTNER, PARTNER)
        occasion, offer = an_occasion(), an_offer()
        assert offer.offer_id is not None
        with world.store() as store:
            tell_of_offer(occasion, offer, store)

        with world.store() as store:
            stop_offer(occasion, offer.offer_id, store)
        with world.store() as store:
            tell_of_offer(replace(occasion, event_id=uuid4()), offer, store)

        assert [row.state for row in world.rows(occasion.referral_id)] == [State.STOPPED]

    def test_stopping_one_offer_leaves_another_and_a_call_to_stop(self, world: World) -> None:
        world.a_point(Owner.PARTNER, PARTNER)
        occasion, offer, other = an_occasion(), an_offer(), an_offer()
        assert offer.offer_id is not None
        stop = AUDIENCE.stop(
            PARTNER, offer_id=offer.offer_id, reference=REFERENCE, confirm_by=None
        )
        with world.store() as store:
            tell_of_offer(occasion, other, store)
            tell(replace(occasion, event_id=uuid4()), stop, store)

        with world.store() as store:
            stop_offer(occasion, offer.offer_id, store)

        assert {row.state for row in world.rows(occasion.referral_id)} == {State.WAITING}

    def test_a_new_offer_ends_the_call_for_a_new_release(self, world: World) -> None:
        world.a_point(Owner.PARTNER, PARTNER)
        world.a_point(Owner.MEMBER, MEMBER)
        occasion = an_occasion()
        with world.store() as store:
            tell(occasion, AUDIENCE.new_release("brva", MEMBER), store)

        with world.store() as store:
            tell_of_offer(replace(occasion, event_id=uuid4()), an_offer(), store)

        found = {row.template: row.state for row in world.rows(occasion.referral_id)}
        assert found == {
            Template.NEEDS_NEW_RELEASE: State.STOPPED,
            Template.OFFER_WAITING: State.WAITING,
        }

    def test_a_finished_referral_still_says_stop(self, world: World) -> None:
        world.a_point(Owner.PARTNER, PARTNER)
        world.a_point(Owner.HOST, HOST)
        occasion, offer_id = an_occasion(), uuid4()
        stop = AUDIENCE.stop(PARTNER, offer_id=offer_id, reference=REFERENCE, confirm_by=None)
        with world.store() as store:
            tell(occasion, stop, store)
            tell(replace(occasion, event_id=uuid4()), AUDIENCE.host(), store)

        with world.store() as store:
            stop_referral(occasion, offer_id, store)

        found = {row.template: row.state for row in world.rows(occasion.referral_id)}
        assert found == {
            Template.OFFER_STOPPED: State.WAITING,
            Template.NEEDS_ATTENTION: State.STOPPED,
        }

    def test_an_erased_referral_leaves_no_delivery_and_gets_none(self, world: World) -> None:
        """R-24."""
        world.a_point(Owner.PARTNER, PARTNER)
        occasion = an_occasion()
        with world.store() as store:
            tell_of_offer(occasion, an_offer(), store)

        with world.store() as store:
            forget(occasion, store)
        with world.store() as store:
            tell_of_offer(replace(occasion, event_id=uuid4()), an_offer(), store)

        assert world.rows(occasion.referral_id) == []

    def test_an_erased_referral_still_says_stop_once(self, world: World) -> None:
        """R-15, R-24: a partner that is with the person must hear it; it names nobody."""
        world.a_point(Owner.PARTNER, PARTNER)
        occasion = an_occasion()
        stop = AUDIENCE.stop(PARTNER, offer_id=uuid4(), reference=REFERENCE, confirm_by=None)
        with world.store() as store:
            tell_of_offer(replace(occasion, event_id=uuid4()), an_offer(), store)
            tell(occasion, stop, store)
            forget(occasion, store)
        (row,) = world.rows(occasion.referral_id)
        world.lease(row.delivery_id)

        with world.store() as store:
            record(Attempt(row.delivery_id, 1), DELIVERED, store, now=NOW, chance=0.0)
            tell(replace(occasion, event_id=uuid4()), stop, store)

        (row,) = world.rows(occasion.referral_id)
        assert (row.template, row.state) == (Template.OFFER_STOPPED, State.DELIVERED)

    def test_a_delivered_message_is_told_to_the_others(self, world: World) -> None:
        delivery = _a_leased_offer(world)

        with world.store() as store:
            record(Attempt(delivery.delivery_id, 1), DELIVERED, store, now=NOW, chance=0.0)

        assert _states(world, delivery) == [State.DELIVERED]
        assert world.published(delivery.referral_id) == [("delivered", delivery.delivery_id)]

    def test_an_answer_after_the_stop_changes_nothing(self, world: World) -> None:
        delivery = _a_leased_offer(world)
        assert delivery.offer_id is not None
        with world.store() as store:
            stop_offer(an_occasion(referral_id=delivery.referral_id), delivery.offer_id, store)

        with world.store() as store:
            state = record(Attempt(delivery.delivery_id, 1), BROKEN, store, now=NOW, chance=0.0)

        assert state is None
        assert _states(world, delivery) == [State.STOPPED]

    def test_an_answer_that_outlived_its_lease_leaves_the_later_attempt_alone(
        self, world: World
    ) -> None:
        delivery = _a_leased_offer(world)
        world.lease(delivery.delivery_id, attempts=2)

        states = []
        for attempt in (1, 2):
            with world.store() as store:
                told = Attempt(delivery.delivery_id, attempt)
                states.append(record(told, BROKEN, store, now=NOW, chance=0.0))

        assert states == [None, State.FAILED]

    def test_somebody_has_to_call_only_when_no_endpoint_has_the_message(
        self, world: World
    ) -> None:
        world.a_point(Owner.PARTNER, PARTNER)
        world.a_point(Owner.PARTNER, PARTNER, "webhook")
        occasion = an_occasion()
        with world.store() as store:
            tell_of_offer(occasion, an_offer(), store)
        first, second = (row.delivery_id for row in world.rows(occasion.referral_id))

        for delivery_id, expected in ((first, []), (second, [("exhausted", second)])):
            world.lease(delivery_id)
            with world.store() as store:
                record(Attempt(delivery_id, 1), REFUSED, store, now=NOW, chance=0.0)
            assert world.published(occasion.referral_id) == expected

    def test_a_failed_call_for_attention_calls_for_no_attention(self, world: World) -> None:
        """Else each failure would lead to the next message, without end."""
        world.a_point(Owner.HOST, HOST)
        occasion = an_occasion()
        with world.store() as store:
            tell(occasion, AUDIENCE.host(), store)
        (row,) = world.rows(occasion.referral_id)
        world.lease(row.delivery_id)

        with world.store() as store:
            record(Attempt(row.delivery_id, 1), REFUSED, store, now=NOW, chance=0.0)

        assert _states(world, row) == [State.EXHAUSTED]
        assert world.published(occasion.referral_id) == []

    def test_an_endpoint_that_is_gone_gets_nothing_more(self, world: World) -> None:
        delivery = _a_leased_offer(world)

        with world.store() as store:
            record(Attempt(delivery.delivery_id, 1), GONE, store, now=NOW, chance=0.0)
        later = an_occasion()
        with world.store() as store:
            told = tell_of_offer(later, an_offer(), store)

        assert not told
        assert _states(world, delivery) == [State.EXHAUSTED]
        assert world.published(delivery.referral_id) == [("exhausted", delivery.delivery_id)]

    def test_what_is_too_late_is_given_up_once(self, world: World) -> None:
        """R-16: the end is checked at retry time too."""
        delivery = _a_leased_offer(world)

        given_up = []
        for _ in range(2):
            with world.store() as store:
                given_up.append(lapse(delivery.delivery_id, store, now=NOW + timedelta(hours=5)))

        assert given_up == [True, False]
        assert world.published(delivery.referral_id) == [("exhausted", delivery.delivery_id)]


def _a_leased_offer(world: World) -> Delivery:
    world.a_point(Owner.PARTNER, PARTNER)
    occasion = an_occasion()
    with world.store() as store:
        tell_of_offer(occasion, an_offer(), store)
    (row,) = world.rows(occasion.referral_id)
    world.lease(row.delivery_id)
    return row


def _states(world: World, delivery: Delivery) -> list[State]:
    return [row.state for row in world.rows(delivery.referral_id)]
