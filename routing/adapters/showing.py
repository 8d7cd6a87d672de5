"""Rows of the database as views: each already limited to what its reader may see."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from routing.adapters.records import from_json
from routing.application.views import (
    InboxItem,
    OfferView,
    QueueRow,
    ReleaseView,
    VerdictView,
)
from routing.domain import offers
from routing.domain.decisions import Decision
from routing.domain.matching import Check, Situation, Verdict
from routing.domain.model import PROTECTED, Directory, Facts, Offer, Referral, Release

HEALTH: Final = "health"
"""How a protected need reads to anybody but the partner it was released to (R-20)."""

OPEN: Final = frozenset({"offered", "accepted"})
"""States in which a partner sees the released facts."""

_NOTHING: Final = Facts((), "", "", (), False, (), "", (), "")  # noqa: FBT003


def released_facts(facts: Facts, release: Release) -> Facts:
    """Return the facts that a release lets its partner see, the rest emptied (R-12, R-20)."""
    shown = facts if "facts" in release.items else replace(_NOTHING, needs=facts.needs)
    needs = facts.needs if "needs" in release.items else ()
    if PROTECTED not in release.items:
        needs = tuple(need for need in needs if need != PROTECTED)
    return replace(shown, needs=needs)


def for_coordinators(needs: tuple[str, ...]) -> tuple[str, ...]:
    """Return needs as a coordinator may read them: a protected one is "health" (R-20)."""
    return tuple(HEALTH if need == PROTECTED else need for need in needs)


def needs_hands(item: InboxItem) -> bool:
    """Whether an offer still waits for something from its partner."""
    return item.state in OPEN or item.must_stop


def by_clock(item: InboxItem) -> tuple[bool, datetime]:
    """Order a partner's offers: the clock that ends first comes first."""
    return item.due is None, item.due or item.offered_at


def inbox_item(row: Mapping[str, Any], now: datetime) -> InboxItem:
    """Return an offer as a row of its partner's inbox."""
    offer, release = offer_of(row), release_of(row)
    state = offers.state_at(offer, now)
    facts = from_json(Facts, row["facts"]) if state in OPEN else _NOTHING
    facts = released_facts(facts, release)
    due = offers.due(offer, release.report_back, now)
    return InboxItem(
        reference=offer.reference,
        state=state,
        status=offers.task_status(offer, now),
        needs=facts.needs,
        urgency=facts.urgency,
        county=facts.county,
        offered_at=offer.offered_at,
        answer_by=offer.answer_by,
        first_contact_by=offer.first_contact_by,
        contacted_at=offer.contacted_at,
        service_started_at=offer.service_started_at,
        ended_at=offer.ended_at,
        must_stop=offer.confirm_by is not None and offer.stop_confirmed_at is None,
        confirm_by=offer.confirm_by,
        due=due,
        overdue=due is not None and now > due,
    )


def offer_of(row: Mapping[str, Any]) -> Offer:
    """Return the offer in a row that joins offer and release."""
    return Offer(**{name: row[name] for name in Offer.__dataclass_fields__})


def release_of(row: Mapping[str, Any]) -> Release:
    """Return the release in a row that joins offer and release."""
    return Release(
        release_id=row["release_id"],
        partner_id=row["partner_id"],
        rank=row["rank"],
        expires_at=row["expires_at"],
        items=tuple(row["items"]),
        report_back=tuple(row["report_back"]),
        revoked_at=row["revoked_at"],
    )


def queue_row(row: Mapping[str, Any], directory: Directory, now: datetime) -> QueueRow:
    """Return a referral as a row of the coordinator's list."""
    facts = from_json(Facts, row["facts"])
    due = row["due"]
    return QueueRow(
        referral_id=row["referral_id"],
        reference=row["reference"],
        queue=row["queue"],
        state=row["state"],
        needs=for_coordinators(facts.needs),
        urgency=facts.urgency,
        received_at=row["received_at"],
        holder=partner_name(row["partner_id"], directory),
        offer_reference=row["offer_reference"] or "",
        due=due,
        overdue=due is not None and now > due,
        last_event=row["last_event"],
        last_event_at=row["last_event_at"],
    )


