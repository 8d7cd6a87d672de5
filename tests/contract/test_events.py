"""Producers and consumers mean the same by every event."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from importlib.resources import files
from operator import getitem
from typing import Any, get_args
from uuid import UUID, uuid4

import psycopg
import pytest
from marshmallow import Schema, fields

from intake.adapters import store as intake_store
from intake.domain import happenings as intake_happenings
from notifications.adapters import store as notifications_store
from routing.adapters import publishing
from routing.adapters.desk import Desk
from routing.domain import happenings as routing_happenings
from shared.contracts.catalogue import (
    CATALOGUE,
    dump_data,
    is_known,
    load_data,
    topic_of,
)
from shared.contracts.event import Event, headers_of, read_envelope
from shared.contracts.intake import FactsV1
from shared.db import open_pool, transaction
from shared.db.outbox import Outbox
from shared.db.writes import Writes
from shared.errors import InvalidEvent
from tests.support.databases import SERVICES, TestDatabase
from tests.support.samples import samples
from tests.support.web import a_site
from tests.unit.routing.builders import a_partner, a_referral, a_release, a_service

EXAMPLES = files("shared.contracts") / "examples"
EVERY_TYPE = pytest.mark.parametrize("type_", sorted(CATALOGUE))

PUBLIC = "routing.partner."
"""A partner's record is public: it names the organization and how to reach it."""

IDENTITY = ("name", "phone", "email", "birth", "address", "ssn", "note", "narrative", "text")


@dataclass(frozen=True, slots=True)
class Sent:
    """A row of an outbox."""

    topic: str
    key: str
    headers: dict[str, str]
    payload: bytes


def an_event(type_: str, data: dict[str, Any]) -> Event:
    return Event(
        id=uuid4(),
        source=f"/{CATALOGUE[type_].owner}/brva",
        type=type_,
        key=str(uuid4()),
        time=datetime.now(UTC),
        sequence=1,
        correlation_id="c" * 32,
        traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01",
        data=data,
    )


@EVERY_TYPE
def test_every_type_has_an_example_that_loads_and_comes_out_the_same(type_: str) -> None:
    example = CATALOGUE[type_].example

    loaded = load_data(an_event(type_, example))

    assert json.loads(dump_data(type_, loaded.data)) == example


def test_every_example_is_of_a_type() -> None:
    assert {file.name for file in EXAMPLES.iterdir()} == {f"{type_}.json" for type_ in CATALOGUE}


@EVERY_TYPE
def test_every_type_has_an_owner_and_other_readers(type_: str) -> None:
    found = CATALOGUE[type_]

    assert found.owner in SERVICES
    assert found.readers
    assert set(found.readers) <= set(SERVICES) - {found.owner}


@EVERY_TYPE
def test_a_field_added_later_stops_no_reader(type_: str) -> None:
    example = CATALOGUE[type_].example

    loaded = load_data(an_event(type_, {**example, "added_later": {"x": [1]}}))

    assert "added_later" not in loaded.data


@EVERY_TYPE
def test_a_missing_field_is_noticed(type_: str) -> None:
    for name in CATALOGUE[type_].schema.fields:
        example = CATALOGUE[type_].example
        del example[name]
        with pytest.raises(InvalidEvent, match="wrong-shape"):
            load_data(an_event(type_, example))


@EVERY_TYPE
def test_a_newer_version_waits_for_a_newer_reader(type_: str) -> None:
    stem = type_.rsplit(".", 1)[0]

    with pytest.raises(InvalidEvent, match="newer-version"):
        is_known(f"{stem}.v99")
    assert not is_known(f"{stem}-of-tomorrow.v1")


@pytest.mark.parametrize("type_", [type_ for type_ in CATALOGUE if not type_.startswith(PUBLIC)])
def test_no_event_about_a_referral_has_room_for_identity_or_free_text(type_: str) -> None:
    """R-02, R-57: codes and opaque ids only."""
    names = set(_names(CATALOGUE[type_].schema))

    assert not [name for name in names if any(word in name for word in IDENTITY)]


SPOKEN = ("225-555-0177", "Quandrymont", "Spanish", "Jordan of Main Street")


