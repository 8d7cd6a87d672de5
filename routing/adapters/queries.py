"""What pages read, from PostgreSQL, already limited to what their reader may see."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from routing.adapters import showing, sql
from routing.adapters.directories import Directories
from routing.adapters.loading import load_referrals
from routing.adapters.records import from_json
from routing.application.views import (
    DecisionView,
    EscalationView,
    InboxItem,
    OfferDetail,
    QueueCount,
    QueueRow,
    ReferralPage,
    ServiceRow,
    TimelineEntry,
)
from routing.domain import decisions, offers
from routing.domain.model import Directory, Facts
from shared.contracts.codes import QUEUES
from shared.db import Tx
from shared.errors import NotFound
from shared.site import Site

ENDED_SHOWN: Final = 200
"""How many ended offers a partner's list shows: the newest."""


@dataclass(frozen=True, slots=True)
class PostgresQueries:
    """Implements routing.application.queries.Queries."""

    tx: Tx
    site: Site
    directories: Directories

    def inbox(self, partner_id: UUID, now: datetime, *, closed: bool = False) -> list[InboxItem]:
        """Return a partner's offers: open ones by their clock, or the last ended, newest first."""
        if closed:
            rows = self.tx.execute(_ENDED, (partner_id, now, ENDED_SHOWN)).fetchall()
            ended = [showing.inbox_item(row, now) for row in rows]
            return sorted(ended, key=lambda i: i.ended_at or i.answer_by, reverse=True)
        rows = self.tx.execute(_AT_HAND, (partner_id,)).fetchall()
        found = [showing.inbox_item(row, now) for row in rows]
        return sorted((i for i in found if showing.needs_hands(i)), key=showing.by_clock)

    def offer(self, reference: str, partner_id: UUID, now: datetime) -> OfferDetail:
        """Return one offer of that partner."""
        rows = self.tx.execute(_ONE_OFFER, (partner_id, reference)).fetchall()
        if not rows:
            raise NotFound("There is no such offer.")
        row = rows[0]
        offer, release = showing.offer_of(row), showing.release_of(row)
        facts = showing.released_facts(from_json(Facts, row["facts"]), release)
        return OfferDetail(
            item=showing.inbox_item(row, now),
            offer_id=offer.offer_id,
            referral_id=row["referral_id"],
            agency=row["agency"],
            service_name=self._service_name(offer.service_id, partner_id),
            facts=facts if offers.state_at(offer, now) in showing.OPEN else None,
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
        rows = self.tx.execute(_COUNTS, (self.site.code, list(QUEUES))).fetchall()
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
        }
        directory = self.directories.active(self.tx)
        statement = _FOUND_ROWS if reference.strip() else _QUEUE_ROWS if queue else _OPEN_ROWS
        rows = self.tx.execute(statement, values).fetchall()
        found = [showing.queue_row(row, directory, now) for row in rows]
        return sorted(found, key=lambda r: (not r.overdue, r.due or r.received_at))

    def referral(self, referral_id: UUID, now: datetime) -> ReferralPage:
        """Return one referral of this site with its decisions explained."""
        found = load_referrals(self.tx, sql.READ_REFERRALS, [referral_id])
        referral = next((referral for _, referral in found), None)
        if referral is None or referral.site != self.site.code:
            raise NotFound("There is no such referral.")
        directory = self.directories.active(self.tx)
        one = {"site": self.site.code, "only": referral_id, "limit": 1, "now": now}
        listed = self.tx.execute(_ONE_ROW, one).fetchone()
        assert listed is not None  # noqa: S101  (the row was read in this transaction)
        return ReferralPage(
            row=showing.queue_row(listed, directory, now),
            facts=replace(referral.facts, needs=showing.for_coordinators(referral.facts.needs)),
            releases=tuple(
                showing.release_view(r, referral, directory, now) for r in referral.releases
            ),
            offers=tuple(showing.offer_view(o, directory, now) for o in referral.offers),
            decisions=self._decisions(referral_id),
            escalations=self._escalations(referral_id),
            timeline=self._timeline(referral_id, directory),
            can=showing.coordinator_verbs(referral),
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
        decision = showing.decision_of(row)
        directory = self.directories.version(self.tx, decision.directory_version)
        released = {r.partner_id for r in decision.situation.released or ()}
        views = [
            showing.verdict_view(v, directory, released, chosen=v.partner_id == decision.chosen)
            for v in decisions.replay(decision, directory)
        ]
        return DecisionView(
            decision_id=decision.decision_id,
            decided_at=decision.decided_at,
            rule_set=decision.rule_set,
            directory_version=decision.directory_version,
            queue=decision.queue,
            verdicts=tuple(sorted(views, key=showing.chosen_first)),
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
                organization=showing.partner_name(row["organization_id"], directory),
                kind=row["kind"],
                offer_reference=row["offer_reference"],
                code=row["code"],
            )
            for row in rows
        )


