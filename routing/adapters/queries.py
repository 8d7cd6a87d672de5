"""What pages read, from PostgreSQL, already limited to what their reader may see."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from routing.adapters import sql
from routing.adapters.directories import Directories
from routing.adapters.records import from_json
from routing.adapters.store import load_referral
from routing.application.views import (
    DecisionView,
    EscalationView,
    InboxItem,
    OfferDetail,
    OfferView,
    QueueCount,
    QueueRow,
    ReferralPage,
    ReleaseView,
    ServiceRow,
    TimelineEntry,
    VerdictView,
)
from routing.domain import decisions, offers
from routing.domain.decisions import Decision
from routing.domain.matching import Check, Situation, Verdict
from routing.domain.model import PROTECTED, Directory, Facts, Offer, Referral, Release
from shared.contracts.codes import QUEUES
from shared.db import Tx
from shared.errors import NotFound
from shared.site import Site

HEALTH: Final = "health"
"""How a protected need reads to anybody but the partner it was released to (R-20)."""

_NOTHING: Final = Facts((), "", "", (), False, (), "", (), "")  # noqa: FBT003
_OPEN: Final = frozenset({"offered", "accepted"})


@dataclass(frozen=True, slots=True)
class PostgresQueries:
    """Implements routing.application.queries.Queries."""

    tx: Tx
    site: Site
    directories: Directories

    def inbox(self, partner_id: UUID, now: datetime, *, closed: bool = False) -> list[InboxItem]:
        """Return a partner's offers: open ones by their clock, or the ended ones, newest first."""
        rows = self.tx.execute(_INBOX, (partner_id,)).fetchall()
        found = [_inbox_item(row, now) for row in rows]
        ended = [item for item in found if not _needs_hands(item)]
        if closed:
            return sorted(ended, key=lambda i: i.ended_at or i.answer_by, reverse=True)
        return sorted((i for i in found if _needs_hands(i)), key=_by_clock)

    def offer(self, reference: str, partner_id: UUID, now: datetime) -> OfferDetail:
        """Return one offer of that partner."""
        rows = self.tx.execute(_ONE_OFFER, (partner_id, reference)).fetchall()
        if not rows:
            raise NotFound("There is no such offer.")
        row = rows[0]
        offer, release = _offer_of(row), _release_of(row)
        shown = from_json(Facts, row["facts"]) if offers.state_at(offer, now) in _OPEN else None
        return OfferDetail(
            item=_inbox_item(row, now),
            offer_id=offer.offer_id,
            referral_id=row["referral_id"],
            agency=row["agency"],
            service_name=self._service_name(offer.service_id, partner_id),
            facts=released_facts(shown, release) if shown else None,
            items=release.items,
            report_back=release.report_back,
            release_expires_at=release.expires_at,
            contact_kind=offer.contact_kind,
            reason=offer.reason,
            outcome=offer.outcome,
            can=offers.verbs(offer, release.report_back, now),
        )

    def queue_counts(self, now: datetime) -> list[QueueCount]:  # noqa: ARG002  (the port's)
        """Return every queue of QUEUES in order, empty ones too."""
        rows = self.tx.execute(_COUNTS, (self.site.code,)).fetchall()
        found = {row["queue"]: row for row in rows}
        return [
            QueueCount(q, found[q]["count"], found[q]["oldest"])
            if q in found
            else QueueCount(q, 0, None)
            for q in QUEUES
        ]

    def queue_rows(
        self, now: datetime, *, queue: str | None = None, reference: str = "", limit: int = 200
    ) -> list[QueueRow]:
        """Return the referrals of one queue, or all that are not finished, overdue first.

        A reference finds finished ones too.
        """
        values = {
            "site": self.site.code,
            "queue": queue,
            "reference": reference.strip().upper(),
            "limit": limit,
            "now": now,
            "only": None,
        }
        directory = self.directories.active(self.tx)
        rows = self.tx.execute(_QUEUE_ROWS, values).fetchall()
        found = [_queue_row(row, directory, now) for row in rows]
        return sorted(found, key=lambda r: (not r.overdue, r.due or r.received_at))

    def referral(self, referral_id: UUID, now: datetime) -> ReferralPage:
        """Return one referral of this site with its decisions explained."""
        row = self.tx.execute(
            sql.READ_REFERRAL, {"id": referral_id, "site": self.site.code, "agency": None}
        ).fetchone()
        if row is None:
            raise NotFound("There is no such referral.")
        directory = self.directories.active(self.tx)
        referral = load_referral(self.tx, row)
        one = {"site": self.site.code, "queue": None, "reference": "", "limit": 1, "now": now}
        listed = self.tx.execute(_QUEUE_ROWS, {**one, "only": referral_id}).fetchone()
        assert listed is not None  # noqa: S101  (the row was read in this transaction)
        return ReferralPage(
            row=_queue_row(listed, directory, now),
            facts=replace(referral.facts, needs=_for_coordinators(referral.facts.needs)),
            releases=tuple(_release_view(r, referral, directory, now) for r in referral.releases),
            offers=tuple(_offer_view(o, directory, now) for o in referral.offers),
            decisions=self._decisions(referral_id),
            escalations=self._escalations(referral_id),
            timeline=self._timeline(referral_id, directory),
            can=_coordinator_verbs(referral),
        )

    def services(self) -> list[ServiceRow]:
        """Return every service of the active directory with its places."""
        places = {row["service_id"]: row for row in self.tx.execute(sql.PLACES)}
        directory = self.directories.active(self.tx)
        return [
            ServiceRow(
                service_id=service.service_id,
                service_name=service.name,
                partner_id=partner.partner_id,
                partner_name=partner.name,
                needs=service.needs,
                capacity=places[service.service_id]["capacity"],
                held=places[service.service_id]["held"],
                paused=service.paused or places[service.service_id]["paused"],
                paused_by_directory=bool(service.paused),
            )
            for partner in sorted(directory.partners.values(), key=lambda p: p.name)
            for service in partner.services
            if service.needs
        ]

    def _service_name(self, service_id: UUID, partner_id: UUID) -> str:
        partner = self.directories.active(self.tx).partners.get(partner_id)
        found = (s.name for s in partner.services if s.service_id == service_id) if partner else ()
        return next(iter(found), "")

    def _decisions(self, referral_id: UUID) -> tuple[DecisionView, ...]:
        rows = self.tx.execute(_DECISIONS, (referral_id,)).fetchall()
        return tuple(self._decision(row) for row in rows)

    def _decision(self, row: Mapping[str, Any]) -> DecisionView:
        decision = _decision_of(row)
        directory = self.directories.version(self.tx, decision.directory_version)
        released = {r.partner_id for r in decision.situation.released or ()}
        views = [
            _verdict_view(v, directory, released, chosen=v.partner_id == decision.chosen)
            for v in decisions.replay(decision, directory)
        ]
        return DecisionView(
            decision_id=decision.decision_id,
            decided_at=decision.decided_at,
            rule_set=decision.rule_set,
            directory_version=decision.directory_version,
            queue=decision.queue,
            verdicts=tuple(sorted(views, key=_chosen_first)),
        )

    def _escalations(self, referral_id: UUID) -> tuple[EscalationView, ...]:
        rows = self.tx.execute(_ESCALATIONS, (referral_id,))
        return tuple(EscalationView(**row) for row in rows)

    def _timeline(self, referral_id: UUID, directory: Directory) -> tuple[TimelineEntry, ...]:
        rows = self.tx.execute(_TIMELINE, (referral_id,))
        return tuple(
            TimelineEntry(
                at=row["at"],
                who=row["who"],
                organization=_partner_name(row["organization_id"], directory),
                kind=row["kind"],
                offer_reference=row["offer_reference"],
                code=row["code"],
            )
            for row in rows
        )


