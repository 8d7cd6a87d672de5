"""Who can take a referral, who comes first, and for everyone else the rule that says no.

A pure function of its arguments: a decision stored with its inputs can be computed again, for
any partner, exactly (R-40). Neither free text nor race is an input.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from routing.domain import clocks
from routing.domain.model import (
    PROTECTED,
    Directory,
    Facts,
    Partner,
    Place,
    Release,
    Service,
)

RULE_SET: Final = "2"
"""Raised whenever a rule or its order changes: a stored decision names the one it was made by."""

PARTNER_RULES: Final = (
    "partner",
    "recipient",
    "data-agreement",
    "barred",
    "released",
    "asked-before",
)
SERVICE_RULES: Final = (
    "status",
    "need",
    "age",
    "area",
    "language",
    "access",
    "urgency",
    "open-now",
    "paused",
    "place",
)
TEMPORARY_RULES: Final = frozenset({"paused", "place"})
"""What these exclude is tried again on a change; everything else is final for now."""

_URGENCY_ORDER: Final = ("routine", "urgent", "emergency")
_AGES: Final[Mapping[str, tuple[int, int]]] = {
    "0-12": (0, 12),
    "13-17": (13, 17),
    "18-24": (18, 24),
    "25-59": (25, 59),
    "60-plus": (60, 150),
}
_EVENING: Final = 18


@dataclass(frozen=True, slots=True)
class Check:
    """One rule on one partner, with the partner-side value that decided, in codes.

    `value` by rule (an empty one: nothing limits):
    partner: "unknown"; recipient: "yes", "no"; data-agreement: ISO date or "none"; barred: "";
    released: "yes", "no", "revoked", "expired", "tied" (to one more agency since); asked-before:
    the state its offer ended in; status: HSDS status; need, area, access: codes, comma separated;
    age: "12-17", "18-", "-24"; language: BCP 47 tags, then "+interpreter"; urgency: the highest it
    takes; open-now: "open", "closed" or "closed until 0 08:00" (weekday 0 is Monday); paused: the
    reason; place: "3/3".
    """

    rule: str
    passed: bool
    value: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say about one partner. `rank` from 1 among those that fit."""

    partner_id: UUID
    service_id: UUID | None
    checks: tuple[Check, ...]
    rank: int | None = None
    services: tuple[UUID, ...] = ()
    """Every service of the partner that fits, the best (`service_id`) first."""

    @property
    def fits(self) -> bool:
        """Whether every rule passed."""
        return all(check.passed for check in self.checks)

    @property
    def excluded_by(self) -> Check | None:
        """The first rule that failed."""
        return next((check for check in self.checks if not check.passed), None)


