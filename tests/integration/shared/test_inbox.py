"""Whatever the bus does, an event takes effect once and in order."""

import dataclasses
import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from shared.bus import Record
from shared.contracts.event import Event, headers_of
from shared.db import Pool, Tx, open_pool, transaction
from shared.errors import TransientError
from shared.worker import Inbox, Repairs
from shared.worker.inbox import MAX_ATTEMPTS
from tests.support.databases import TestDatabase
from tests.support.units import PlainUnit, begin

Handler = Callable[[Event, PlainUnit], None]

WITHDRAWN = "intake.referral.withdrawn.v1"
REVOKED = "intake.referral.release-revoked.v1"
ERASED = "intake.referral.erased.v1"
KEY = UUID(int=1)


def a_record(
    sequence: int,
    *,
    key: UUID = KEY,
    type_: str = WITHDRAWN,
    agency: str = "brva",
    topic_agency: str = "brva",
    **data: Any,
) -> Record:
    event = Event(
        id=uuid4(),
        source=f"/intake/{agency}",
        type=type_,
        key=str(key),
        time=datetime(2026, 11, 24, tzinfo=UTC),
        sequence=sequence,
        correlation_id="c",
        traceparent="",
        data={},
    )
    body = {"referral_id": str(key), **data}
    return Record(
        topic=f"intake.referral.{topic_agency}",
        partition=0,
        offset=sequence,
        key=str(key),
        headers=headers_of(event),
        value=json.dumps(body).encode(),
        timestamp=event.time,
    )


def long_key(chance: random.Random) -> Record:
    """Return a record whose key no index of the database can hold."""
    record, key = a_record(1), chance.randbytes(4000).hex()
    headers = {**record.headers, "ce_subject": key}
    return dataclasses.replace(record, key=key, headers=headers)


@pytest.fixture
def pool(base_db: TestDatabase) -> Iterator[Pool]:
    with psycopg.connect(base_db.owner) as connection:
        connection.execute(
            "create table effect (n bigint generated always as identity, key text, sequence int)"
        )
    with open_pool(base_db.owner, name="test") as pool:
        yield pool


def note(event: Event, unit: PlainUnit) -> None:
    unit.tx.execute(
        "insert into effect (key, sequence) values (%s, %s)", (event.key, event.sequence)
    )


def an_inbox(pool: Pool, handler: Handler = note, **changes: Any) -> Inbox[PlainUnit]:
    handlers = dict.fromkeys((WITHDRAWN, REVOKED, ERASED), handler)
    return Inbox("routing", pool, handlers, begin, **changes)


def effects(pool: Pool, key: UUID = KEY) -> list[int]:
    with transaction(pool) as tx:
        rows = tx.execute("select sequence from effect where key = %s order by n", (str(key),))
        return [row["sequence"] for row in rows]


def waiting(pool: Pool, table: str) -> list[dict[str, Any]]:
    with transaction(pool) as tx:
        condition = "where closed_at is null" if table == "parked" else ""
        return tx.execute(f"select * from {table} {condition}").fetchall()


def repair(pool: Pool, inbox: Inbox[PlainUnit], action: str, **changes: Any) -> str:
    with transaction(pool) as tx:
        row = tx.execute(
            "insert into repair (action, consumer, parked_id, source, key, reason, asked_by)"
            " values (%s, 'routing', %s, %s, %s, 'cause-mended', gen_random_uuid())"
            " returning repair_id",
            (action, changes.get("parked_id"), changes.get("source"), changes.get("key")),
        ).fetchone()
    assert row is not None
    assert Repairs(inbox, lambda: None).step()
    with transaction(pool) as tx:
        done = tx.execute("select outcome from repair where repair_id = %s", (row["repair_id"],))
        found = done.fetchone()
    assert found is not None
    outcome: str = found["outcome"]
    return outcome


