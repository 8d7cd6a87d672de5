"""What the worker keeps for the operator's charts."""

from collections.abc import Iterator

import psycopg
import pytest

from shared.db import Pool, open_pool, transaction
from shared.http.ops.history import read_history
from shared.worker import Housekeeping, Samples, metrics
from tests.support.databases import TestDatabase


@pytest.fixture
def pool(base_db: TestDatabase) -> Iterator[Pool]:
    with open_pool(base_db.owner, name="test") as pool:
        yield pool


def an_event(database: TestDatabase, *, sent: str | None) -> None:
    with psycopg.connect(database.owner) as connection:
        connection.execute(
            "insert into outbox (event_id, topic, key, sequence, type, headers, payload, sent_at)"
            " values (gen_random_uuid(), 't', 'k', 1, 't', '{}', '',"
            " date_trunc('minute', now()) + %s::interval)",
            (sent,),
        )


def test_a_minute_holds_what_flowed_in_it_and_the_most_that_waited(
    pool: Pool, base_db: TestDatabase
) -> None:
    samples = Samples("sampled", pool)
    an_event(base_db, sent="0 seconds")
    an_event(base_db, sent=None)
    metrics.EVENTS_IN.labels("sampled").inc(3)
    metrics.EVENTS_IN.labels("another").inc(50)
    samples.step()
    with transaction(pool) as tx:
        tx.execute("update outbox set sent_at = now() where sent_at is null")
    metrics.EVENTS_IN.labels("sampled").inc(4)
    samples.step()

    with transaction(pool) as tx:
        rows = tx.execute(
            "select sum(events_in)::int as events_in, max(leaving) as leaving from pipeline_sample"
        ).fetchone()
        out = tx.execute("select sum(events_out)::int as n from pipeline_sample").fetchone()
    assert rows == {"events_in": 7, "leaving": 1}
    assert out == {"n": 2}


def test_what_left_at_the_end_of_a_minute_is_counted_in_it(
    pool: Pool, base_db: TestDatabase
) -> None:
    with transaction(pool) as tx:
        tx.execute(
            "insert into pipeline_sample values"
            " (date_trunc('minute', now()) - interval '1 minute', 0, 0, 0, 0, 0)"
        )
    an_event(base_db, sent="-1 second")

    Samples("sampled", pool).step()

    with transaction(pool) as tx:
        hour, day = read_history(tx)
    assert hour.charts["events_out"].total == day.charts["events_out"].total == 1
    assert [row["events_out"] for row in hour.rows][-2] == 1


def test_samples_are_kept_a_day_and_no_longer(pool: Pool) -> None:
    with transaction(pool) as tx:
        tx.execute(
            "insert into pipeline_sample select now() - n * interval '1 hour', 0, 0, 0, 0, 0"
            " from generate_series(0, 48) n"
        )

    Housekeeping(pool).step()

    with transaction(pool) as tx:
        assert tx.execute("select count(*) from pipeline_sample").fetchone() == {"count": 25}


def test_a_day_is_96_quarters_of_an_hour_with_the_most_that_waited_in_each(pool: Pool) -> None:
    with transaction(pool) as tx:
        tx.execute(
            "insert into pipeline_sample select date_bin('15 minutes', now(), 'epoch')"
            " - interval '30 minutes' + n * interval '1 minute', 1, 2, n, 0, 0"
            " from generate_series(0, 14) n"
        )
        _, day = read_history(tx)

    assert len(day.rows) == 96
    row = day.rows[-3]
    assert (row["events_out"], row["events_in"], row["leaving"]) == (15, 30, 14)
    assert day.charts["leaving"].missing == 95


def test_the_most_that_was_held_in_a_minute_is_kept(pool: Pool) -> None:
    samples = Samples("sampled", pool)
    with transaction(pool) as tx:
        tx.execute(
            "insert into held (consumer, source, key, sequence, type, topic, headers, payload)"
            " values ('sampled', 's', 'k', 2, 't', 't', '{}', '')"
        )
    samples.step()
    with transaction(pool) as tx:
        tx.execute("delete from held")
    samples.step()

    with transaction(pool) as tx:
        hour, _ = read_history(tx)
    assert max(row["held"] or 0 for row in hour.rows) == 1