def released_facts(facts: Facts, release: Release) -> Facts:
    """Return the facts that a release lets its partner see, the rest emptied (R-12, R-20)."""
    shown = facts if "facts" in release.items else replace(_NOTHING, needs=facts.needs)
    needs = facts.needs if "needs" in release.items else ()
    if PROTECTED not in release.items:
        needs = tuple(need for need in needs if need != PROTECTED)
    return replace(shown, needs=needs)


def _for_coordinators(needs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(HEALTH if need == PROTECTED else need for need in needs)


def _needs_hands(item: InboxItem) -> bool:
    return item.state in _OPEN or item.must_stop


def _by_clock(item: InboxItem) -> tuple[bool, datetime]:
    return item.due is None, item.due or item.offered_at


def _inbox_item(row: Mapping[str, Any], now: datetime) -> InboxItem:
    offer, release = _offer_of(row), _release_of(row)
    state = offers.state_at(offer, now)
    facts = from_json(Facts, row["facts"]) if state in _OPEN else _NOTHING
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


def _offer_of(row: Mapping[str, Any]) -> Offer:
    return Offer(**{name: row[name] for name in Offer.__dataclass_fields__})


def _release_of(row: Mapping[str, Any]) -> Release:
    return Release(
        release_id=row["release_id"],
        partner_id=row["partner_id"],
        rank=row["rank"],
        expires_at=row["expires_at"],
        items=tuple(row["items"]),
        report_back=tuple(row["report_back"]),
        revoked_at=row["revoked_at"],
    )


def _queue_row(row: Mapping[str, Any], directory: Directory, now: datetime) -> QueueRow:
    facts = from_json(Facts, row["facts"])
    due = row["due"]
    return QueueRow(
        referral_id=row["referral_id"],
        reference=row["reference"],
        queue=row["queue"],
        state=row["state"],
        needs=_for_coordinators(facts.needs),
        urgency=facts.urgency,
        received_at=row["received_at"],
        holder=_partner_name(row["partner_id"], directory),
        offer_reference=row["offer_reference"] or "",
        due=due,
        overdue=due is not None and now > due,
        last_event=row["last_event"],
        last_event_at=row["last_event_at"],
    )


def _release_view(
    release: Release, referral: Referral, directory: Directory, now: datetime
) -> ReleaseView:
    asked = {offer.partner_id for offer in referral.offers}
    live = release.live(now)
    free = release.partner_id not in referral.barred | asked
    return ReleaseView(
        partner_id=release.partner_id,
        partner_name=_partner_name(release.partner_id, directory),
        rank=release.rank,
        expires_at=release.expires_at,
        live=live,
        can_offer=live and free and "offer-to" in _coordinator_verbs(referral),
    )


def _offer_view(offer: Offer, directory: Directory, now: datetime) -> OfferView:
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


def _verdict_view(
    verdict: Verdict, directory: Directory, released: set[UUID], *, chosen: bool
) -> VerdictView:
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
    shown = dict.fromkeys(_for_coordinators(tuple(check.value.split(","))))
    return replace(check, value=",".join(shown))


def _chosen_first(view: VerdictView) -> tuple[bool, bool, bool, int, str]:
    return not view.chosen, not view.released, view.rank is None, view.rank or 0, view.partner_name


def _partner_name(partner_id: UUID | None, directory: Directory) -> str:
    partner = directory.partners.get(partner_id) if partner_id else None
    return partner.name if partner else ""


def _decision_of(row: Mapping[str, Any]) -> Decision:
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


def _coordinator_verbs(referral: Referral) -> frozenset[str]:
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


_INBOX: Final = f"""
select {sql.OFFER_COLUMNS}, offer.referral_id, agency, facts, rank, expires_at, items, report_back,
  revoked_at
from offer join release using (release_id) join referral r on r.referral_id = offer.referral_id
where offer.partner_id = %s
"""  # noqa: S608  (column names of our own)
_ONE_OFFER: Final = f"{_INBOX} and offer.reference = %s"
_COUNTS: Final = """
select queue, count(*) as count, min(received_at) as oldest from referral
where site = %s and erased_at is null group by queue
"""
_QUEUE_ROWS: Final = """
select * from (select r.referral_id, r.reference, r.queue, r.state, r.facts, r.received_at,
  o.partner_id, o.reference as offer_reference,
  case o.state when 'offered' then o.answer_by
    when 'accepted' then case when o.contacted_at is null and not exists (
      select from escalation c where c.offer_id = o.offer_id and c.cleared_at is not null
        and c.reason in ('first-contact-overdue', 'contact-not-reported'))
      then o.first_contact_by end
    else stop.confirm_by end as due,
  e.kind as last_event, e.at as last_event_at
from referral r
left join offer o on o.referral_id = r.referral_id and o.state in ('offered', 'accepted')
left join lateral (
  select min(confirm_by) as confirm_by from offer s
  where s.referral_id = r.referral_id and s.stop_confirmed_at is null) stop on true
left join lateral (
  select kind, at from referral_event v where v.referral_id = r.referral_id
  order by event_id desc limit 1) e on true
where r.site = %(site)s and r.erased_at is null
  and (%(only)s::uuid is null or r.referral_id = %(only)s)
  and (%(only)s::uuid is not null or %(reference)s <> ''
    or case when %(queue)s::text is null then r.queue not in ('closed', 'withdrawn')
       else r.queue = %(queue)s end)
  and (%(reference)s = '' or position(%(reference)s in r.reference) > 0
    or exists (select from offer f where f.referral_id = r.referral_id
      and position(%(reference)s in f.reference) > 0))
) found
order by coalesce(due < %(now)s, false) desc, received_at limit %(limit)s
"""
_DECISIONS: Final = """
select decision_id, decided_at, rule_set, directory_version, queue, chosen, situation, verdicts
from decision where referral_id = %s order by decided_at desc, decision_id
"""
_ESCALATIONS: Final = """
select e.reason, coalesce(o.reference, '') as offer_reference, e.raised_at
from escalation e left join offer o using (offer_id)
where e.referral_id = %s and e.cleared_at is null order by e.raised_at
"""
_TIMELINE: Final = """
select at, who, kind, organization_id, offer_reference, code
from referral_event where referral_id = %s order by event_id
"""