def test_a_redelivered_event_changes_nothing(pool: Pool) -> None:
    inbox = an_inbox(pool)

    inbox.apply([a_record(1), a_record(1), a_record(2)])
    inbox.apply([a_record(1), a_record(2)])

    assert effects(pool) == [1, 2]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_and_any_repetition_has_the_same_effect(pool: Pool, seed: int) -> None:
    chance = random.Random(seed)
    keys = [UUID(int=n) for n in range(4)]
    records = [a_record(n, key=key) for key in keys for n in range(1, 8)] * 2
    chance.shuffle(records)
    inbox = an_inbox(pool)

    while records:
        size = chance.randint(1, 6)
        inbox.apply(records[:size])
        records = records[size:]

    assert [effects(pool, key) for key in keys] == [list(range(1, 8))] * 4
    assert waiting(pool, "held") == []


def test_two_members_of_a_group_may_get_the_same_records(pool: Pool) -> None:
    keys = [UUID(int=n) for n in range(10)]
    batches = [
        [a_record(n, key=key) for key in order for n in range(1, 6)]
        for order in (keys, keys[::-1])
    ]
    inbox = an_inbox(pool)

    def apply(batch: list[Record]) -> None:
        """Do as the consume loop does: one that is overtaken takes its batch once more."""
        try:
            inbox.apply(batch)
        except TransientError:
            apply(batch)

    threads = [threading.Thread(target=apply, args=(batch,)) for batch in batches]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [effects(pool, key) for key in keys] == [[1, 2, 3, 4, 5]] * 10


def test_a_gap_holds_its_own_key_and_nobody_else(pool: Pool) -> None:
    other = UUID(int=2)
    inbox = an_inbox(pool)

    inbox.apply([a_record(1), a_record(3), a_record(1, key=other), a_record(2, key=other)])
    assert effects(pool) == [1]
    assert effects(pool, other) == [1, 2]
    inbox.apply([a_record(2)])

    assert effects(pool) == [1, 2, 3]


def test_a_held_record_counts_how_often_it_came_and_when_last(pool: Pool) -> None:
    inbox = an_inbox(pool)
    inbox.apply([a_record(2)])
    inbox.apply([a_record(2), a_record(2)])

    (row,) = waiting(pool, "held")
    assert row["attempts"] == 3
    assert row["last_at"] > row["held_at"]


def test_a_revocation_takes_effect_before_what_came_before_it(pool: Pool) -> None:
    """R-15: pending sends stop immediately, gap or not."""
    inbox = an_inbox(pool, immediate=frozenset({REVOKED}))
    revocation = a_record(
        3, type_=REVOKED, release_id=str(UUID(int=5)), partner_id=str(UUID(int=6))
    )

    inbox.apply([revocation])
    inbox.apply([revocation])
    assert effects(pool) == [3]
    inbox.apply([a_record(1), a_record(2)])

    assert effects(pool) == [3, 1, 2, 3]


def fails_for(bad: set[int]) -> Callable[[Event, PlainUnit], None]:
    def handle(event: Event, unit: PlainUnit) -> None:
        note(event, unit)
        if event.sequence in bad:
            raise RuntimeError("a bug")

    return handle


def test_a_parked_record_holds_its_own_referral_and_its_replay_works(pool: Pool) -> None:
    other, bad = UUID(int=2), {2}
    inbox = an_inbox(pool, fails_for(bad))

    inbox.apply([a_record(n) for n in (1, 2, 3)] + [a_record(1, key=other)])
    inbox.apply([a_record(2), a_record(4)])

    assert effects(pool) == [1]
    assert effects(pool, other) == [1]
    [parked] = waiting(pool, "parked")
    assert (parked["reason"], parked["attempts"]) == ("handler-failed", 3)
    assert repair(pool, inbox, "replay", parked_id=parked["parked_id"]) == "handler-failed"
    assert [row["attempts"] for row in waiting(pool, "parked")] == [4]
    bad.clear()
    assert repair(pool, inbox, "replay", parked_id=parked["parked_id"]) == "replayed"
    assert effects(pool) == [1, 2, 3, 4]
    assert waiting(pool, "parked") == waiting(pool, "held") == []


