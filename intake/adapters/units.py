"""Units of work: one transaction, with what follows once it has committed."""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg.errors import LockNotAvailable, UniqueViolation

from intake.adapters.disclosures import PostgresDisclosures
from intake.adapters.drafts import PostgresDrafts
from intake.adapters.keys import Keys, Seal
from intake.adapters.partners import VERSION, Directory, PostgresPartners
from intake.adapters.people import PostgresPeople
from intake.adapters.store import TAKEN, PostgresReferrals
from intake.application.ports import Work
from intake.domain.references import new_reference
from intake.domain.rules import Rules
from shared.contracts import codes, shapes
from shared.db import Pool, Tx, statements, transaction
from shared.db.idempotency import EARLIER
from shared.db.members import CLIENT
from shared.db.outbox import Outbox
from shared.db.writes import Writes
from shared.site import Agency, Site


def _nothing() -> None:
    """Wake nobody."""


def rules_of(site: Site, agency: Agency) -> Rules:
    """Return the rules that a site and its agency set."""
    known = {
        "needs": codes.NEEDS,
        "urgencies": codes.URGENCIES,
        "age-bands": codes.AGE_BANDS,
        "roles": codes.ROLES,
        "access-needs": codes.ACCESS_NEEDS,
        "preferences": codes.PREFERENCES,
        "contact-routes": codes.CONTACT_ROUTES,
        "channels": codes.CHANNELS,
        "release-items": codes.RELEASE_ITEMS,
        "report-back-items": codes.REPORT_BACK_ITEMS,
        "counties": tuple(site.counties),
        "involved-agencies": tuple(site.involved_agencies),
    }
    return Rules(
        site=site.code,
        agency=agency.code,
        organization_id=agency.organization_id,
        zone=site.zone,
        codes={group: frozenset(values) for group, values in known.items()},
        language_tag=re.compile(shapes.LANGUAGE),
        release_default_days=site.release_default_days,
        release_cap_days=site.release_cap_days,
    )


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request's unit of work; `found` holds what CLIENT and EARLIER found for it."""

    found: Mapping[str, Any]
    work: Work
    writes: Writes


@dataclass(frozen=True, slots=True)
class Units:
    """Opens units of work; `wake` tells the worker that something waits, after a commit."""

    pool: Pool
    keys: Keys
    rules: Rules
    wake: Callable[[], None] = _nothing
    directory: Directory = field(default_factory=Directory)

    @contextmanager
    def work(self) -> Iterator[Work]:
        """Give a unit of work: it commits at the end of the block, or nothing happened.

        Keys that have to go are destroyed after the commit; a crash in between leaves that to
        the worker's clock.
        """
        with self.opened() as (_, work):
            yield work

    @contextmanager
    def opened(self) -> Iterator[tuple[Tx, Work]]:
        """Give a unit of work with its transaction, for what has to commit with it."""
        after = _After()
        with transaction(self.pool) as tx:
            row = tx.execute(_OPENING).fetchone() or {}
            yield tx, self._on(Writes(tx), row, after)
        self._finish(after)

    @contextmanager
    def at_once(self, asked: Mapping[str, Any]) -> Iterator[Arrival]:
        """Give a unit of work that reads with one statement, and one that commits writes it all.

        For new referrals: what a person or a referral already has is not written that way. A
        person's key that was made for nothing, as somebody else was first, is destroyed. `asked`
        are the values of CLIENT and EARLIER.
        """
        after, reference = _After(), new_reference(secrets.choice)
        with statements(self.pool) as tx:
            found = tx.execute(_ARRIVING, {**asked, "reference": reference}).fetchone() or {}
            free = None if found["is_taken"] else reference
            writes = Writes(tx)
            try:
                with writes.together():
                    yield Arrival(found, self._on(writes, found, after, free), writes)
            except (LockNotAvailable, UniqueViolation):
                self.keys.destroy(after.made)
                raise
        self._finish(after)

    def inside(self, tx: Tx, moment: datetime) -> Work:
        """Return a unit of work inside a transaction that somebody else commits."""
        return self._on(Writes(tx), {"now": moment}, _After())

    def _on(
        self,
        writes: Writes,
        opening: Mapping[str, Any],
        after: "_After",
        reference: str | None = None,
    ) -> Work:
        tx, seal = writes.tx, Seal(self.keys, self.rules.agency, after.made)
        outbox = Outbox(f"/intake/{self.rules.agency}")
        return Work(
            partners=PostgresPartners(tx, self.directory, opening.get("version")),
            people=PostgresPeople(tx, writes, seal, after.erased),
            referrals=PostgresReferrals(
                tx, writes, outbox, self.rules.site, self.rules.agency, after.told, reference
            ),
            disclosures=PostgresDisclosures(tx),
            drafts=PostgresDrafts(tx, seal, after.removed),
            now=opening["now"].astimezone(UTC),
            rules=self.rules,
            new_id=uuid4,
            pick=secrets.choice,
            together=writes.together,
        )

    def _finish(self, after: "_After") -> None:
        if after.told:
            self.wake()
        if after.erased or after.removed:
            self.keys.destroy([*after.erased, *after.removed])
        if after.erased:
            with transaction(self.pool) as tx:
                seal = Seal(self.keys, self.rules.agency)
                people = PostgresPeople(tx, Writes(tx), seal)
                for person_id in after.erased:
                    people.key_destroyed(person_id)


@dataclass(frozen=True, slots=True)
class _After:
    """What a unit of work leaves to do when it is over."""

    made: list[UUID] = field(default_factory=list)
    told: list[UUID] = field(default_factory=list)
    erased: list[UUID] = field(default_factory=list)
    removed: list[UUID] = field(default_factory=list)


_OPENING: Final = f"select now() as now, ({VERSION}) as version"
_ARRIVING: Final = f"""
select now() as now, ({VERSION}) as version, exists ({TAKEN}) as is_taken, client.*, earlier.*
from (select) as request
left join ({CLIENT}) as client on true
left join ({EARLIER}) as earlier on true
"""  # noqa: S608  (of constants)
