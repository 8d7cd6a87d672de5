"""What a unit of work has still to write, by table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from routing.adapters import sql
from routing.adapters.records import columns, to_json
from routing.domain.decisions import Decision
from routing.domain.model import Referral, Release
from shared.db.outbox import INSERT


@dataclass(slots=True)
class Kept:
    """Rows that wait to be written; what is kept twice of one offer is written once."""

    offers: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    freed: list[UUID] = field(default_factory=list)
    taken: dict[UUID, list[UUID]] = field(default_factory=dict)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    events: list[tuple[Any, ...]] = field(default_factory=list)

    def by_statement(self) -> Iterator[tuple[str, Iterable[Any]]]:
        """Give each statement with its rows, in the order that the tables refer to each other."""
        yield sql.PUT_OFFER, self.offers.values()
        yield sql.FREE_PLACE, [(offer_id,) for offer_id in self.freed]
        yield (
            sql.TAKE_PLACES,
            [(len(ids), service_id, len(ids), ids) for service_id, ids in self.taken.items()],
        )
        yield sql.ADD_DECISION, self.decisions
        yield sql.NOTE, self.notes
        yield INSERT, self.events


def referral_row(referral: Referral) -> dict[str, Any]:
    """Return the columns of a new referral, but for where it stands."""
    return {
        **columns(referral),
        "facts": Jsonb(to_json(referral.facts)),
        "barred": list(referral.barred),
    }


def release_row(referral_id: UUID, release: Release) -> dict[str, Any]:
    """Return the columns of a release."""
    lists = {"items": list(release.items), "report_back": list(release.report_back)}
    return {**columns(release), "referral_id": referral_id, **lists}


def decision_row(referral_id: UUID, decision: Decision) -> dict[str, Any]:
    """Return the columns of a decision, with what it was made from as JSON."""
    return {
        **columns(decision),
        "referral_id": referral_id,
        "situation": Jsonb(to_json(decision.situation)),
        "verdicts": Jsonb(to_json(decision.verdicts)),
    }