def test_a_replay_of_what_took_effect_changes_nothing(pool: Pool) -> None:
    bad = {1}
    inbox = an_inbox(pool, fails_for(bad))
    inbox.apply([a_record(1)])
    [parked] = waiting(pool, "parked")
    bad.clear()

    repair(pool, inbox, "replay", parked_id=parked["parked_id"])
    again = repair(pool, inbox, "replay", parked_id=parked["parked_id"])

    assert again == "already-closed"
    assert effects(pool) == [1]


def test_an_unreadable_record_that_is_redelivered_is_parked_once(pool: Pool) -> None:
    inbox = an_inbox(pool)
    unreadable = dataclasses.replace(a_record(1), headers={}, value=None)

    inbox.apply([unreadable])
    inbox.apply([unreadable, dataclasses.replace(unreadable, value=b"another")])

    assert [row["attempts"] for row in waiting(pool, "parked")] == [2, 1]


def test_a_held_record_that_fails_is_parked_alone(pool: Pool) -> None:
    inbox = an_inbox(pool, fails_for({2}))

    inbox.apply([a_record(2), a_record(3)])
    inbox.apply([a_record(1)])

    assert effects(pool) == [1]
    assert [row["sequence"] for row in waiting(pool, "parked")] == [2]
    assert [row["sequence"] for row in waiting(pool, "held")] == [3]


@dataclass(slots=True)
class LateUnit:
    """What its handlers write is sent by `flush`, and fails there for a `bad` sequence."""

    tx: Tx
    bad: int
    kept: list[Event] = field(default_factory=list)

    def keep(self, event: Event) -> None:
        self.kept.append(event)

    def flush(self) -> None:
        kept, self.kept = self.kept, []
        for event in kept:
            values = (event.key, event.sequence, int(event.sequence != self.bad))
            self.tx.execute("insert into effect (key, sequence) values (%s, %s::int / %s)", values)


@pytest.mark.parametrize(("bad", "parked", "held"), [(1, [1], [2, 3]), (2, [2], [3])])
def test_the_record_whose_write_fails_is_parked_and_not_its_neighbour(
    pool: Pool, bad: int, parked: list[int], held: list[int]
) -> None:
    inbox: Inbox[LateUnit] = Inbox(
        "routing",
        pool,
        {WITHDRAWN: lambda event, unit: unit.keep(event)},
        lambda tx, _: LateUnit(tx, bad),
    )

    inbox.apply([a_record(2), a_record(3)])
    inbox.apply([a_record(1)])

    assert [row["sequence"] for row in waiting(pool, "parked")] == parked
    assert sorted(row["sequence"] for row in waiting(pool, "held")) == held
    assert effects(pool) == list(range(1, bad))


def test_a_discard_lets_the_later_events_pass(pool: Pool) -> None:
    inbox = an_inbox(pool, fails_for({1}))
    inbox.apply([a_record(1), a_record(2)])
    [parked] = waiting(pool, "parked")

    assert repair(pool, inbox, "discard", parked_id=parked["parked_id"]) == "discarded"

    assert effects(pool) == [2]


def a_revocation(sequence: int) -> Record:
    released: dict[str, Any] = {"release_id": str(UUID(int=5)), "partner_id": str(UUID(int=6))}
    return a_record(sequence, type_=REVOKED, **released)


def test_a_revocation_that_was_parked_before_its_turn_is_replayed_and_keeps_its_turn(
    pool: Pool,
) -> None:
    """R-15: a replay takes effect at once, and again when its turn comes."""
    bad = {3}
    inbox = an_inbox(pool, fails_for(bad), immediate=frozenset({REVOKED}))
    inbox.apply([a_revocation(3)])
    [parked] = waiting(pool, "parked")
    bad.clear()

    assert repair(pool, inbox, "replay", parked_id=parked["parked_id"]) == "replayed"
    assert effects(pool) == [3]
    inbox.apply([a_record(n) for n in (1, 2, 4)])

    assert effects(pool) == [3, 1, 2, 3, 4]


