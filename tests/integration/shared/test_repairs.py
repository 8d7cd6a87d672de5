"""What an operator asks for is done by the worker: tried, replayed, discarded, at its pace."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from shared.contracts.event import Event
from shared.db import Pool, open_pool, transaction
from shared.http.asking import Order
from shared.http.ops.asked import Batch, read_batch, stop_batch
from shared.http.ops.numbers import read_numbers
from shared.http.ops.parked import Selection, ask
from shared.http.ops.pipeline import ask_close_gaps, ask_resend
from shared.http.ops.repairs import ask_for_real
from shared.worker import Inbox, Repairs
from shared.worker.inbox import park
from tests.integration.shared.test_inbox import (
    WITHDRAWN,
    a_record,
    an_inbox,
    effects,
    fails_for,
    note,
    waiting,
)
from tests.support.databases import TestDatabase
from tests.support.units import PlainUnit

OLGA = uuid4()


@pytest.fixture
def pool(base_db: TestDatabase) -> Iterator[Pool]:
    with psycopg.connect(base_db.owner) as connection:
        connection.execute(
            "create table effect (n bigint generated always as identity, key text, sequence int)"
        )
    with open_pool(base_db.owner, name="test") as pool:
        yield pool


def an_order(action: str = "replay", *, per_second: int = 50) -> Order:
    dry = action == "dry-run"
    return Order("replay" if dry else action, "cause-mended", per_second, OLGA, dry)


def asked(pool: Pool, selection: Selection, order: Order) -> UUID:
    with transaction(pool) as tx:
        batch = ask(tx, selection, order, until=datetime.now(UTC) + timedelta(minutes=1))
    assert batch is not None
    return batch


def work(pool: Pool, inbox: Inbox[PlainUnit]) -> None:
    """Let the worker do all that was asked for."""
    repairs = Repairs(inbox, lambda: None)
    while repairs.step():
        pass


def outcomes(pool: Pool, batch: UUID) -> dict[str, int]:
    return {row["outcome"]: row["count"] for row in shown(pool, batch).outcomes}


def shown(pool: Pool, batch: UUID) -> Batch:
    with transaction(pool) as tx:
        found = read_batch(tx, batch)
    assert found is not None
    return found


def snapshot(pool: Pool) -> list[list[dict[str, Any]]]:
    """Return every row that a repair could touch."""
    tables = ("effect", "parked", "held", "stream_position", "outbox")
    with transaction(pool) as tx:
        return [tx.execute(f"select * from {name} order by 1, 2, 3").fetchall() for name in tables]


def three_parked(pool: Pool) -> tuple[Inbox[PlainUnit], set[int], list[UUID]]:
    """Park the first event of three referrals, with a second one held behind each."""
    keys, bad = [UUID(int=n) for n in (1, 2, 3)], {1}
    inbox = an_inbox(pool, fails_for(bad))
    for key in keys:
        inbox.apply([a_record(1, key=key), a_record(2, key=key)])
    assert len(waiting(pool, "parked")) == len(waiting(pool, "held")) == 3
    return inbox, bad, keys


def test_a_dry_run_says_what_would_happen_and_changes_nothing(pool: Pool) -> None:
    inbox, bad, _ = three_parked(pool)
    before = snapshot(pool)
    fails = asked(pool, Selection(), an_order("dry-run"))
    work(pool, inbox)
    bad.clear()
    works = asked(pool, Selection(), an_order("dry-run"))
    work(pool, inbox)

    assert outcomes(pool, fails) == {"handler-failed": 3}
    assert outcomes(pool, works) == {"replayed": 3}
    assert snapshot(pool) == before


def test_what_a_dry_run_found_ready_is_replayed_for_real_and_the_rest_is_left(pool: Pool) -> None:
    keys, bad = [UUID(int=n) for n in (1, 2)], {1, 2}
    inbox = an_inbox(pool, fails_for(bad))
    inbox.apply([a_record(1, key=keys[0])])
    inbox.apply([a_record(1, key=keys[1])])

    def still_fails(event: Event, unit: PlainUnit) -> None:
        if event.key == str(keys[1]):
            raise RuntimeError("a bug")
        fails_for(set())(event, unit)

    mended = an_inbox(pool, still_fails)
    dry = asked(pool, Selection(), an_order("dry-run"))
    work(pool, mended)

    with transaction(pool) as tx:
        real = ask_for_real(tx, dry, an_order())
    work(pool, mended)

    assert real is not None
    assert outcomes(pool, dry) == {"replayed": 1, "handler-failed": 1}
    assert outcomes(pool, real) == {"replayed": 1}
    assert (effects(pool, keys[0]), effects(pool, keys[1])) == ([1], [])


def test_replaying_many_applies_each_and_what_it_held_back_once_and_in_order(pool: Pool) -> None:
    inbox, bad, keys = three_parked(pool)
    bad.clear()

    batch = asked(pool, Selection(), an_order())
    work(pool, inbox)

    assert outcomes(pool, batch) == {"replayed": 3}
    assert [effects(pool, key) for key in keys] == [[1, 2]] * 3
    assert waiting(pool, "parked") == waiting(pool, "held") == []


def test_replaying_by_reason_and_type_leaves_the_others_alone(pool: Pool) -> None:
    inbox, bad, keys = three_parked(pool)
    inbox.apply([a_record(1, key=UUID(int=9), type_="intake.referral.withdrawn.v9")])
    bad.clear()

    batch = asked(pool, Selection(reason="handler-failed", type=WITHDRAWN), an_order())
    work(pool, inbox)

    assert outcomes(pool, batch) == {"replayed": 3}
    assert [row["reason"] for row in waiting(pool, "parked")] == ["newer-version"]
    assert [effects(pool, key) for key in keys] == [[1, 2]] * 3


def test_a_single_record_is_replayed_and_the_others_wait(pool: Pool) -> None:
    inbox, bad, keys = three_parked(pool)
    bad.clear()
    second = next(row for row in waiting(pool, "parked") if row["key"] == str(keys[1]))

    asked(pool, Selection(record=second["parked_id"]), an_order())
    work(pool, inbox)

    assert [effects(pool, key) for key in keys] == [[], [1, 2], []]


def test_what_was_parked_after_the_page_was_made_is_not_meant(pool: Pool) -> None:
    three_parked(pool)

    with transaction(pool) as tx:
        earlier = datetime.now(UTC) - timedelta(hours=1)
        assert ask(tx, Selection(), an_order("discard"), until=earlier) is None


def test_a_replay_of_what_took_effect_already_changes_nothing_and_says_so(pool: Pool) -> None:
    inbox = an_inbox(pool)
    inbox.apply([a_record(1), a_record(2)])
    with transaction(pool) as tx:  # two members of a group had it; one failed after the other
        identity = ("/intake/brva", 1, WITHDRAWN)
        park(tx, "routing", a_record(1), identity, "handler-failed", attempts=3)
    positions = snapshot(pool)[3]

    dry = asked(pool, Selection(), an_order("dry-run"))
    work(pool, inbox)
    real = asked(pool, Selection(), an_order())
    work(pool, inbox)

    assert outcomes(pool, dry) == outcomes(pool, real) == {"already-applied": 1}
    assert effects(pool) == [1, 2]
    assert snapshot(pool)[3] == positions
    assert waiting(pool, "parked") == []


def test_each_record_has_an_audit_row_with_who_why_and_what_came_of_it(pool: Pool) -> None:
    inbox, bad, _ = three_parked(pool)
    bad.clear()
    parked = {row["parked_id"] for row in waiting(pool, "parked")}

    asked(pool, Selection(), an_order())
    work(pool, inbox)

    with transaction(pool) as tx:
        rows = tx.execute("select * from repair").fetchall()
    assert {row["parked_id"] for row in rows} == parked
    for row in rows:
        assert (row["action"], row["dry_run"], row["outcome"]) == ("replay", False, "replayed")
        assert (row["reason"], row["asked_by"]) == ("cause-mended", OLGA)
        assert row["done_at"] >= row["asked_at"]


def test_asking_twice_before_the_worker_came_does_it_once(pool: Pool) -> None:
    inbox, bad, keys = three_parked(pool)
    bad.clear()
    asked(pool, Selection(), an_order())

    with transaction(pool) as tx:
        again = ask(tx, Selection(), an_order(), until=datetime.now(UTC) + timedelta(minutes=1))
    work(pool, inbox)

    assert again is None
    assert [effects(pool, key) for key in keys] == [[1, 2]] * 3


def test_a_batch_goes_no_faster_than_it_says_and_others_are_not_kept_waiting(pool: Pool) -> None:
    inbox, bad, _ = three_parked(pool)
    bad.clear()
    slow = asked(pool, Selection(), an_order(per_second=2))
    assert Repairs(inbox, lambda: None).step()
    inbox.apply([a_record(3, key=UUID(int=8))])
    with transaction(pool) as tx:
        tx.execute(
            "insert into repair (action, consumer, source, key, reason, asked_by) values"
            " ('close-gap', 'routing', '/intake/brva', %s, 'lost-in-retention', %s)",
            (str(UUID(int=8)), OLGA),
        )
    work(pool, inbox)

    with transaction(pool) as tx:
        rows = tx.execute("select batch_id, done_at from repair order by done_at").fetchall()
    times = [row["done_at"] for row in rows if row["batch_id"] == slow]
    assert min(later - earlier for earlier, later in pairwise(times)) >= timedelta(seconds=0.5)
    assert rows[-1]["batch_id"] == slow  # the other one did not wait for the last of the batch


def test_the_rest_of_a_batch_can_be_stopped(pool: Pool) -> None:
    inbox, bad, _ = three_parked(pool)
    bad.clear()
    batch = asked(pool, Selection(), an_order(per_second=1))
    Repairs(inbox, lambda: None).step()

    with transaction(pool) as tx:
        assert stop_batch(tx, batch) == 2
    work(pool, inbox)

    assert outcomes(pool, batch) == {"replayed": 1, "stopped": 2}
    assert shown(pool, batch).is_done
    assert len(waiting(pool, "parked")) == 2


def test_discarding_many_lets_the_later_events_pass_and_keeps_the_reason(pool: Pool) -> None:
    inbox, _, keys = three_parked(pool)

    batch = asked(pool, Selection(reason="handler-failed"), an_order("discard"))
    work(pool, inbox)

    assert outcomes(pool, batch) == {"discarded": 3}
    assert [effects(pool, key) for key in keys] == [[2]] * 3


def test_a_failed_replay_counts_an_attempt_and_names_the_newest_reason(pool: Pool) -> None:
    inbox = an_inbox(pool)
    inbox.apply([a_record(1, type_="intake.referral.withdrawn.v9")])

    batch = asked(pool, Selection(), an_order())
    work(pool, an_inbox(pool, fails_for({1})))

    [parked] = waiting(pool, "parked")
    assert outcomes(pool, batch) == {parked["reason"]: 1}
    assert parked["attempts"] == 2


def test_the_three_numbers_say_how_many_and_since_when(pool: Pool) -> None:
    three_parked(pool)
    with transaction(pool) as tx:
        tx.execute(
            "insert into consumer_lag (consumer, topic, records, behind_since) values"
            " ('routing', 'a', 0, now() - interval '9 hours'),"
            " ('routing', 'b', 4, now() - interval '1 hour'),"
            " ('routing', 'c', 3, now() - interval '2 hours')"
        )
        numbers = read_numbers(tx)

    assert (numbers.reading.count, numbers.parked.count) == (7, 3)
    assert numbers.reading.since is not None
    assert timedelta(hours=1.9) < datetime.now(UTC) - numbers.reading.since < timedelta(hours=2.1)
    assert numbers.leaving.count == 0
    assert numbers.leaving.since is None


def gaps_asked(pool: Pool, order: Order, stream: tuple[str, str, str] | None = None) -> UUID:
    with transaction(pool) as tx:
        batch = ask_close_gaps(tx, stream, order, until=datetime.now(UTC) + timedelta(minutes=1))
    assert batch is not None
    return batch


def a_gap(*, dry_run: bool = False) -> Order:
    return Order("close-gap", "lost-in-retention", 50, OLGA, dry_run)


def test_closing_gaps_is_tried_first_and_then_done_for_what_would_work(pool: Pool) -> None:
    good, bad = UUID(int=1), UUID(int=2)

    def fails_there(event: Event, unit: PlainUnit) -> None:
        if event.key == str(bad):
            raise RuntimeError("a bug")
        note(event, unit)

    inbox = an_inbox(pool, fails_there)
    inbox.apply([a_record(3, key=good), a_record(3, key=bad)])
    before = snapshot(pool)

    dry = gaps_asked(pool, a_gap(dry_run=True))
    work(pool, inbox)

    assert outcomes(pool, dry) == {"gap-closed": 1, "next-fails": 1}
    assert shown(pool, dry).would_work == 1
    assert snapshot(pool) == before

    with transaction(pool) as tx:
        real = ask_for_real(tx, dry, a_gap())
    work(pool, inbox)

    assert real is not None
    assert outcomes(pool, real) == {"gap-closed": 1}
    assert effects(pool, good) == [3]
    assert [row["key"] for row in waiting(pool, "held")] == [str(bad)]


def test_one_gap_is_closed_and_the_others_stay(pool: Pool) -> None:
    inbox = an_inbox(pool)
    inbox.apply([a_record(3, key=UUID(int=1)), a_record(3, key=UUID(int=2))])

    gaps_asked(pool, a_gap(), ("routing", "/intake/brva", str(UUID(int=2))))
    work(pool, inbox)

    assert [row["key"] for row in waiting(pool, "held")] == [str(UUID(int=1))]


def test_what_waits_behind_a_parked_record_has_no_gap_to_close(pool: Pool) -> None:
    three_parked(pool)

    with transaction(pool) as tx:
        later = datetime.now(UTC) + timedelta(minutes=1)
        assert ask_close_gaps(tx, None, a_gap(), until=later) is None


def refuse(pool: Pool, key: str, sequence: int = 1) -> None:
    with transaction(pool) as tx:
        tx.execute(
            "insert into outbox (event_id, topic, key, sequence, type, headers, payload,"
            " failed_at, failure) values (gen_random_uuid(), 'routing.partner', %s, %s, 't', '{}',"
            " '', now(), 'not-allowed')",
            (key, sequence),
        )


def refused(pool: Pool) -> list[str]:
    with transaction(pool) as tx:
        rows = tx.execute("select key from outbox where failed_at is not null order by id")
        return [row["key"] for row in rows]


def test_what_the_bus_refused_is_tried_first_and_goes_key_by_key(pool: Pool) -> None:
    inbox = an_inbox(pool)
    for key, sequence in (("a", 1), ("a", 2), ("b", 1)):
        refuse(pool, key, sequence)
    later = datetime.now(UTC) + timedelta(minutes=1)

    def ask_for(*, dry_run: bool) -> UUID:
        order = Order("resend", "cause-mended", 2, OLGA, dry_run)
        with transaction(pool) as tx:
            batch = ask_resend(tx, "routing", "routing.partner", order, until=later)
        assert batch is not None
        return batch

    dry = ask_for(dry_run=True)
    work(pool, inbox)
    assert outcomes(pool, dry) == {"resent": 2}
    assert refused(pool) == ["a", "a", "b"]

    real = ask_for(dry_run=False)
    assert Repairs(inbox, lambda: None).step()
    assert refused(pool) == ["b"]
    work(pool, inbox)

    assert outcomes(pool, real) == {"resent": 2}
    assert refused(pool) == []
