"""Routing's store on PostgreSQL. One object a transaction; the caller commits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from routing.adapters import sql
from routing.adapters.directories import Directories
from routing.adapters.publishing import (
    EVENT_TYPES,
    PARTNER_PUBLISHED,
    PARTNER_WITHDRAWN,
    public_record,
)
from routing.adapters.records import from_json, to_json
from routing.application.ports import Note
from routing.domain.decisions import Decision
from routing.domain.happenings import Happening
from routing.domain.model import Directory, Facts, Offer, Partner, Place, Referral, Release
from shared.db import Tx
from shared.db.outbox import INSERT, Outbox
from shared.errors import Conflict, NotFound, TransientError


@dataclass(slots=True)
class _Line:
    """The number line of a locked referral's events, and what each of them carries."""

    agency: str
    submitted_by: UUID
    sequence: int


@dataclass(slots=True)
class PostgresStore:
    """Implements routing.application.ports.Store; `flush` before the commit."""

    tx: Tx
    outbox: Outbox
    directories: Directories
    site: str
    now: datetime
    agency: str | None = None
    """Only this agency's referrals exist for the unit of work; None: every agency's."""
    _lines: dict[UUID, _Line] = field(default_factory=dict)
    _directory: Directory | None = None
    _writes: list[tuple[str, Any]] = field(default_factory=list)

    def flush(self) -> None:
        """Send the writes that wait; the last thing before the commit.

        What needs no answer goes out together with the next question, so that a referral
        costs a handful of round trips.
        """
        if self._writes:
            with self.tx.pipeline():
                self._send()

    # Referrals and releases

    def add_referral(self, referral: Referral) -> bool:
        """Store a new referral with its releases; False if it is there already."""
        added = self._ask(
            sql.ADD_REFERRAL,
            {
                **_columns(referral, "referral_id", "reference", "site", "agency", "submitted_by"),
                **_columns(referral, "state", "received_at"),
                "facts": Jsonb(to_json(referral.facts)),
                "barred": list(referral.barred),
            },
        )
        if not added.rowcount:
            return False
        for release in referral.releases:
            self.add_release(referral.referral_id, release)
        line = _Line(referral.agency, referral.submitted_by, 0)
        self._lines[referral.referral_id] = line
        return True

    def lock(self, referral_id: UUID) -> Referral:
        """Lock a referral and return it whole."""
        row = self._ask(
            sql.LOCK_REFERRAL, {"id": referral_id, "site": self.site, "agency": self.agency}
        ).fetchone()
        if row is None:
            raise NotFound("There is no such referral.")
        line = _Line(row["agency"], row["submitted_by"], row["event_sequence"])
        self._lines[referral_id] = line
        return load_referral(self.tx, row)

    def lock_by_offer(self, reference: str, partner_id: UUID) -> Referral:
        """Lock the referral that an offer of that partner belongs to."""
        row = self._ask(
            "select referral_id from offer where reference = %s and partner_id = %s",
            (reference, partner_id),
        ).fetchone()
        if row is None:
            raise NotFound("There is no such offer.")
        return self.lock(row["referral_id"])

    def set_state(self, referral_id: UUID, state: str, queue: str) -> None:
        """Store where a referral stands."""
        self._write(
            "update referral set state = %s, queue = %s where referral_id = %s",
            (state, queue, referral_id),
        )

    def add_release(self, referral_id: UUID, release: Release) -> None:
        """Store one more release; one that is known already stays as it is."""
        self._write(
            sql.ADD_RELEASE,
            {
                **asdict(release),
                "referral_id": referral_id,
                "items": list(release.items),
                "report_back": list(release.report_back),
            },
        )

    def revoke_release(self, release_id: UUID, at: datetime) -> None:
        """Mark a release as revoked."""
        self._write(
            "update release set revoked_at = %s where release_id = %s and revoked_at is null",
            (at, release_id),
        )

    def remember_early(self, referral_id: UUID, kind: str, release_id: UUID | None) -> None:
        """Keep a revocation or withdrawal that came before what it is about."""
        self._write(
            "insert into early_fact (referral_id, kind, release_id) values (%s, %s, %s)"
            " on conflict do nothing",
            (referral_id, kind, release_id),
        )

    def early(self, referral_id: UUID) -> Sequence[tuple[str, UUID | None]]:
        """Return what came early for a referral."""
        rows = self._ask(
            "select kind, release_id from early_fact where referral_id = %s", (referral_id,)
        )
        return [(row["kind"], row["release_id"]) for row in rows]

    def erase(self, referral_id: UUID) -> None:
        """Remove everything but the number line of its events."""
        for statement in sql.ERASE:
            self._write(statement, (referral_id,))

    # Directory and places

    def directory(self, version: int | None = None) -> Directory:
        """Return a version of the directory, the active one by default."""
        if version is not None:
            return self.directories.version(self.tx, version)
        if self._directory is None:
            row = self._ask(sql.ACTIVE_VERSION, (self.site,)).fetchone()
            if row is None or row["version"] is None:
                raise TransientError("The site's directory has not been imported yet.")
            self._directory = self.directories.version(self.tx, row["version"])
        return self._directory

    def add_directory(self, partners: Sequence[Partner]) -> int:
        """Store a new active version and set the capacities it names."""
        services = sorted(
            ((s.service_id, p.partner_id, s.capacity) for p in partners for s in p.services),
            key=lambda row: str(row[0]),
        )
        for row in services:
            self._write(sql.SET_CAPACITY, row)
        self._directory = None
        self.flush()
        return self.directories.add(self.tx, list(partners))

    def lock_places(self, service_ids: Collection[UUID]) -> Mapping[UUID, Place]:
        """Lock the places of services in the order of their ids, and return them."""
        if not service_ids:
            return {}
        return _places(self._ask(sql.LOCK_PLACES, (list(service_ids),)).fetchall())

    def places(self) -> Mapping[UUID, Place]:
        """Return the places of every service, unlocked."""
        return _places(self._ask(sql.PLACES).fetchall())

    def take_place(self, offer: Offer) -> None:
        """Hold a place, in the statement that checks there is one."""
        taken = self._ask(sql.TAKE_PLACE, (offer.service_id, offer.offer_id))
        if not taken.rowcount:
            raise Conflict("There is no free place.", state="full")

    def free_place(self, offer_id: UUID) -> None:
        """Give back what an offer holds, once."""
        self._write(sql.FREE_PLACE, (offer_id,))

    def pause(self, service_id: UUID, reason: str, by: UUID) -> bool:
        """Pause a service; False if it is paused already."""
        self._require_service(service_id)
        return bool(
            self._ask(
                "insert into pause (service_id, reason, paused_by) values (%s, %s, %s)"
                " on conflict do nothing",
                (service_id, reason, by),
            ).rowcount
        )

    def resume(self, service_id: UUID, by: UUID) -> bool:
        """End a pause; False if there is none."""
        self._require_service(service_id)
        return bool(self._ask(sql.RESUME, (by, service_id)).rowcount)

    # Offers, decisions, escalations

    def put_offer(self, referral_id: UUID, offer: Offer) -> None:
        """Store a new offer or an offer's new state."""
        self._write(sql.PUT_OFFER, {**asdict(offer), "referral_id": referral_id})

    def add_decision(self, referral_id: UUID, decision: Decision) -> None:
        """Store a decision with what it was made from."""
        self._write(
            sql.ADD_DECISION,
            {
                **_columns(decision, "decision_id", "decided_at", "rule_set", "queue", "chosen"),
                "directory_version": decision.directory_version,
                "referral_id": referral_id,
                "situation": Jsonb(to_json(decision.situation)),
                "verdicts": Jsonb(to_json(decision.verdicts)),
            },
        )

    def raise_escalation(self, referral_id: UUID, reason: str, offer_id: UUID | None) -> bool:
        """Note that a person has to look; False if that was noted before."""
        return bool(
            self._ask(
                "insert into escalation (referral_id, reason, offer_id) values (%s, %s, %s)"
                " on conflict do nothing",
                (referral_id, reason, offer_id),
            ).rowcount
        )

    def clear_escalations(
        self, referral_id: UUID, reasons: Collection[str], offer_id: UUID | None, code: str
    ) -> None:
        """Close open escalations of an offer with a coded reason."""
        self._write(sql.CLEAR_ESCALATIONS, (code, referral_id, list(reasons), offer_id))

    # Clocks

    def due_referrals(
        self, now: datetime, limit: int, referral_id: UUID | None = None
    ) -> Sequence[UUID]:
        """Lock and return referrals with a clock that ran out, by id, without locked ones."""
        return self._ids(sql.DUE, now, limit, referral_id)

    def waiting_referrals(
        self, now: datetime, limit: int, referral_id: UUID | None = None
    ) -> Sequence[UUID]:
        """Lock and return referrals for which a place may be free or a door open."""
        return self._ids(sql.WAITING, now, limit, referral_id)

    def mark_tried(self, referral_id: UUID, at: datetime) -> None:
        """Note that a waiting referral was tried with the places of that moment."""
        self._write("update referral set tried_at = %s where referral_id = %s", (at, referral_id))

    # What is told

    def note(self, referral_id: UUID, note: Note) -> None:
        """Add to a referral's timeline."""
        self._write(sql.NOTE, {**asdict(note), "referral_id": referral_id, "at": self.now})

    def publish(self, referral_id: UUID, happening: Happening) -> None:
        """Tell the other services, with the next sequence of the locked referral."""
        line = self._lines[referral_id]
        line.sequence += 1
        row = self.outbox.row(
            type=EVENT_TYPES[type(happening)],
            agency=line.agency,
            key=referral_id,
            sequence=line.sequence,
            data={
                **asdict(happening),
                "referral_id": referral_id,
                "agency": line.agency,
                "submitted_by": line.submitted_by,
            },
        )
        self._write(INSERT, row)
        self._write(
            "update referral set event_sequence = %s where referral_id = %s",
            (line.sequence, referral_id),
        )

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

    def _write(self, statement: str, values: Any) -> None:  # noqa: ANN401  (psycopg's own)
        self._writes.append((statement, values))

    def _ask(self, statement: str, values: Any = None) -> psycopg.Cursor[dict[str, Any]]:  # noqa: ANN401
        if not self._writes:
            return self.tx.execute(statement, values)
        with self.tx.pipeline():
            self._send()
            return self.tx.execute(statement, values)

    def _send(self) -> None:
        for statement, values in self._writes:
            self.tx.execute(statement, values)
        self._writes.clear()

    def _ids(
        self, statement: str, now: datetime, limit: int, referral_id: UUID | None
    ) -> Sequence[UUID]:
        rows = self._ask(
            statement, {"now": now, "limit": limit, "only": referral_id, "site": self.site}
        )
        return [row["referral_id"] for row in rows]

    def _require_service(self, service_id: UUID) -> None:
        found = self._ask(
            "select from service_slot where service_id = %s for update", (service_id,)
        )
        if not found.rowcount:
            raise NotFound("There is no such service.")