def test_a_replay_of_an_erasure_ends_its_key(pool: Pool) -> None:
    bad = {2}
    inbox = an_inbox(pool, fails_for(bad), final=frozenset({ERASED}))
    inbox.apply([a_record(2, type_=ERASED), a_record(3)])
    [parked] = waiting(pool, "parked")
    bad.clear()

    repair(pool, inbox, "replay", parked_id=parked["parked_id"])
    inbox.apply([a_record(1), a_record(3)])

    assert effects(pool) == [2]
    assert waiting(pool, "held") == waiting(pool, "parked") == []


def test_a_discard_before_its_turn_is_refused(pool: Pool) -> None:
    inbox = an_inbox(pool, fails_for({3}), immediate=frozenset({REVOKED}))
    inbox.apply([a_revocation(3)])
    [parked] = waiting(pool, "parked")

    assert repair(pool, inbox, "discard", parked_id=parked["parked_id"]) == "not-its-turn"
    inbox.apply([a_record(n) for n in (1, 2, 4)])
    assert repair(pool, inbox, "discard", parked_id=parked["parked_id"]) == "discarded"

    assert effects(pool) == [1, 2, 4]


def test_a_gap_that_nothing_will_fill_is_closed_by_hand(pool: Pool) -> None:
    inbox = an_inbox(pool)
    inbox.apply([a_record(1), a_record(4), a_record(5)])

    outcome = repair(pool, inbox, "close-gap", source="/intake/brva", key=str(KEY))

    assert outcome == "gap-closed"
    assert effects(pool) == [1, 4, 5]


def test_a_gap_is_closed_up_to_the_parked_record_that_stands_before_what_waits(
    pool: Pool,
) -> None:
    inbox = an_inbox(pool, fails_for({3}), immediate=frozenset({REVOKED}))
    ids: dict[str, Any] = {"release_id": str(UUID(int=5)), "partner_id": str(UUID(int=6))}
    inbox.apply([a_record(1), a_record(4)])
    inbox.apply([a_record(3, type_=REVOKED, **ids)])

    first = repair(pool, inbox, "close-gap", source="/intake/brva", key=str(KEY))
    again = repair(pool, inbox, "close-gap", source="/intake/brva", key=str(KEY))
    [parked] = waiting(pool, "parked")
    discarded = repair(pool, inbox, "discard", parked_id=parked["parked_id"])

    assert (first, again, discarded) == ("gap-closed", "no-gap", "discarded")
    assert effects(pool) == [1, 4]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (a_record(1, agency="other"), "wrong-source"),
        (a_record(1, type_="routing.referral.offered.v1"), "wrong-source"),
        (a_record(1, type_="intake.referral.withdrawn.v9"), "newer-version"),
        (a_record(1, type_=REVOKED), "wrong-shape"),
        (dataclasses.replace(a_record(1), value=b"[" * 5000), "malformed"),
        (a_record(2**63), "malformed"),
        (a_record(1, agency="x" * 3000, topic_agency="x" * 3000), "malformed"),
        (long_key(random.Random(1)), "malformed"),
    ],
)
def test_what_cannot_be_read_is_parked_with_a_code(
    pool: Pool, record: Record, reason: str
) -> None:
    an_inbox(pool).apply([record, a_record(1, key=UUID(int=2))])

    assert [row["reason"] for row in waiting(pool, "parked")] == [reason]
    assert effects(pool, UUID(int=2)) == [1]


def test_a_type_that_nobody_declared_is_passed_over(pool: Pool) -> None:
    an_inbox(pool).apply([a_record(1, type_="intake.referral.admired.v1"), a_record(2)])

    assert effects(pool) == [2]


