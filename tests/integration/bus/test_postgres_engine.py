"""What only the engine in PostgreSQL has to do itself."""

from collections import Counter

import psycopg
import pytest

from shared.bus import Message, TopicSpec
from shared.bus.postgres import PostgresBus, create_schema
from tests.support.databases import TestDatabase


@pytest.fixture
def bus(bus_db: TestDatabase) -> PostgresBus:
    bus = PostgresBus(bus_db.client)
    bus.create_topics({"referral": TopicSpec(), "partner": TopicSpec(compacted=True)})
    return bus


def send(bus: PostgresBus, *messages: Message) -> None:
    producer = bus.producer("p")
    assert producer.send(messages) == [None] * len(messages)
    producer.close()


def a_message(topic: str, key: str, value: bytes = b"{}") -> Message:
    return Message(topic, key, {}, value)


def age(database: TestDatabase, days: int) -> None:
    with psycopg.connect(database.owner) as connection:
        connection.execute("update record set at = at - make_interval(days => %s)", (days,))


def kept(database: TestDatabase) -> list[tuple[str, str, bytes]]:
    with psycopg.connect(database.owner) as connection:
        return connection.execute(
            "select topic, key, value from record order by topic, number"
        ).fetchall()


def test_a_record_goes_after_seven_days_and_not_before(
    bus: PostgresBus, bus_db: TestDatabase
) -> None:
    send(bus, a_message("referral", "old"))
    age(bus_db, 3)
    send(bus, a_message("referral", "newer"))
    age(bus_db, 5)

    send(bus, a_message("referral", "new"))

    assert [key for _, key, _ in kept(bus_db)] == ["newer", "new"]


def test_a_compacted_topic_keeps_the_last_record_of_a_key_for_ever(
    bus: PostgresBus, bus_db: TestDatabase
) -> None:
    send(bus, a_message("partner", "a", b"1"), a_message("partner", "b", b"2"))
    age(bus_db, 400)

    send(bus, a_message("partner", "a", b"3"))

    assert kept(bus_db) == [("partner", "b", b"2"), ("partner", "a", b"3")]


def test_numbers_go_on_after_everything_was_forgotten(
    bus: PostgresBus, bus_db: TestDatabase
) -> None:
    send(bus, a_message("referral", "a"))
    reader = bus.subscribe("group", ["referral"])
    reader.commit(reader.poll(2.0))
    age(bus_db, 8)
    send(bus, a_message("referral", "b"))
    send(bus, a_message("referral", "c"))

    assert [record.key for record in reader.poll(2.0)] == ["b", "c"]
    reader.close()


def test_a_client_may_not_change_what_was_sent(bus: PostgresBus, bus_db: TestDatabase) -> None:
    send(bus, a_message("referral", "a"))

    with (
        psycopg.connect(bus_db.client) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("update record set value = ''")


def test_the_schema_may_be_made_again(bus: PostgresBus, bus_db: TestDatabase) -> None:
    send(bus, a_message("referral", "a"))

    create_schema(bus_db.owner)

    assert len(kept(bus_db)) == 1


def test_a_batch_has_a_limit_over_all_topics_and_each_topic_its_share(bus: PostgresBus) -> None:
    """What a consumer applies in one transaction must not grow with the number of agencies."""
    for topic in ("referral", "partner"):
        send(bus, *[a_message(topic, str(number)) for number in range(400)])
    subscription = bus.subscribe("g", ["referral", "partner"])

    batches = [subscription.poll(5.0) for _ in range(2)]
    subscription.close()

    assert [len(batch) for batch in batches] == [500, 300]
    assert Counter(record.topic for record in batches[0]) == {"referral": 250, "partner": 250}
    for topic in ("referral", "partner"):
        keys = [record.key for batch in batches for record in batch if record.topic == topic]
        assert keys == [str(number) for number in range(400)]
