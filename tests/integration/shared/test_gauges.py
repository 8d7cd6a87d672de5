"""What Prometheus is told of a service's database, its roles' rights included."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from prometheus_client import REGISTRY

from intake.adapters import gauges as intake_gauges
from notifications.adapters import metrics as notifications_metrics
from routing.adapters import gauges as routing_gauges
from shared.bus import Behind, Subscription
from shared.db import Pool, now, open_pool, transaction
from shared.worker import Gauges, Lag, Measure, metrics
from tests.support.databases import TestDatabase

MEASURES: Mapping[str, tuple[Measure, ...]] = {
    "intake": intake_gauges.MEASURES,
    "routing": routing_gauges.MEASURES,
    "notifications": notifications_metrics.MEASURES,
}


@pytest.fixture(params=MEASURES)
def service(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def database(request: pytest.FixtureRequest, service: str) -> TestDatabase:
    found: TestDatabase = request.getfixturevalue(f"{service}_db")
    return found


@pytest.fixture
def pool(database: TestDatabase) -> Iterator[Pool]:
    with open_pool(database.worker, name="test") as pool:
        yield pool


def value(name: str, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, labels)
    assert found is not None, f"{name}{labels} is not there"
    return found


def test_a_worker_measures_with_its_own_rights(
    pool: Pool, database: TestDatabase, service: str
) -> None:
    with psycopg.connect(database.owner) as connection:
        connection.execute(
            "insert into outbox (event_id, topic, key, sequence, type, headers, payload,"
            "  created_at, failed_at)"
            " select gen_random_uuid(), 't', n::text, 1, 'x', '{}', '', now() - interval '90 s',"
            "  case when n = 1 then now() end from generate_series(1, 3) n"
        )
        connection.execute(
            "insert into held (consumer, source, key, sequence, type, topic, headers, payload,"
            " held_at) values (%s, 's', 'k', 2, 'x', 't', '{}', '', now() - interval '70 s')",
            (service,),
        )
        connection.execute(
            "insert into parked (consumer, topic, key, headers, reason)"
            " values (%s, 't', 'k', '{}', 'wrong-shape')",
            (service,),
        )

    Gauges(service, pool, MEASURES[service]).step()

    assert value("wh_outbox_events", service=service) == 2
    assert 90 <= value("wh_outbox_oldest_seconds", service=service) < 120
    assert value("wh_outbox_refused_events", service=service) == 1
    assert value("wh_held_records", consumer=service) == 1
    assert 70 <= value("wh_held_oldest_seconds", consumer=service) < 100
    assert value("wh_parked_records", consumer=service, reason="wrong-shape") == 1


def test_what_is_parked_no_more_counts_no_more(pool: Pool, service: str) -> None:
    gauges = Gauges(service, pool, ())
    with transaction(pool) as tx:
        tx.execute(
            "insert into parked (consumer, topic, key, headers, reason)"
            " values ('c', 't', 'k', '{}', 'malformed')"
        )
    gauges.step()
    with transaction(pool) as tx:
        tx.execute("update parked set closed_at = now()")

    gauges.step()

    assert value("wh_parked_records", consumer=service, reason="malformed") == 0


def test_the_time_of_measuring_stands_still_while_the_database_is_away() -> None:
    with open_pool("host=127.0.0.1 port=9", name="test", wait_seconds=0.2) as away:
        gauges = Gauges("away", away, ())
        before = value("wh_last_measured_timestamp_seconds", service="away", source="database")

        gauges.step()

    after = value("wh_last_measured_timestamp_seconds", service="away", source="database")
    assert after == before


def test_offers_and_clocks_are_counted(routing_db: TestDatabase) -> None:
    with psycopg.connect(routing_db.admin) as connection:
        connection.execute("set session_replication_role = replica")  # offers of no referral
        connection.execute(
            "insert into offer (offer_id, reference, referral_id, partner_id, service_id,"
            "  release_id, release_expires_at, state, offered_at, answer_by, first_contact_by)"
            " select gen_random_uuid(), gen_random_uuid()::text, gen_random_uuid(),"
            "  gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now(), state, now(),"
            "  now() + hours * interval '1 hour', now() + hours * interval '1 hour'"
            " from (values ('offered', -1), ('offered', 1), ('accepted', -1), ('accepted', -2),"
            "  ('declined', -1)) as o (state, hours)"
        )
        connection.execute(
            "insert into referral (referral_id, site, agency, state, queue, received_at, place_by)"
            " select gen_random_uuid(), 'baton-rouge', 'brva', state, state, now(),"
            "  now() + hours * interval '1 hour'"
            " from (values ('waiting-for-place', -1), ('waiting-for-place', 1), ('closed', -1))"
            "  as r (state, hours)"
        )

    with open_pool(routing_db.worker, name="test") as pool:
        Gauges("routing", pool, routing_gauges.MEASURES).step()

    assert value("wh_offers", state="offered") == 2
    assert value("wh_offers", state="accepted") == 2
    assert value("wh_clocks_overdue", clock="answer") == 1
    assert value("wh_clocks_overdue", clock="first-contact") == 2
    assert value("wh_clocks_overdue", clock="confirm-stop") == 0
    assert value("wh_clocks_overdue", clock="place") == 1


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        ("declined", "declined"),
        ("offer-expired", "expired"),
        ("cancelled", "cancelled"),
        ("closed", "closed"),
    ],
)
def test_offers_that_ended_are_counted_by_the_events_that_left(verb: str, state: str) -> None:
    before = value("wh_offers_ended_total", state=state)

    metrics.EVENTS_OUT.labels(f"routing.referral.{verb}.v1").inc(2)

    assert value("wh_offers_ended_total", state=state) == before + 2


def test_drafts_and_keys_that_should_be_gone_are_counted(intake_db: TestDatabase) -> None:
    with psycopg.connect(intake_db.owner) as connection:
        connection.execute(
            "insert into draft (draft_id, member_id, content, saved_at, expires_at)"
            " select gen_random_uuid(), gen_random_uuid(), '', now(), now() + n * interval '1 h'"
            " from generate_series(-1, 1, 2) n"
        )
        connection.execute(
            "insert into person (person_id, erased_at, key_destroyed_at)"
            " values (gen_random_uuid(), now(), null), (gen_random_uuid(), now(), now())"
        )

    with open_pool(intake_db.worker, name="test") as pool:
        Gauges("intake", pool, intake_gauges.MEASURES).step()

    assert value("wh_clocks_overdue", clock="draft") == 1
    assert value("wh_clocks_overdue", clock="key-destruction") == 1


def test_deliveries_are_counted_by_state_and_channel(notifications_db: TestDatabase) -> None:
    mail, hook, gone = uuid4(), uuid4(), uuid4()
    with psycopg.connect(notifications_db.owner) as connection:
        for endpoint, channel, disabled in (
            (mail, "email", 0),
            (hook, "webhook", 0),
            (gone, "webhook", 1),
        ):
            connection.execute(
                "insert into contact_point (endpoint_id, owner_kind, owner_id, channel, address,"
                " secret, disabled_at) values (%s, 'partner', gen_random_uuid(), %s, 'x', 'x',"
                " case when %s = 1 then now() end)",
                (endpoint, channel, disabled),
            )
        connection.execute("insert into referral_thread values (%s, 'brva')", (UUID(int=1),))
        for endpoint, state, seconds in (
            (mail, "waiting", -200),
            (hook, "failed-temporarily", 600),
            (hook, "failed-temporarily", -40),
            (hook, "delivered", -900),
        ):
            connection.execute(
                "insert into delivery (delivery_id, event_id, endpoint_id, referral_id, template,"
                " params, said_at, trace, correlation_id, state, next_attempt_at) values"
                " (gen_random_uuid(), gen_random_uuid(), %s, %s, 'offer-waiting', %s, now(), '',"
                " '', %s, now() + %s)",
                (endpoint, UUID(int=1), json.dumps({}), state, timedelta(seconds=seconds)),
            )

    with open_pool(notifications_db.worker, name="test") as pool:
        Gauges("notifications", pool, notifications_metrics.MEASURES).step()

    assert value("wh_deliveries", channel="email", state="waiting") == 1
    assert value("wh_deliveries", channel="webhook", state="failed-temporarily") == 2
    assert 200 <= value("wh_deliveries_oldest_due_seconds", channel="email") < 230
    assert 40 <= value("wh_deliveries_oldest_due_seconds", channel="webhook") < 70
    assert value("wh_endpoints_disabled", channel="webhook") == 1


@dataclass
class Slow:
    """A group that is behind by what it is told."""

    told: dict[str, Behind]

    def lag(self) -> Mapping[str, Behind]:
        return self.told


def lag_of(consumer: str, slow: Slow, pool: Pool) -> Lag:
    subscription: Subscription = slow  # type: ignore[assignment]
    return Lag(consumer, subscription, pool)


def lags(pool: Pool) -> dict[str, tuple[int, bool]]:
    """Return of each topic how much is not read, and whether it is known since when."""
    with transaction(pool) as tx:
        rows = tx.execute("select topic, records, behind_since from consumer_lag").fetchall()
    return {row["topic"]: (row["records"], row["behind_since"] is not None) for row in rows}


def test_lag_is_told_without_agencies_in_records_and_seconds(base_db: TestDatabase) -> None:
    with open_pool(base_db.owner, name="test") as pool:
        with transaction(pool) as tx:
            moment = now(tx)
        slow = Slow(
            {
                "intake.referral.brva": Behind(2, moment - timedelta(seconds=30)),
                "intake.referral.laca": Behind(3, moment - timedelta(seconds=50)),
                "routing.partner": Behind(0),
            }
        )
        lag_of("slow", slow, pool).step()

    assert value("wh_consumer_lag_records", consumer="slow", topic="intake.referral") == 5
    assert 50 <= value("wh_consumer_lag_seconds", consumer="slow", topic="intake.referral") < 60
    assert value("wh_consumer_lag_seconds", consumer="slow", topic="routing.partner") == 0


def test_lag_whose_age_the_bus_does_not_tell_is_as_old_as_it_was_known_to_be(
    base_db: TestDatabase,
) -> None:
    topic = "intake.referral.brva"
    with open_pool(base_db.owner, name="test") as pool:
        with transaction(pool) as tx:
            since = now(tx) - timedelta(seconds=50)
        slow = Slow({topic: Behind(2, since)})
        lag = lag_of("unsure", slow, pool)
        lag.step()
        slow.told = {topic: Behind(3)}

        lag.step()

        with transaction(pool) as tx:
            row = tx.execute("select records, behind_since from consumer_lag").fetchone()
        assert row == {"records": 3, "behind_since": since}
        seconds = value("wh_consumer_lag_seconds", consumer="unsure", topic="intake.referral")
        assert seconds >= 50

        slow.told = {topic: Behind(0)}
        lag.step()

        assert lags(pool) == {topic: (0, False)}
        assert value("wh_consumer_lag_seconds", consumer="unsure", topic="intake.referral") == 0

        slow.told = {topic: Behind(1)}
        lag.step()

        assert lags(pool) == {topic: (1, True)}


def test_a_topic_that_is_gone_counts_no_more(base_db: TestDatabase) -> None:
    with open_pool(base_db.owner, name="test") as pool:
        slow = Slow({"routing.partner": Behind(4), "intake.referral.brva": Behind(0)})
        lag = lag_of("gone", slow, pool)
        lag.step()
        del slow.told["routing.partner"]

        lag.step()

        assert lags(pool) == {"intake.referral.brva": (0, False)}
    shown = {"consumer": "gone", "topic": "routing.partner"}
    assert REGISTRY.get_sample_value("wh_consumer_lag_records", shown) is None
    assert REGISTRY.get_sample_value("wh_consumer_lag_seconds", shown) is None