@pytest.mark.parametrize("said", SPOKEN)
@pytest.mark.parametrize(
    ("type_", "place"),
    [
        *(
            ("intake.referral.submitted.v1", ("facts", name))
            for name in FactsV1().fields
            if name != "interpreter"
        ),
        ("intake.referral.release-signed.v1", ("release", "items")),
        ("intake.referral.release-signed.v1", ("release", "report_back")),
        ("routing.referral.declined.v1", ("reason",)),
        ("routing.referral.unmatched.v1", ("queue",)),
        ("routing.referral.contacted.v1", ("kind",)),
        ("routing.referral.closed.v1", ("outcome",)),
    ],
)
def test_a_name_or_a_number_in_the_place_of_a_code_is_neither_sent_nor_taken(
    type_: str, place: tuple[str, ...], said: str
) -> None:
    """R-02."""
    data = CATALOGUE[type_].example
    loaded: Any = load_data(an_event(type_, data)).data
    *path, last = place
    for whole in (data, loaded):
        inner = reduce(getitem, path, whole)
        inner[last] = [said] if isinstance(inner[last], list) else said

    with pytest.raises(ValueError, match="wrong fields"):
        dump_data(type_, loaded)
    with pytest.raises(InvalidEvent, match="wrong-shape"):
        load_data(an_event(type_, data))


@EVERY_TYPE
def test_an_envelope_survives_the_bus(type_: str) -> None:
    event = an_event(type_, CATALOGUE[type_].example)

    read = read_envelope(event.key, headers_of(event), json.dumps(event.data).encode())

    assert read == event


def test_each_service_emits_what_the_catalogue_says_it_owns() -> None:
    emitted = {
        "intake": set(intake_store.TYPES.values()),
        "routing": {
            *publishing.EVENT_TYPES.values(),
            publishing.PARTNER_PUBLISHED,
            publishing.PARTNER_WITHDRAWN,
        },
        "notifications": {notifications_store.DELIVERED, notifications_store.EXHAUSTED},
    }

    owned = {
        service: {type_ for type_, found in CATALOGUE.items() if found.owner == service}
        for service in SERVICES
    }
    assert emitted == owned


def test_what_routing_tells_of_a_referral_loads(routing_db: TestDatabase) -> None:
    referral = a_referral(a_release(uuid4()))
    kinds = get_args(routing_happenings.Happening)
    with open_pool(routing_db.worker, name="contract") as pool:
        with Desk(pool, a_site()).change() as work:
            work.store.add_directory([])
            work.store.add_referral(referral)
            for kind in kinds:
                for happening in samples(kind):
                    work.store.publish(referral.referral_id, happening)
        sent = list(_outbox(routing_db))

    assert _loaded(sent, key=referral.referral_id, agency=referral.agency) == set(
        publishing.EVENT_TYPES.values()
    )
    assert len(sent) == 2 * len(kinds)


def test_what_routing_tells_of_a_partner_loads(routing_db: TestDatabase) -> None:
    partner = a_partner(services=(a_service(), a_service(minimum_age=12, counties=("22033",))))
    with open_pool(routing_db.worker, name="contract") as pool:
        with Desk(pool, a_site()).change() as work:
            work.store.publish_partner(partner)
            work.store.withdraw_partner(partner.partner_id)
        sent = list(_outbox(routing_db))

    assert _loaded(sent, key=partner.partner_id, agency="") == {
        publishing.PARTNER_PUBLISHED,
        publishing.PARTNER_WITHDRAWN,
    }


def test_what_intake_tells_loads(intake_db: TestDatabase) -> None:
    referral_id = uuid4()
    outbox = Outbox("/intake/brva")
    with psycopg.connect(intake_db.owner) as prepared:
        person_id = uuid4()
        prepared.execute("insert into person (person_id) values (%s)", (person_id,))
        prepared.execute(
            "insert into referral (referral_id, person_id, reference, status, submitted_by,"
            " submitted_at, changed_at) values (%s, %s, 'WH-1', 'submitted', %s, now(), now())",
            (referral_id, person_id, uuid4()),
        )
    with open_pool(intake_db.web, name="contract") as pool, transaction(pool) as tx:
        referrals = intake_store.PostgresReferrals(tx, Writes(tx), outbox, "baton-rouge", "brva")
        for kind in get_args(intake_happenings.Happening):
            for happening in samples(kind):
                referrals.publish(referral_id, happening)

    assert _loaded(list(_outbox(intake_db)), key=referral_id, agency="brva") == set(
        intake_store.TYPES.values()
    )


def _outbox(database: TestDatabase) -> Iterator[Sent]:
    with psycopg.connect(database.owner) as connection:
        rows = connection.execute("select topic, key, headers, payload from outbox order by id")
        yield from (Sent(*row) for row in rows)


def _loaded(sent: list[Sent], *, key: UUID, agency: str) -> set[str]:
    """Read the rows as a consumer does, in their gapless order, and return their types."""
    events = [load_data(read_envelope(row.key, row.headers, row.payload)) for row in sent]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert {event.key for event in events} == {str(key)}
    assert [row.topic for row in sent] == [topic_of(event.type, agency) for event in events]
    return {event.type for event in events}


def _names(schema: Schema) -> Iterator[str]:
    for name, found in schema.fields.items():
        yield name
        inner = found.inner if isinstance(found, fields.List) else found
        if isinstance(inner, fields.Nested):
            yield from _names(inner.schema)