@dataclass(frozen=True, slots=True)
class Situation:
    """What matching looks at besides the directory.

    `released` None is a preview: nobody is asked yet, so every partner counts as released.
    `asked` maps a partner that had an offer of this referral to the state it ended in.
    `outdated` are releases whose partner was tied to one more agency since (R-10).
    """

    facts: Facts
    barred: Collection[UUID]
    released: Collection[Release] | None
    asked: Mapping[UUID, str]
    places: Mapping[UUID, Place]
    outdated: Collection[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A service under the rules, with what ranks it."""

    service: Service
    checks: tuple[Check, ...]
    order: tuple[Any, ...]

    @property
    def fits(self) -> bool:
        """Whether every rule of the service passed."""
        return all(check.passed for check in self.checks)


def match(situation: Situation, directory: Directory, now: datetime) -> tuple[Verdict, ...]:
    """Return a verdict for every partner: those that fit in order, then the others by id.

    Hard rules first (DOMAIN section 3). Then: for an urgent or emergency referral a service
    that is open now comes before one that is closed (R-44); then the person's own order; then
    needs covered, the language spoken without an interpreter, preferences met, open now; the
    partner id breaks ties, so that a replay never decides differently.
    """
    unknown = {r.partner_id for r in situation.released or ()} - directory.partners.keys()
    judged = [judge(partner, situation, now) for partner in directory.partners.values()]
    judged += [(_unknown(partner_id), ()) for partner_id in unknown]
    fitting = sorted((pair for pair in judged if pair[0].fits), key=lambda pair: pair[1])
    others = sorted((pair[0] for pair in judged if not pair[0].fits), key=_by_id)
    ranked = [replace(verdict, rank=rank) for rank, (verdict, _) in enumerate(fitting, 1)]
    return (*ranked, *others)


def judge(
    partner: Partner, situation: Situation, now: datetime
) -> tuple[Verdict, tuple[Any, ...]]:
    """Return one partner's verdict by its best service, and the key that ranks it."""
    release = _live_release(partner.partner_id, situation, now)
    own = tuple(_partner_checks(partner, situation, now))
    needs = matched_needs(situation.facts, release)
    candidates = [
        _candidate(service, partner, needs, situation, now) for service in partner.services
    ]
    person_order = release.rank if release else 0
    if not candidates:
        none = Check("need", passed=False, value="")
        return Verdict(partner.partner_id, None, (*own, none)), ()
    best = min(candidates, key=_furthest)
    closed, *rest, _service_id = best.order
    fitting = sorted((c for c in candidates if c.fits), key=lambda c: c.order)
    verdict = Verdict(
        partner.partner_id,
        best.service.service_id,
        own + best.checks,
        services=tuple(c.service.service_id for c in fitting),
    )
    return verdict, (closed, person_order, *rest, str(partner.partner_id))


def matched_needs(facts: Facts, release: Release | None) -> frozenset[str]:
    """Return the needs that may be matched: a protected one only with its own item (R-20).

    Restorative dialogue with police is opt-in: it counts only where the person asked for it,
    and nothing else stands for it or leads to it (R-39).
    """
    needs = frozenset(facts.needs)
    if release is not None and PROTECTED not in release.items:
        needs -= {PROTECTED}
    return needs


def _partner_checks(partner: Partner, situation: Situation, now: datetime) -> Iterable[Check]:
    until = partner.data_agreement_until
    asked = situation.asked.get(partner.partner_id, "")
    yield Check("partner", passed=True, value="")
    yield Check("recipient", passed=partner.recipient, value="yes" if partner.recipient else "no")
    yield Check(
        "data-agreement",
        passed=until is not None and now.date() <= until,
        value=until.isoformat() if until else "none",
    )
    yield Check("barred", passed=partner.partner_id not in situation.barred, value="")
    yield _released(partner.partner_id, situation, now)
    yield Check("asked-before", passed=not asked, value=asked)


def _released(partner_id: UUID, situation: Situation, now: datetime) -> Check:
    if situation.released is None:
        return Check("released", passed=True, value="")
    found = [r for r in situation.released if r.partner_id == partner_id]
    live = [release for release in found if release.live(now)]
    if live:
        good = any(release.release_id not in situation.outdated for release in live)
        return Check("released", passed=good, value="yes" if good else "tied")
    if not found:
        return Check("released", passed=False, value="no")
    revoked = all(release.revoked_at is not None for release in found)
    return Check("released", passed=False, value="revoked" if revoked else "expired")


def _live_release(partner_id: UUID, situation: Situation, now: datetime) -> Release | None:
    live = [
        release
        for release in situation.released or ()
        if release.partner_id == partner_id
        and release.live(now)
        and release.release_id not in situation.outdated
    ]
    return min(live, key=lambda r: (r.rank, str(r.release_id))) if live else None


def _candidate(
    service: Service, partner: Partner, needs: frozenset[str], situation: Situation, now: datetime
) -> Candidate:
    facts = situation.facts
    open_now = service.always_open or clocks.is_open(service.openings, service.zone, now)
    place = situation.places.get(service.service_id)
    checks = (
        Check("status", passed=service.status == "active", value=service.status),
        Check("need", passed=bool(needs & set(service.needs)), value=_joined(service.needs)),
        _age(service, facts),
        _area(service, facts),
        _language(service, facts),
        _access(service, facts),
        _urgency(service, facts),
        _open_now(service, facts, open_now=open_now, now=now),
        _paused(service, place),
        _place(service, place),
    )
    waits = facts.urgency in {"urgent", "emergency"} and not open_now
    order = (
        waits,
        -len(needs & set(service.needs)),
        not _speaks(service, facts),
        -_preferences_met(service, partner, facts),
        not open_now,
        str(service.service_id),
    )
    return Candidate(service, checks, order)


def _furthest(candidate: Candidate) -> tuple[Any, ...]:
    """Order a partner's services: the one that fits, else the one stopped by the latest rule."""
    failed = [index for index, check in enumerate(candidate.checks) if not check.passed]
    return (-failed[0] if failed else -len(candidate.checks), *candidate.order)


def _age(service: Service, facts: Facts) -> Check:
    low, high = _AGES.get(facts.age_band, (-1, -1))
    minimum, maximum = service.minimum_age, service.maximum_age
    fits = (minimum is None or high >= minimum) and (maximum is None or low <= maximum)
    limits = "" if minimum is None and maximum is None else _range(minimum, maximum)
    return Check("age", passed=fits, value=limits)


def _range(minimum: int | None, maximum: int | None) -> str:
    return f"{'' if minimum is None else minimum}-{'' if maximum is None else maximum}"


def _area(service: Service, facts: Facts) -> Check:
    fits = not service.counties or facts.county in service.counties
    return Check("area", passed=fits, value=_joined(service.counties))


def _language(service: Service, facts: Facts) -> Check:
    interpreted = facts.interpreter and service.interpretation
    value = _joined(service.languages) + ("+interpreter" if service.interpretation else "")
    return Check("language", passed=_speaks(service, facts) or interpreted, value=value)


def _speaks(service: Service, facts: Facts) -> bool:
    spoken = {_primary(tag) for tag in service.languages}
    return any(_primary(tag) in spoken for tag in facts.languages)


def _primary(tag: str) -> str:
    return tag.split("-", 1)[0].lower()


def _access(service: Service, facts: Facts) -> Check:
    fits = set(facts.access_needs) <= set(service.access_needs)
    return Check("access", passed=fits, value=_joined(service.access_needs))


def _urgency(service: Service, facts: Facts) -> Check:
    limit = _URGENCY_ORDER.index(service.urgency_max)
    wanted = _URGENCY_ORDER.index(facts.urgency) if facts.urgency in _URGENCY_ORDER else 99
    return Check("urgency", passed=wanted <= limit, value=service.urgency_max)


def _open_now(service: Service, facts: Facts, *, open_now: bool, now: datetime) -> Check:
    if open_now:
        return Check("open-now", passed=True, value="open")
    opening = clocks.next_opening(service.openings, service.zone, now)
    until = f"closed until {opening[0]} {opening[1]:%H:%M}" if opening else "closed"
    return Check("open-now", passed=facts.urgency != "emergency", value=until)


def _paused(service: Service, place: Place | None) -> Check:
    reason = service.paused or (place.paused if place else "")
    return Check("paused", passed=not reason, value=reason)


def _place(service: Service, place: Place | None) -> Check:
    if place is None:
        full = service.capacity == 0
        return Check("place", passed=not full, value="0/0" if full else "")
    limit = "" if place.capacity is None else f"{place.held}/{place.capacity}"
    return Check("place", passed=not place.full, value=limit)


def _preferences_met(service: Service, partner: Partner, facts: Facts) -> int:
    evening = service.always_open or any(
        opening.closes.hour >= _EVENING or opening.closes.hour == 0 for opening in service.openings
    )
    met = {
        "remote": service.remote,
        "in-person": service.in_person,
        "evening-hours": evening,
        "community-based": partner.advocate_type in {"community", "peer"},
    }
    return sum(met.get(preference, False) for preference in facts.preferences)


def _unknown(partner_id: UUID) -> Verdict:
    return Verdict(partner_id, None, (Check("partner", passed=False, value="unknown"),))


def _by_id(verdict: Verdict) -> str:
    return str(verdict.partner_id)


def _joined(codes: Iterable[str]) -> str:
    return ",".join(codes)
