"""Routing's store on PostgreSQL. One object a transaction; the caller commits."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from routing.adapters import sql
from routing.adapters.ahead import About, Ahead
from routing.adapters.directories import Directories
from routing.adapters.keeping import Kept, decision_row, offer_row, referral_row, release_row
from routing.adapters.loading import Loaded, load_referrals
from routing.adapters.publishing import (
    EVENT_TYPES,
    PARTNER_PUBLISHED,
    PARTNER_WITHDRAWN,
    public_record,
)
from routing.adapters.records import columns, to_json
from routing.adapters.references import free_references
from routing.application.ports import Note
from routing.domain.decisions import Decision
from routing.domain.happenings import Happening
from routing.domain.model import Directory, Offer, Partner, Place, Referral, Release
from shared import log
from shared.db import Tx, together
from shared.db.outbox import INSERT, Outbox
from shared.db.pending import Pending
from shared.errors import Conflict, NotFound, TransientError


@dataclass(slots=True)
class _Seen:
    """A locked referral as it stands, the number of its last event, and what it began with."""

    referral: Referral
    queue: str
    sequence: int
    correlation_id: str
    is_new: bool = False
    moved: bool = False


@dataclass(slots=True)
class PostgresStore:
    """Implements routing.application.ports.Store; `flush` before the commit.

    It keeps what it has read and locked as it stands, and what needs no answer until `flush`, so
    that the referrals of a batch cost a handful of round trips together.
    """

    tx: Tx
    outbox: Outbox
    directories: Directories
    site: str
    now: datetime
    agency: str | None = None
    """Only this agency's referrals exist for the unit of work; None: every agency's."""
    _seen: dict[UUID, _Seen] = field(default_factory=dict)
    _asked_for: set[UUID] = field(default_factory=set)
    _gone: set[UUID] = field(default_factory=set)
    _early: dict[UUID, list[tuple[str, UUID | None]]] = field(default_factory=dict)
    _places: dict[UUID, Place] = field(default_factory=dict)
    _version: int | None = None
    _directory: Directory | None = None
    _references: list[str] = field(default_factory=list)
    _kept: Kept = field(default_factory=Kept)

    def flush(self) -> None:
        """Send the writes that wait, table by table; the last thing before the commit."""
        self._keep_referrals()
        writes, kept, self._kept = Pending(self.tx), self._kept, Kept()
        for statement, values in kept.statements():
            writes.add(statement, values)
        writes.send()

    def _keep_referrals(self) -> None:
        for seen in self._seen.values():
            where = {"queue": seen.queue, "event_sequence": seen.sequence}
            if seen.is_new:
                row = {**referral_row(seen.referral), "correlation_id": seen.correlation_id}
                self._kept.referrals.append({**row, **where})
            elif seen.moved:
                names = ("referral_id", "state", "place_by")
                stands = {name: getattr(seen.referral, name) for name in names}
                self._kept.moves.append({**stands, **where})
            seen.is_new = seen.moved = False

    # Referrals and releases

    def start_with(self, ahead: Ahead, about: About) -> None:
        """Keep what was read and locked ahead, instead of asking for it."""
        self._asked_for |= set(about.referrals)
        self._keep(ahead.referrals, ahead.early)
        self._version = ahead.version
        self._places |= _places(ahead.places)
        self._references = ahead.references

    def add_referral(self, referral: Referral) -> bool:
        """Store a new referral with its releases; False if it is there already."""
        referral_id = referral.referral_id
        self._look_for(referral_id)
        if referral_id in self._seen or referral_id in self._gone:
            return False
        began = log.correlation()
        referral = replace(referral, releases=tuple(map(self._dated, referral.releases)))
        self._seen[referral_id] = _Seen(referral, referral.state, 0, began, is_new=True)
        self._kept.releases += [release_row(referral_id, one) for one in referral.releases]
        return True

    def lock(self, referral_id: UUID) -> Referral:
        """Lock a referral and return it whole, as it stands."""
        self._look_for(referral_id)
        seen = self._seen.get(referral_id)
        if seen is None or self.agency not in {None, seen.referral.agency}:
            raise NotFound("There is no such referral.")
        return seen.referral

    def lock_by_offer(self, reference: str, partner_id: UUID) -> Referral:
        """Lock the referral that an offer of that partner belongs to."""
        row = self._ask(
            "select referral_id from offer where reference = %s and partner_id = %s",
            (reference, partner_id),
        ).fetchone()
        if row is None:
            raise NotFound("There is no such offer.")
        return self.lock(row["referral_id"])

    def set_state(self, referral: Referral, queue: str) -> None:
        """Store where a referral stands, and how long it may wait there."""
        where = {"state": referral.state, "place_by": referral.place_by}
        seen = self._changed(referral.referral_id, **where)
        seen.queue = queue
        seen.moved = True

    def add_release(self, referral_id: UUID, release: Release) -> None:
        """Store one more release; one that is known already stays as it is."""
        release = self._dated(release)
        known = self._seen[referral_id].referral.releases
        self._changed(referral_id, releases=(*known, release))
        self._kept.releases.append(release_row(referral_id, release))

    def _dated(self, release: Release) -> Release:
        return replace(release, directory_version=self.directory().version)

    def revoke_release(self, referral_id: UUID, release_id: UUID, at: datetime) -> None:
        """Mark a release as revoked."""
        releases = tuple(
            replace(release, revoked_at=at) if release.release_id == release_id else release
            for release in self._seen[referral_id].referral.releases
        )
        self._changed(referral_id, releases=releases)
        self._write(
            "update release set revoked_at = %s where release_id = %s and revoked_at is null",
            (at, release_id),
        )

    def remember_early(self, referral_id: UUID, kind: str, release_id: UUID | None) -> None:
        """Keep a revocation or withdrawal that came before what it is about."""
        self._early.setdefault(referral_id, []).append((kind, release_id))
        self._write(
            "insert into early_fact (referral_id, kind, release_id) values (%s, %s, %s)"
            " on conflict do nothing",
            (referral_id, kind, release_id),
        )

    def early(self, referral_id: UUID) -> Sequence[tuple[str, UUID | None]]:
        """Return what came early for a referral."""
        self._look_for(referral_id)
        return self._early.get(referral_id, [])

    def erase(self, referral_id: UUID) -> None:
        """Remove everything but the number line of its events."""
        self.flush()
        for statement in sql.ERASE:
            self._write(statement, (referral_id,))
        del self._seen[referral_id]
        self._gone.add(referral_id)

    # Directory and places

    def directory(self, version: int | None = None) -> Directory:
        """Return a version of the directory, the active one by default."""
        if version is not None:
            return self.directories.version(self.tx, version)
        if self._directory is None:
            active = self._version or self._active_version()
            self._directory = self.directories.version(self.tx, active)
        return self._directory

    def _active_version(self) -> int:
        row = self.tx.execute(sql.ACTIVE_VERSION, (self.site,)).fetchone()
        if row is None or row["version"] is None:
            raise TransientError("The site's directory has not been imported yet.")
        version: int = row["version"]
        return version

    def add_directory(self, partners: Sequence[Partner]) -> int:
        """Store a new active version and set the capacities it names."""
        services = sorted(
            ((s.service_id, p.partner_id, s.capacity) for p in partners for s in p.services),
            key=lambda row: str(row[0]),
        )
        for row in services:
            self._write(sql.SET_CAPACITY, row)
        self._version = self._directory = None
        self._places.clear()
        self.flush()
        return self.directories.add(self.tx, list(partners))

    def lock_places(self, service_ids: Collection[UUID]) -> Mapping[UUID, Place]:
        """Lock the places of services in the order of their ids, and return them."""
        new = [service_id for service_id in service_ids if service_id not in self._places]
        if new:
            self._places |= _places(self.tx.execute(sql.LOCK_PLACES, (new,)).fetchall())
        return {one: self._places[one] for one in service_ids if one in self._places}

    def places(self) -> Mapping[UUID, Place]:
        """Return the places of every service, unlocked."""
        return _places(self._ask(sql.PLACES).fetchall())

    def take_place(self, offer: Offer) -> None:
        """Hold a place, of a service that is locked now."""
        place = self.lock_places([offer.service_id]).get(offer.service_id)
        if place is None or place.full:
            raise Conflict("There is no free place.", state="full")
        self._places[offer.service_id] = replace(place, held=place.held + 1)
        self._kept.taken.setdefault(offer.service_id, []).append(offer.offer_id)

    def free_place(self, offer: Offer) -> None:
        """Give back what an offer holds, once."""
        if offer.offer_id in self._kept.taken.get(offer.service_id, ()):
            self.flush()
        place = self._places.get(offer.service_id)
        if place is not None:
            self._places[offer.service_id] = replace(place, held=place.held - 1)
        self._kept.freed.append(offer.offer_id)

    def pause(self, service_id: UUID, reason: str, by: UUID) -> bool:
        """Pause a service; False if it is paused already."""
        self._require_service(service_id)
        return bool(self._ask(sql.PAUSE, (service_id, reason, by)).fetchone())

    def resume(self, service_id: UUID, by: UUID) -> bool:
        """End a pause; False if there is none."""
        self._require_service(service_id)
        return bool(self._ask(sql.RESUME, (by, service_id)).fetchone())

    # Offers, decisions, escalations

    def put_offer(self, referral_id: UUID, offer: Offer) -> None:
        """Store a new offer or an offer's new state."""
        known = self._seen[referral_id].referral.offers
        kept = tuple(offer if one.offer_id == offer.offer_id else one for one in known)
        is_known = any(one.offer_id == offer.offer_id for one in known)
        seen = self._changed(referral_id, offers=kept if is_known else (*known, offer))
        self._kept.offers[offer.offer_id] = offer_row(seen.referral, offer)

    def new_reference(self) -> str:
        """Return a reference for an offer that no offer has."""
        if not self._references:
            self._references = free_references(self.tx, max(1, len(self._asked_for)))
        return self._references.pop()

    def add_decision(self, referral_id: UUID, decision: Decision) -> None:
        """Store a decision with what it was made from."""
        self._kept.decisions.append(decision_row(referral_id, decision))

    def raise_escalation(self, referral_id: UUID, reason: str, offer_id: UUID | None) -> bool:
        """Note that a person has to look; False if that is open now."""
        raised = self._ask(
            "insert into escalation (referral_id, reason, offer_id) values (%s, %s, %s)"
            " on conflict do nothing returning escalation_id",
            (referral_id, reason, offer_id),
        ).fetchone()
        if raised:
            known = self._seen[referral_id].referral.escalations
            self._changed(referral_id, escalations=known | {(reason, offer_id)})
        return raised is not None

    def clear_escalations(
        self, referral_id: UUID, reasons: Collection[str], offer_id: UUID | None, code: str
    ) -> None:
        """Close open escalations of an offer with a coded reason."""
        known = self._seen[referral_id].referral.escalations
        kept = {pair for pair in known if pair[0] not in reasons or pair[1] != offer_id}
        self._changed(referral_id, escalations=frozenset(kept))
        self._write(sql.CLEAR_ESCALATIONS, (code, referral_id, list(reasons), offer_id))

    # Clocks

    def due_referrals(
        self, now: datetime, limit: int, *, only: UUID | None = None, after: UUID | None = None
    ) -> Sequence[UUID]:
        """Lock and return referrals with a clock that ran out, by id, without locked ones."""
        return self._ids(sql.DUE, now=now, limit=limit, only=only, after=after)

    def waiting_referrals(
        self, now: datetime, limit: int, *, only: UUID | None = None, after: UUID | None = None
    ) -> Sequence[UUID]:
        """Lock and return waiting referrals that may stand otherwise by now."""
        return self._ids(sql.WAITING, now=now, limit=limit, only=only, after=after)

    def mark_tried(self, referral_id: UUID, at: datetime) -> None:
        """Note that a waiting referral was tried with the places of that moment."""
        self._write("update referral set tried_at = %s where referral_id = %s", (at, referral_id))

    # What is told

    def note(self, referral_id: UUID, note: Note) -> None:
        """Add to a referral's timeline."""
        self._kept.notes.append({**columns(note), "referral_id": referral_id, "at": self.now})

    def publish(self, referral_id: UUID, happening: Happening) -> None:
        """Tell the other services, with the next sequence of the locked referral.

        Whatever brought it about, a person or a clock, it goes on with what the referral began.
        """
        seen = self._seen[referral_id]
        seen.sequence += 1
        seen.moved = True
        data = {
            **columns(happening),
            "referral_id": referral_id,
            "agency": seen.referral.agency,
            "submitted_by": seen.referral.submitted_by,
        }
        with log.context(correlation_id=seen.correlation_id, traceparent=log.traceparent()):
            row = self.outbox.row(
                type=EVENT_TYPES[type(happening)],
                agency=seen.referral.agency,
                key=referral_id,
                sequence=seen.sequence,
                data=data,
            )
        self._kept.events.append(row)

    def publish_partner(self, partner: Partner) -> None:
        """Tell the public record of a partner, if it changed."""
        record = public_record(partner, self.site)
        row = self._ask(
            sql.PUBLISH_PARTNER, {"id": partner.partner_id, "record": Jsonb(to_json(record))}
        ).fetchone()
        if row is not None:
            self._tell_partner(
                PARTNER_PUBLISHED, partner.partner_id, row["event_sequence"], record
            )

    def withdraw_partner(self, partner_id: UUID) -> None:
        """Tell that an organization is no longer a partner."""
        row = self._ask(sql.WITHDRAW_PARTNER, (partner_id,)).fetchone()
        if row is not None:
            record = {"partner_id": partner_id}
            self._tell_partner(PARTNER_WITHDRAWN, partner_id, row["event_sequence"], record)

    def published_partners(self) -> Collection[UUID]:
        """Return the partners that were published and not withdrawn."""
        rows = self._ask("select partner_id from published_partner where not withdrawn")
        return {row["partner_id"] for row in rows}

    def _tell_partner(
        self, type_: str, partner_id: UUID, sequence: int, record: Mapping[str, Any]
    ) -> None:
        row = self.outbox.row(
            type=type_, agency="", key=partner_id, sequence=sequence, data=record
        )
        self._write(INSERT, row)

    def _look_for(self, referral_id: UUID) -> None:
        if referral_id in self._asked_for:
            return
        self._asked_for.add(referral_id)
        with together(self.tx):
            found = load_referrals(self.tx, sql.LOCK_REFERRALS, [referral_id])
            early = self.tx.execute(sql.EARLY, ([referral_id],))
        self._keep(found, early)

    def _keep(self, found: Iterable[Loaded], early: Iterable[Mapping[str, Any]]) -> None:
        for row, referral in found:
            if referral is None or referral.site != self.site:
                self._gone.add(row["referral_id"])
            else:
                began = row["correlation_id"] or log.correlation()
                seen = _Seen(referral, row["queue"], row["event_sequence"], began)
                self._seen[referral.referral_id] = seen
        for row in early:
            fact = (row["kind"], row["release_id"])
            self._early.setdefault(row["referral_id"], []).append(fact)

    def _changed(self, referral_id: UUID, **changes: Any) -> _Seen:  # noqa: ANN401  (fields)
        seen = self._seen[referral_id]
        seen.referral = replace(seen.referral, **changes)
        return seen

    def _write(self, statement: str, values: Any) -> None:  # noqa: ANN401  (psycopg's own)
        self._kept.others.append((statement, values))

    def _ask(self, statement: str, values: Any = None) -> psycopg.Cursor[dict[str, Any]]:  # noqa: ANN401
        self.flush()
        return self.tx.execute(statement, values)

    def _ids(self, statement: str, **values: object) -> Sequence[UUID]:
        rows = self._ask(statement, {**values, "site": self.site})
        return [row["referral_id"] for row in rows]

    def _require_service(self, service_id: UUID) -> None:
        found = self._ask(
            "select 1 from service_slot where service_id = %s for update", (service_id,)
        )
        if found.fetchone() is None:
            raise NotFound("There is no such service.")


def _places(rows: Iterable[Mapping[str, Any]]) -> Mapping[UUID, Place]:
    return {row["service_id"]: Place(**row) for row in rows}