def release_view(
    release: Release, referral: Referral, directory: Directory, now: datetime
) -> ReleaseView:
    """Return a release as the coordinator sees it."""
    asked = {offer.partner_id for offer in referral.offers}
    live = release.live(now)
    free = release.partner_id not in referral.barred | asked
    return ReleaseView(
        partner_id=release.partner_id,
        partner_name=partner_name(release.partner_id, directory),
        rank=release.rank,
        expires_at=release.expires_at,
        live=live,
        can_offer=live and free and "offer-to" in coordinator_verbs(referral),
    )


def offer_view(offer: Offer, directory: Directory, now: datetime) -> OfferView:
    """Return an offer as the coordinator sees it; a protected service has no name (R-20)."""
    partner = directory.partners.get(offer.partner_id)
    services = [s for s in partner.services if PROTECTED not in s.needs] if partner else []
    return OfferView(
        offer_id=offer.offer_id,
        reference=offer.reference,
        partner_id=offer.partner_id,
        partner_name=partner.name if partner else "",
        service_name=next((s.name for s in services if s.service_id == offer.service_id), ""),
        state=offers.state_at(offer, now),
        offered_at=offer.offered_at,
        answer_by=offer.answer_by,
        first_contact_by=offer.first_contact_by,
        contacted_at=offer.contacted_at,
        reason=offer.reason,
        confirm_by=offer.confirm_by,
        stop_confirmed_at=offer.stop_confirmed_at,
    )


def verdict_view(
    verdict: Verdict, directory: Directory, released: set[UUID], *, chosen: bool
) -> VerdictView:
    """Return a verdict with the names of its partner and service."""
    partner = directory.partners.get(verdict.partner_id)
    services = partner.services if partner else ()
    checks = tuple(_check_for_coordinators(check) for check in verdict.checks)
    return VerdictView(
        partner_id=verdict.partner_id,
        partner_name=partner.name if partner else "",
        service_name=next((s.name for s in services if s.service_id == verdict.service_id), ""),
        released=verdict.partner_id in released,
        chosen=chosen,
        rank=verdict.rank,
        excluded_by=next((check for check in checks if not check.passed), None),
        checks=checks,
    )


def _check_for_coordinators(check: Check) -> Check:
    if check.rule != "need":
        return check
    shown = dict.fromkeys(for_coordinators(tuple(check.value.split(","))))
    return replace(check, value=",".join(shown))


def chosen_first(view: VerdictView) -> tuple[bool, bool, bool, int, str]:
    """Order a decision's partners: chosen, released, by rank, by name."""
    return not view.chosen, not view.released, view.rank is None, view.rank or 0, view.partner_name


def partner_name(partner_id: UUID | None, directory: Directory) -> str:
    """Return a partner's name, "" for one that the directory does not know."""
    partner = directory.partners.get(partner_id) if partner_id else None
    return partner.name if partner else ""


def decision_of(row: Mapping[str, Any]) -> Decision:
    """Return a stored decision."""
    return Decision(
        decision_id=row["decision_id"],
        decided_at=row["decided_at"],
        rule_set=row["rule_set"],
        directory_version=row["directory_version"],
        queue=row["queue"],
        chosen=row["chosen"],
        situation=from_json(Situation, row["situation"]),
        verdicts=tuple(from_json(Verdict, verdict) for verdict in row["verdicts"]),
    )


def coordinator_verbs(referral: Referral) -> frozenset[str]:
    """Return what a coordinator may do with a referral now."""
    if referral.state in {"closed", "withdrawn"}:
        return frozenset()
    can = {"cancel"}
    if referral.state != "accepted":
        can.add("offer-to")
    if {reason for reason, _ in referral.escalations} & {
        "first-contact-overdue",
        "contact-not-reported",
    }:
        can.add("clear-overdue")
    return frozenset(can)
