"""Units of work: one transaction, with what follows once it has committed."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from intake.adapters.disclosures import PostgresDisclosures
from intake.adapters.drafts import PostgresDrafts
from intake.adapters.keys import Keys, Seal
from intake.adapters.partners import VERSION, Directory, PostgresPartners
from intake.adapters.people import PostgresPeople
from intake.adapters.store import PostgresReferrals
from intake.application.ports import Work
from intake.domain.rules import Rules
from shared.contracts import codes
from shared.db import Pool, Tx, transaction
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
        release_default_days=site.release_default_days,
        release_cap_days=site.release_cap_days,
    )


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
            yield tx, self._on(tx, row["now"].astimezone(UTC), after, row["version"])
        self._finish(after)

    def inside(self, tx: Tx, moment: datetime) -> Work:
        """Return a unit of work inside a transaction that somebody else commits."""
        return self._on(tx, moment, _After())

    def _on(self, tx: Tx, moment: datetime, after: "_After", directory: int | None = None) -> Work:
        seal = Seal(self.keys, self.rules.agency)
        writes = Writes(tx)
        outbox = Outbox(f"/intake/{self.rules.agency}")
        return Work(
            partners=PostgresPartners(tx, self.directory, directory),
            people=PostgresPeople(tx, writes, seal, after.erased),
            referrals=PostgresReferrals(
                tx, writes, outbox, self.rules.site, self.rules.agency, after.told
            ),
            disclosures=PostgresDisclosures(tx),
            drafts=PostgresDrafts(tx, seal, after.removed),
            now=moment,
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
    """What a unit of work leaves to do after its commit."""

    told: list[UUID] = field(default_factory=list)
    erased: list[UUID] = field(default_factory=list)
    removed: list[UUID] = field(default_factory=list)


_OPENING: Final = f"select now() as now, ({VERSION}) as version"