_INBOX: Final = f"""
select {sql.OFFER_COLUMNS}, offer.referral_id, agency, facts, rank, expires_at, items, report_back,
  revoked_at
from offer join release using (release_id) join referral r on r.referral_id = offer.referral_id
where offer.partner_id = %s
"""  # noqa: S608  (column names of our own)
_AT_HAND: Final = f"""{_INBOX} and (offer.state in ('offered', 'accepted')
  or (offer.confirm_by is not null and offer.stop_confirmed_at is null))"""
_ENDED: Final = f"""{_INBOX} and (offer.state not in ('offered', 'accepted')
  or (offer.state = 'offered' and offer.answer_by < %s))
  and (offer.confirm_by is null or offer.stop_confirmed_at is not null)
order by offer.ended_at desc nulls first limit %s"""
_ONE_OFFER: Final = f"{_INBOX} and offer.reference = %s"
_COUNTS: Final = """
select queue, count(*) as count, min(received_at) as oldest from referral
where site = %s and erased_at is null and queue = any(%s) group by queue
"""


def _rows_of(candidates: str, wanted: str = "true") -> str:
    """Return the statement for the rows of the referrals that `candidates` names, late first.

    What a row takes is looked up for candidates only, however many referrals are stored.
    """
    return f"""
select * from (select r.referral_id, r.reference, r.queue, r.state, r.facts, r.received_at,
  o.partner_id, o.reference as offer_reference,
  case o.state when 'offered' then o.answer_by
    when 'accepted' then case when o.contacted_at is null then o.first_contact_by end
    else stop.confirm_by end as due,
  e.kind as last_event, e.at as last_event_at
from ({candidates}) as candidate join referral r using (referral_id)
left join offer o on o.referral_id = r.referral_id and o.state in ('offered', 'accepted')
left join lateral (
  select min(confirm_by) as confirm_by from offer s
  where s.referral_id = r.referral_id and s.stop_confirmed_at is null) stop on true
left join lateral (
  select kind, at from referral_event v where v.referral_id = r.referral_id
  order by event_id desc limit 1) e on true
where r.site = %(site)s and r.erased_at is null and {wanted}
) found
order by coalesce(due < %(now)s, false) desc, received_at limit %(limit)s
"""  # noqa: S608  (conditions of our own)


def _longest_waiting(wanted: str) -> str:
    """Return the candidates for a page: every late one, and as many as fit of the oldest."""
    return f"""
  select referral_id from offer where state = 'offered' and answer_by < %(now)s
  union
  select referral_id from offer
  where state = 'accepted' and contacted_at is null and first_contact_by < %(now)s
  union
  select referral_id from offer where stop_confirmed_at is null and confirm_by < %(now)s
  union (
    select referral_id from referral where site = %(site)s and erased_at is null and {wanted}
    order by received_at limit %(limit)s)
"""  # noqa: S608  (conditions of our own)


_NOT_FINISHED: Final = "queue not in ('closed', 'withdrawn')"
_IN_QUEUE: Final = "queue = %(queue)s"
_OPEN_ROWS: Final = _rows_of(_longest_waiting(_NOT_FINISHED), _NOT_FINISHED)
_QUEUE_ROWS: Final = _rows_of(_longest_waiting(_IN_QUEUE), _IN_QUEUE)
_ONE_ROW: Final = _rows_of("select %(only)s::uuid as referral_id")
_FOUND_ROWS: Final = _rows_of("""
  select referral_id from referral where position(%(reference)s in reference) > 0
  union select referral_id from offer where position(%(reference)s in reference) > 0""")
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
