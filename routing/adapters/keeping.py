"""What a unit of work has still to write, by table."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from routing.adapters import sql
from routing.adapters.loading import COLUMNS
from routing.adapters.records import columns, to_json
from routing.domain.decisions import Decision
from routing.domain.model import Offer, Referral, Release
from shared.db.outbox import INSERT


@dataclass(slots=True)
class Kept:
    """Rows that wait to be written; what is kept twice of one offer is written once.

    Rows of the tables go to the database as one JSON document in one statement: in a batch of
    one, each statement more costs this process and the server some 0.1 ms together.
    """

    referrals: list[Mapping[str, Any]] = field(default_factory=list)
    moves: list[Mapping[str, Any]] = field(default_factory=list)
    releases: list[Mapping[str, Any]] = field(default_factory=list)
    offers: dict[UUID, Mapping[str, Any]] = field(default_factory=dict)
    decisions: list[Mapping[str, Any]] = field(default_factory=list)
    notes: list[Mapping[str, Any]] = field(default_factory=list)
    others: list[tuple[str, Any]] = field(default_factory=list)
    freed: list[UUID] = field(default_factory=list)
    taken: dict[UUID, list[UUID]] = field(default_factory=dict)
    events: list[tuple[Any, ...]] = field(default_factory=list)

    def statements(self) -> Iterator[tuple[str, Sequence[Any]]]:
        """Give each statement with its values, in the order that they depend on each other."""
        rows = {
            "referrals": self.referrals,
            "moves": self.moves,
            "releases": self.releases,
            "offers": list(self.offers.values()),
            "decisions": self.decisions,
            "notes": self.notes,
        }
        if kept := {name: some for name, some in rows.items() if some}:
            yield sql.put_rows(kept), (json.dumps(kept, default=_plain),)
        yield from self.others
        for offer_id in self.freed:
            yield sql.FREE_PLACE, (offer_id,)
        for service_id, ids in self.taken.items():
            yield sql.TAKE_PLACES, (len(ids), service_id, len(ids), ids)
        for event in self.events:
            yield INSERT, event


def referral_row(referral: Referral) -> dict[str, Any]:
    """Return the columns of a new referral, but for where it stands."""
    plain = {name: getattr(referral, name) for name in COLUMNS}
    return {**plain, "facts": to_json(referral.facts), "barred": list(referral.barred)}


def release_row(referral_id: UUID, release: Release) -> dict[str, Any]:
    """Return the columns of a release."""
    return {**columns(release), "referral_id": referral_id}


def offer_row(referral: Referral, offer: Offer) -> dict[str, Any]:
    """Return the columns of an offer of a referral."""
    ends = next(r.expires_at for r in referral.releases if r.release_id == offer.release_id)
    names = {"referral_id": referral.referral_id, "release_expires_at": ends}
    return {**columns(offer), **names}


def decision_row(referral_id: UUID, decision: Decision) -> dict[str, Any]:
    """Return the columns of a decision, with what it was made from as JSON."""
    return {
        **columns(decision),
        "referral_id": referral_id,
        "situation": to_json(decision.situation),
        "verdicts": to_json(decision.verdicts),
    }


def _plain(value: UUID | datetime) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
