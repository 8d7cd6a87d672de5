import time
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from shared import worker
from shared.bus import Message, SendFailed
from shared.contracts.event import read_envelope
from shared.db import Pool, open_pool, transaction
from shared.db.outbox import Outbox
from shared.errors import TransientError
from shared.worker import Inbox, Relay, Repairs
from tests.support.databases import TestDatabase
from tests.support.units import begin

WITHDRAWN = "intake.referral.withdrawn.v1"


class FakeProducer:
    """Acknowledges everything but the keys and topics that it is told to refuse."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.refused: dict[str, SendFailed] = {}
        self.away = False

    def send(self, messages: Sequence[Message]) -> list[SendFailed | None]:
        if self.away:
            raise TransientError("away")
        outcomes = [self.refused.get(m.key) or self.refused.get(m.topic) for m in messages]
        self.sent += [m for m, o in zip(messages, outcomes, strict=True) if o is None]
        return outcomes

    def close(self) -> None:
        pass


@pytest.fixture
def pool(base_db: TestDatabase) -> Iterator[Pool]:
    with open_pool(base_db.owner, name="test") as pool:
        yield pool


def publish(pool: Pool, sequence: int, key: int = 1, agency: str = "brva") -> None:
    referral = UUID(int=key)
    with transaction(pool) as tx:
        Outbox(f"/intake/{agency}").add(
            tx,
            type=WITHDRAWN,
            agency=agency,
            key=referral,
            sequence=sequence,
            data={"referral_id": referral},
        )


def unsent(pool: Pool) -> list[dict[str, Any]]:
    with transaction(pool) as tx:
        return tx.execute("select * from outbox where sent_at is null order by id").fetchall()


def test_events_leave_in_order_and_once_acknowledged_not_again(
    pool: Pool, base_db: TestDatabase
) -> None:
    producer = FakeProducer()
    relay = Relay(base_db.owner, producer)
    for sequence in (1, 2, 3):
        publish(pool, sequence)

    relay.step()
    relay.step()

    events = [read_envelope(m.key, m.headers, m.value) for m in producer.sent]
    assert [event.sequence for event in events] == [1, 2, 3]
    assert producer.sent[0].topic == "intake.referral.brva"
    assert events[0].source == "/intake/brva"
    assert unsent(pool) == []
    relay.close()


def test_a_transaction_that_fails_leaves_no_event(pool: Pool) -> None:
    with pytest.raises(RuntimeError), transaction(pool) as tx:
        Outbox("/intake/brva").add(
            tx,
            type=WITHDRAWN,
            agency="brva",
            key=UUID(int=1),
            sequence=1,
            data={"referral_id": UUID(int=1)},
        )
        raise RuntimeError

    assert unsent(pool) == []


def test_data_of_another_shape_never_reaches_the_outbox(pool: Pool) -> None:
    with pytest.raises(ValueError, match="referral_id"), transaction(pool) as tx:
        Outbox("/intake/brva").add(
            tx, type=WITHDRAWN, agency="brva", key="k", sequence=1, data={"name": "Somebody"}
        )


def test_while_the_bus_is_away_events_wait(pool: Pool, base_db: TestDatabase) -> None:
    producer = FakeProducer()
    relay = Relay(base_db.owner, producer)
    publish(pool, 1)
    producer.away = True

    assert relay.step() is False
    assert len(unsent(pool)) == 1
    producer.away = False
    relay.step()

    assert unsent(pool) == []
    relay.close()


def test_an_event_that_cannot_be_sent_holds_back_its_own_key_only(
    pool: Pool, base_db: TestDatabase
) -> None:
    producer = FakeProducer()
    producer.refused[str(UUID(int=1))] = SendFailed("too-large", permanent=True)
    relay = Relay(base_db.owner, producer)
    publish(pool, 1, key=1)
    publish(pool, 1, key=2)
    relay.step()
    producer.refused.clear()
    publish(pool, 2, key=1)
    publish(pool, 2, key=2)
    relay.step()

    assert [m.key for m in producer.sent] == [str(UUID(int=2))] * 2
    assert [row["failure"] for row in unsent(pool)] == ["too-large", None]
    relay.close()


def test_a_topic_that_is_not_made_yet_holds_up_no_other_and_has_its_turn_later(
    pool: Pool, base_db: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.relay, "BATCH", 2)
    producer = FakeProducer()
    producer.refused["intake.referral.new"] = SendFailed("unknown-topic", permanent=False)
    relay = Relay(base_db.owner, producer)
    for key in (1, 2, 3):
        publish(pool, 1, key=key, agency="new")
    publish(pool, 1, key=4)

    assert relay.step() is True
    relay.step()

    assert [m.key for m in producer.sent] == [str(UUID(int=4))]
    producer.refused.clear()
    monkeypatch.setattr(worker.relay, "monotonic", lambda: time.monotonic() + 60)
    while relay.step():
        pass
    assert [m.key for m in producer.sent[1:]] == [str(UUID(int=key)) for key in (1, 2, 3)]
    relay.close()


def test_one_relay_is_active_and_a_standby_takes_over(pool: Pool, base_db: TestDatabase) -> None:
    first, second = FakeProducer(), FakeProducer()
    active, standby = Relay(base_db.owner, first), Relay(base_db.owner, second)
    publish(pool, 1)
    active.step()
    publish(pool, 2)

    standby.step()
    assert second.sent == []
    active.close()
    standby.step()

    assert [m.headers["ce_sequence"] for m in second.sent] == ["2"]
    standby.close()


def test_what_the_bus_refused_is_sent_again_when_an_operator_asks(
    pool: Pool, base_db: TestDatabase
) -> None:
    producer = FakeProducer()
    producer.refused[str(UUID(int=1))] = SendFailed("not-allowed", permanent=True)
    relay = Relay(base_db.owner, producer)
    publish(pool, 1)
    relay.step()
    publish(pool, 2)
    producer.refused.clear()
    with transaction(pool) as tx:
        tx.execute(
            "insert into repair (action, consumer, source, key, reason, asked_by)"
            " values ('resend', 'routing', 'intake.referral.brva', %s, 'cause-mended',"
            " gen_random_uuid())",
            (str(UUID(int=1)),),
        )

    assert Repairs(Inbox("routing", pool, {}, begin), lambda: None).step()
    relay.step()

    assert [m.headers["ce_sequence"] for m in producer.sent] == ["1", "2"]
    relay.close()