def test_erasure_ends_its_key_and_takes_parked_content_along(pool: Pool) -> None:
    """R-24: nothing of the person stays in parked records."""
    inbox = an_inbox(pool, fails_for({1}), final=frozenset({ERASED}))
    inbox.apply([a_record(1), a_record(2)])

    inbox.apply([a_record(3, type_=ERASED)])
    inbox.apply([a_record(2), a_record(3, type_=ERASED)])

    assert effects(pool) == [3]
    assert waiting(pool, "held") == waiting(pool, "parked") == []
    with transaction(pool) as tx:
        row = tx.execute("select payload, headers, closed_as from parked").fetchone()
    assert row == {"payload": None, "headers": {}, "closed_as": "erased"}


def test_an_agency_ends_nothing_of_another_agencys(pool: Pool) -> None:
    """R-13: what is parked and held of the key's other source stays, also what is unreadable."""
    inbox = an_inbox(pool, fails_for({1}), final=frozenset({ERASED}))
    unreadable = dataclasses.replace(a_record(1), headers={})
    inbox.apply([a_record(1), a_record(2), unreadable])

    inbox.apply([a_record(2, type_=ERASED, agency="other", topic_agency="other")])

    assert [row["payload"] is None for row in waiting(pool, "parked")] == [False, False]
    assert [row["sequence"] for row in waiting(pool, "held")] == [2]


def told(sequence: int) -> Record:
    """Return what notifications tells of the key."""
    type_ = "notifications.delivery.exhausted.v1"
    record = a_record(sequence, type_=type_)
    headers = {**record.headers, "ce_source": "/notifications/baton-rouge"}
    data = {
        "referral_id": str(KEY),
        "agency": "brva",
        "offer_id": None,
        "delivery_id": str(KEY),
        "endpoint_id": str(KEY),
        "channel": "email",
        "template": "offer-waiting",
    }
    value = json.dumps(data).encode()
    return dataclasses.replace(
        record, topic="notifications.delivery", headers=headers, value=value
    )


@pytest.mark.parametrize("together", [True, False])
def test_erasure_leaves_no_stream_of_another_service_waiting(
    pool: Pool, *, together: bool
) -> None:
    """R-24: what another service tells of the key afterwards has its turn."""
    bad = {1}
    inbox = dataclasses.replace(an_inbox(pool), final=frozenset({ERASED}))
    handlers = {"notifications.delivery.exhausted.v1": fails_for(bad), ERASED: note}
    inbox = dataclasses.replace(inbox, handlers=handlers)
    inbox.apply([told(1), told(2)])
    assert (len(waiting(pool, "parked")), len(waiting(pool, "held"))) == (1, 1)

    later = [a_record(1, type_=ERASED), told(3)]
    for records in [later] if together else [[record] for record in later]:
        inbox.apply(records)

    assert waiting(pool, "held") == waiting(pool, "parked") == []
    assert effects(pool) == [1, 3]


def test_while_the_database_is_away_nothing_is_counted_against_a_record(pool: Pool) -> None:
    def away(event: Event, unit: PlainUnit) -> None:
        raise psycopg.OperationalError("the server closed the connection")

    with pytest.raises(psycopg.OperationalError):
        an_inbox(pool, away).apply([a_record(1)])

    assert waiting(pool, "parked") == []
    an_inbox(pool).apply([a_record(1)])
    assert effects(pool) == [1]


def test_every_line_about_a_record_that_fails_has_its_trace(
    pool: Pool, logged: Callable[[], str]
) -> None:
    def fail(event: Event, unit: PlainUnit) -> None:
        raise RuntimeError("a bug")

    record = a_record(1)
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    traced = dataclasses.replace(record, headers={**record.headers, "traceparent": trace})

    an_inbox(pool, fail).apply([traced])

    lines = [json.loads(line) for line in logged().splitlines()]
    about_it = [line for line in lines if line["event"] in {"record-failed", "record-parked"}]
    assert len(about_it) == MAX_ATTEMPTS + 1
    assert {line["traceparent"] for line in about_it} == {trace}
