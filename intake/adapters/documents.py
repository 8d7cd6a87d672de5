"""What is sealed or kept as JSON: dataclasses to documents and back."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from intake.domain.facts import Facts
from intake.domain.partners import Partner, Service, Tie
from intake.domain.people import Channel, Encounter, Person, SafeContact, Wishes


def dump(thing: Any) -> bytes:  # noqa: ANN401  (any of our dataclasses)
    """Return a dataclass as JSON."""
    return _AS_JSON.encode(thing).encode()


def parts(thing: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a dataclass's fields as they are; `asdict` would copy whatever lies below."""
    return {name: getattr(thing, name) for name in thing.__dataclass_fields__}


def person(document: bytes) -> Person:
    """Return the person in a document."""
    return Person(**_tuples(json.loads(document)))


def contact(document: bytes) -> SafeContact:
    """Return the safe contact in a document."""
    found = json.loads(document)
    confirmed = found["confirmed_at"]
    return SafeContact(
        route=found["route"],
        code_word=found["code_word"],
        channels=tuple(Channel(**channel) for channel in found["channels"]),
        confirmed_at=datetime.fromisoformat(confirmed) if confirmed else None,
    )


def encounter(document: bytes) -> Encounter:
    """Return what happened, from a document."""
    found = _tuples(json.loads(document))
    day = found["happened_on"]
    return Encounter(**{**found, "happened_on": date.fromisoformat(day) if day else None})


def wishes(document: bytes) -> Wishes:
    """Return what would help, from a document."""
    return Wishes(**_tuples(json.loads(document)))


def facts(document: Mapping[str, Any] | None) -> Facts:
    """Return released facts; empty ones when the person was erased."""
    if document is None:
        return _NO_FACTS
    return Facts(**_tuples(document))


def partner(document: Mapping[str, Any]) -> Partner:
    """Return a partner's public record."""
    return Partner(
        **{
            **document,
            "partner_id": UUID(str(document["partner_id"])),
            "ties": tuple(Tie(**tie) for tie in document["ties"]),
            "services": tuple(
                Service(**_tuples({**service, "service_id": UUID(str(service["service_id"]))}))
                for service in document["services"]
            ),
        }
    )


_NO_FACTS = Facts(
    needs=(),
    urgency="",
    age_band="",
    languages=(),
    interpreter=False,
    access_needs=(),
    county="",
    preferences=(),
    contact_route="",
)


def _tuples(document: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in document.items()
    }


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return parts(value)


_AS_JSON = json.JSONEncoder(default=_plain, separators=(",", ":"))
