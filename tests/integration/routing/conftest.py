"""Routing on a real database: a desk of its worker, one of its web, and what they did."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from routing.adapters.desk import Desk
from routing.application import arrivals, partner
from routing.application.directory import import_directory
from routing.application.ports import Staff
from routing.domain.model import Partner, Referral, Release
from shared.db import Pool, open_pool, transaction
from shared.errors import Conflict
from shared.site import load_site
from tests.support.databases import TestDatabase
from tests.unit.routing.builders import a_referral, a_release

SITE = load_site(Path("deploy/sites/baton-rouge"))


def fails(_: UUID, failure: Exception) -> None:
    """Let the clock's failure be the test's."""
    raise failure


@dataclass(frozen=True, slots=True)
class Routing:
    """Routing's two processes on one database, each with its own role."""

    worker: Desk
    web: Desk
    pool: Pool

    def has_partners(self, *partners: Partner) -> None:
        """Make these the directory."""
        with self.worker.change() as work:
            import_directory(partners, work)

    def receives(self, *partners: Partner, **changes: Any) -> Referral:
        """Take in a referral released to these partners, in their order."""
        releases = self.releases(*partners, **changes.pop("release", {}))
        referral = a_referral(*releases, **changes)
        with self.worker.change() as work:
            arrivals.route_referral(referral, work)
        return referral

    def releases(self, *partners: Partner, **changes: Any) -> list[Release]:
        """Return a live release to each partner."""
        with self.worker.read() as (_, now):
            fields = {"expires_at": now + timedelta(days=30), **changes}
        return [
            a_release(found.partner_id, rank=rank, **fields)
            for rank, found in enumerate(partners, 1)
        ]

    def state(self, referral: Referral) -> Referral:
        """Return the referral as it stands."""
        with self.worker.change() as work:
            return work.store.lock(referral.referral_id)

    def reference(self, referral: Referral) -> str:
        """Return the reference of the current offer."""
        current = self.state(referral).current
        assert current is not None
        return current.reference

    def offered_to(self, referral: Referral) -> UUID | None:
        """Return the partner that holds the referral."""
        current = self.state(referral).current
        return current.partner_id if current else None

    def queue(self, referral: Referral) -> str:
        """Return the coordinator's queue that the referral is in."""
        with self.web.read() as (queries, now):
            return queries.referral(referral.referral_id, now).row.queue

    def open_escalations(self, referral: Referral) -> set[str]:
        """Return why a person has to look."""
        return {reason for reason, _ in self.state(referral).escalations}

    def revokes(self, referral: Referral, found: Partner) -> None:
        """Have the person take back the release to a partner."""
        release = next(r for r in referral.releases if r.partner_id == found.partner_id)
        with self.worker.change() as work:
            arrivals.on_release_revoked(
                referral.referral_id, release.release_id, found.partner_id, work
            )

    def accepts(self, referral: Referral, found: Partner) -> str:
        """Have the partner accept; return the offer's reference."""
        reference = self.reference(referral)
        with self.web.change() as work:
            partner.accept_offer(reference, staff_of(found), work)
        return reference

    def events(self, key: UUID | Referral | Partner) -> list[str]:
        """Return what was told about a referral or partner, in order: past verbs."""
        if isinstance(key, Referral):
            key = key.referral_id
        if isinstance(key, Partner):
            key = key.partner_id
        with transaction(self.pool) as tx:
            rows = tx.execute(
                "select type, sequence from outbox where key = %s order by sequence", (str(key),)
            ).fetchall()
        assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
        return [row["type"].split(".")[2] for row in rows]

    def told(self, referral: Referral, verb: str) -> dict[str, Any]:
        """Return what the last event of a kind tells, but for whose referral it is."""
        with transaction(self.pool) as tx:
            row = tx.execute(
                "select payload from outbox where key = %s and type = %s order by sequence desc",
                (str(referral.referral_id), f"routing.referral.{verb}.v1"),
            ).fetchone()
        assert row is not None
        common = {"referral_id", "agency", "submitted_by"}
        data = json.loads(row["payload"])
        return {name: value for name, value in data.items() if name not in common}

    def held(self, found: Partner) -> list[int]:
        """Return what is held at each service of a partner."""
        with transaction(self.pool) as tx:
            rows = tx.execute(
                "select held from service_slot where partner_id = %s order by service_id",
                (found.partner_id,),
            )
            return [row["held"] for row in rows]

    def release_ends(self, referral: Referral, found: Partner, within: str) -> None:
        """Let a partner's release of a referral expire that much from now."""
        values = (within, referral.referral_id, found.partner_id)
        for change in ("release set expires_at", "offer set release_expires_at"):
            self.runs(
                f"update {change} = now() + %s::interval"
                " where referral_id = %s and partner_id = %s",
                *values,
            )

    def runs(self, statement: str, *values: object) -> None:
        """Change something behind the back of the product, such as a clock."""
        with transaction(self.pool) as tx:
            tx.execute(statement, values)


def staff_of(found: Partner) -> Staff:
    """Return a member of a partner's staff."""
    return Staff(uuid4(), found.partner_id)


def together(*verbs: Callable[[], object]) -> None:
    """Start all at once; a Conflict is an answer, anything else fails the test."""
    start = threading.Barrier(len(verbs))
    failures: list[BaseException] = []

    def run(verb: Callable[[], object]) -> None:
        start.wait()
        try:
            verb()
        except Conflict:
            pass
        except BaseException as failure:  # noqa: BLE001  (told in the test's own thread)
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(verb,)) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


@pytest.fixture
def routing(routing_db: TestDatabase) -> Iterator[Routing]:
    """Give routing on an empty database."""
    worker = open_pool(routing_db.worker, name="worker", size=8)
    web = open_pool(routing_db.web, name="web", size=8)
    owner = open_pool(routing_db.owner, name="owner", size=2)
    try:
        yield Routing(Desk(worker, SITE), Desk(web, SITE), owner)
    finally:
        for pool in (worker, web, owner):
            pool.close()
