"""Every event type that exists: who emits it, who reads it, where it goes, what it holds."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from marshmallow import Schema, ValidationError

from shared.contracts import intake, notifications, routing
from shared.contracts.compiled import Dump, Load, NotPlain, dumper, loader
from shared.contracts.event import Event
from shared.errors import InvalidEvent


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event. `topic` ends in a dot where the agency's code follows."""

    type: str
    schema: Schema
    topic: str
    readers: tuple[str, ...]
    load_plain: Load
    dump_plain: Dump

    @property
    def owner(self) -> str:
        """The service that alone emits it."""
        return self.type.split(".", 1)[0]

    @property
    def example(self) -> dict[str, Any]:
        """The committed example of its data, as JSON."""
        text = files("shared.contracts") / "examples" / f"{self.type}.json"
        example: dict[str, Any] = json.loads(text.read_text(encoding="utf-8"))
        return example


_ROUTING = ("routing",)
_FOLLOWERS = ("intake", "notifications")

_TYPES = (
    ("intake.referral.submitted.v1", intake.ReferralSubmittedV1, _ROUTING),
    ("intake.referral.release-signed.v1", intake.ReleaseSignedV1, _ROUTING),
    ("intake.referral.release-revoked.v1", intake.ReleaseRevokedV1, _ROUTING),
    ("intake.referral.withdrawn.v1", intake.ReferralWithdrawnV1, _ROUTING),
    ("intake.referral.erased.v1", intake.ReferralErasedV1, _ROUTING),
    ("routing.referral.offered.v1", routing.OfferedV1, _FOLLOWERS),
    ("routing.referral.accepted.v1", routing.AcceptedV1, _FOLLOWERS),
    ("routing.referral.declined.v1", routing.DeclinedV1, _FOLLOWERS),
    ("routing.referral.offer-expired.v1", routing.OfferExpiredV1, _FOLLOWERS),
    ("routing.referral.unmatched.v1", routing.UnmatchedV1, _FOLLOWERS),
    ("routing.referral.escalated.v1", routing.EscalatedV1, _FOLLOWERS),
    ("routing.referral.escalation-cleared.v1", routing.EscalationClearedV1, ("intake",)),
    ("routing.referral.cancelled.v1", routing.CancelledV1, _FOLLOWERS),
    ("routing.referral.contacted.v1", routing.ContactedV1, _FOLLOWERS),
    ("routing.referral.service-started.v1", routing.ServiceStartedV1, _FOLLOWERS),
    ("routing.referral.closed.v1", routing.ClosedV1, _FOLLOWERS),
    ("routing.referral.ended.v1", routing.EndedV1, _FOLLOWERS),
    ("routing.referral.erased.v1", routing.ErasedV1, ("notifications",)),
    ("routing.partner.published.v1", routing.PartnerPublishedV1, ("intake",)),
    ("routing.partner.withdrawn.v1", routing.PartnerWithdrawnV1, ("intake",)),
    ("notifications.delivery.delivered.v1", notifications.DeliveredV1, _ROUTING),
    ("notifications.delivery.exhausted.v1", notifications.ExhaustedV1, _ROUTING),
)
_TOPICS = {
    "intake.referral": "intake.referral.",
    "routing.referral": "routing.referral.",
    "routing.partner": "routing.partner",
    "notifications.delivery": "notifications.delivery",
}

CATALOGUE: Mapping[str, EventType] = MappingProxyType(
    {
        type_: EventType(
            type_,
            schema(),
            _TOPICS[".".join(type_.split(".")[:2])],
            readers,
            loader(schema()),
            dumper(schema()),
        )
        for type_, schema, readers in _TYPES
    }
)
_VERSION = re.compile(r"\.v(\d+)$")
_KNOWN_SUBJECTS = frozenset(_VERSION.sub("", type_) for type_ in CATALOGUE)


def topic_of(type_: str, agency: str) -> str:
    """Return the topic of an event type, for referrals that of the agency (ends in its code)."""
    topic = CATALOGUE[type_].topic
    return f"{topic}{agency}" if topic.endswith(".") else topic


def is_known(type_: str) -> bool:
    """Tell whether this reader can read the type; a type nobody declared is skipped.

    Raises:
        InvalidEvent: a newer major version of a known type; it waits for a newer reader.

    """
    if type_ in CATALOGUE:
        return True
    if _VERSION.sub("", type_) in _KNOWN_SUBJECTS:
        raise InvalidEvent("newer-version")
    return False


def dump_data(type_: str, data: Mapping[str, Any]) -> bytes:
    """Return the JSON of an event's data, checked against its own schema."""
    event = CATALOGUE[type_]
    plain = event.dump_plain(data)
    try:
        event.load_plain(plain)
    except NotPlain as doubt:
        if faults := event.schema.validate(plain):
            raise ValueError(f"{type_}: wrong fields {sorted(map(str, faults))}") from doubt
    return json.dumps(plain, separators=(",", ":")).encode()


def load_data(event: Event) -> Event:
    """Return the event with its data loaded by its type's schema.

    Raises:
        InvalidEvent: the data does not have the type's shape.

    """
    known = CATALOGUE[event.type]
    try:
        return replace(event, data=known.load_plain(event.data))
    except NotPlain:
        pass
    try:
        loaded = known.schema.load(dict(event.data))
    except ValidationError as fault:
        raise InvalidEvent("wrong-shape") from fault
    return replace(event, data=loaded)