def load_referral(tx: Tx, row: Mapping[str, Any]) -> Referral:
    """Return a referral from its row, with its releases, offers and open escalations."""
    referral_id = row["referral_id"]
    with tx.pipeline():
        releases = tx.execute(sql.RELEASES, (referral_id,))
        offers = tx.execute(sql.OFFERS, (referral_id,))
        escalations = tx.execute(sql.OPEN_ESCALATIONS, (referral_id,))
    return Referral(
        referral_id=referral_id,
        reference=row["reference"],
        site=row["site"],
        agency=row["agency"],
        submitted_by=row["submitted_by"],
        facts=from_json(Facts, row["facts"]),
        barred=frozenset(row["barred"]),
        state=row["state"],
        received_at=row["received_at"],
        releases=tuple(release_of(found) for found in releases.fetchall()),
        offers=tuple(Offer(**found) for found in offers.fetchall()),
        escalations=frozenset((e["reason"], e["offer_id"]) for e in escalations.fetchall()),
    )


def release_of(row: Mapping[str, Any]) -> Release:
    """Return a release from its row."""
    lists = {"items": tuple(row["items"]), "report_back": tuple(row["report_back"])}
    return Release(**{**row, **lists})


def _places(rows: Sequence[Mapping[str, Any]]) -> Mapping[UUID, Place]:
    return {row["service_id"]: Place(**row) for row in rows}


def _columns(source: object, *names: str) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}
