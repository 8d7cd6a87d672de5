"""Referrals read whole from their rows."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from routing.adapters import sql
from routing.adapters.records import from_json
from routing.domain.model import Facts, Offer, Referral, Release
from shared.db import Tx, together

_PARTS = (sql.RELEASES, sql.OFFERS, sql.OPEN_ESCALATIONS)
COLUMNS = (
    "referral_id",
    "reference",
    "site",
    "agency",
    "submitted_by",
    "state",
    "received_at",
    "place_by",
)

Loaded = tuple[Mapping[str, Any], Referral | None]
"""A referral's row, and the referral whole; None when it was erased."""


def load_referrals(tx: Tx, query: str, referral_ids: Collection[UUID]) -> Iterator[Loaded]:
    """Ask for referrals; when the first is looked at, for the parts of those that are there."""
    return _whole(tx, tx.execute(query, (list(referral_ids),)))


def _whole(tx: Tx, asked: Iterable[dict[str, Any]]) -> Iterator[Loaded]:
    rows = list(asked)
    if not rows:
        return
    ids = ([row["referral_id"] for row in rows],)
    with together(tx):
        parts = [tx.execute(part, ids) for part in _PARTS]
    releases, offers, escalations = (_by_referral(part) for part in parts)
    for row in rows:
        referral_id = row["referral_id"]
        yield (
            row,
            _referral(
                row,
                tuple(release_of(found) for found in releases.get(referral_id, ())),
                tuple(Offer(**found) for found in offers.get(referral_id, ())),
                frozenset(
                    (found["reason"], found["offer_id"])
                    for found in escalations.get(referral_id, ())
                ),
            ),
        )


def release_of(row: Mapping[str, Any]) -> Release:
    """Return a release from its row."""
    lists = {"items": tuple(row["items"]), "report_back": tuple(row["report_back"])}
    return Release(**{**row, **lists})


def _referral(
    row: Mapping[str, Any],
    releases: tuple[Release, ...],
    offers: tuple[Offer, ...],
    escalations: frozenset[tuple[str, UUID | None]],
) -> Referral | None:
    if row["erased_at"] is not None:
        return None
    return Referral(
        **{name: row[name] for name in COLUMNS},
        facts=from_json(Facts, row["facts"]),
        barred=frozenset(row["barred"]),
        releases=releases,
        offers=offers,
        escalations=escalations,
    )


def _by_referral(rows: Iterable[dict[str, Any]]) -> Mapping[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row.pop("referral_id"), []).append(row)
    return found
