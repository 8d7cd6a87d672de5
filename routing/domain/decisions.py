"""A decision with all it was made from, so that it can be made again, exactly."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from routing.domain import matching
from routing.domain.matching import Situation, Verdict
from routing.domain.model import Directory, Facts, Place, Referral, Release

OVERRIDABLE: Final = frozenset({"age", "area", "language", "access", "urgency", "open-now"})
"""Rules that a coordinator may overrule with a reason; never one of safety, consent or place."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided. `verdicts` are those for the released partners, best first."""

    decision_id: UUID
    decided_at: datetime
    rule_set: str
    directory_version: int
    queue: str
    chosen: UUID | None
    situation: Situation
    verdicts: tuple[Verdict, ...]


def situation_of(
    referral: Referral, places: Mapping[UUID, Place], outdated: Collection[UUID]
) -> Situation:
    """Return what matching looks at for a referral."""
    asked = {offer.partner_id: offer.state for offer in referral.offers}
    return Situation(referral.facts, referral.barred, referral.releases, asked, places, outdated)


def outdated_releases(
    referral: Referral, today: Directory, version: Callable[[int], Directory]
) -> frozenset[UUID]:
    """Return the releases whose partner was tied to one more agency since they came (R-10).

    Only intake knows which agencies the person named, so every new tie counts: intake looks
    again when the person signs anew.
    """
    return frozenset(
        release.release_id
        for release in referral.releases
        if release.directory_version not in {None, today.version}
        and _ties(today, release) - _ties(version(release.directory_version), release)
    )


def _ties(directory: Directory, release: Release) -> set[str]:
    partner = directory.partners.get(release.partner_id)
    return {tie.agency for tie in partner.ties} if partner else set()


def replay(decision: Decision, directory: Directory) -> tuple[Verdict, ...]:
    """Return the verdicts of a stored decision for every partner of its directory version."""
    return matching.match(decision.situation, directory, decision.decided_at)


def queue_without_partner(verdicts: Iterable[Verdict], urgency: str) -> str:
    """Return who acts next when nobody fits.

    A lack of place is waited for. An emergency waits for neither a place nor an open door: it
    goes to a person at once, and is offered by itself when one comes first (R-44). Everything
    else needs a new release (R-46).
    """
    if not any(
        _failed(verdict) <= {"open-now", *matching.TEMPORARY_RULES} for verdict in verdicts
    ):
        return "needs-new-release"
    return "needs-person" if urgency == "emergency" else "waiting-for-place"


def overrulable(verdict: Verdict) -> bool:
    """Whether a coordinator may offer to this partner all the same."""
    return _failed(verdict) <= OVERRIDABLE


def candidate_services(referral: Referral, directory: Directory, now: datetime) -> frozenset[UUID]:
    """Return the services whose places can matter to a referral now."""
    asked: set[UUID] = {offer.partner_id for offer in referral.offers}
    partners = {
        release.partner_id
        for release in referral.releases
        if release.live(now) and release.partner_id not in referral.barred | asked
    }
    return frozenset(
        service.service_id
        for partner_id in partners & directory.partners.keys()
        for service in directory.partners[partner_id].services
    )


def unknown_codes(
    facts: Facts, codes: Mapping[str, frozenset[str]], counties: frozenset[str]
) -> tuple[str, ...]:
    """Return the groups in which the facts hold a code that this version does not know."""
    found = {
        "needs": facts.needs,
        "urgencies": (facts.urgency,),
        "age_bands": (facts.age_band,),
        "access_needs": facts.access_needs,
        "preferences": facts.preferences,
        "contact_routes": (facts.contact_route,),
    }
    groups = [group for group, used in found.items() if not codes[group].issuperset(used)]
    return (*groups, "counties") if facts.county not in counties else tuple(groups)


def queue_of(state: str, escalations: Iterable[tuple[str, UUID | None]]) -> str:
    """Return the coordinator's queue for a referral: something for a person comes first."""
    reasons = {reason for reason, _ in escalations}
    overdue = {"first-contact-overdue", "contact-not-reported"}
    if reasons - overdue:
        return "needs-person"
    return "overdue" if reasons else state


def _failed(verdict: Verdict) -> set[str]:
    return {check.rule for check in verdict.checks if not check.passed}
