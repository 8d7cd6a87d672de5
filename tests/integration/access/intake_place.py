"""An agency's intake, in which an advocate and a colleague each have a draft."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from flask import Flask

from intake.adapters.following import following
from intake.adapters.units import Units, rules_of
from intake.application.drafts import start_draft
from intake.application.follow import learn_partner
from intake.application.submit import submit_referral
from services import intake_web
from services.intake_parts import open_keys
from services.setup import new_secrets
from shared.config import IntakeWebSettings
from shared.db import open_pool, transaction
from tests.integration.access.places import (
    OPERATION,
    OURS,
    THEIRS,
    Args,
    add_staff,
    closed_after,
    for_an_operator,
    settings_of,
)
from tests.integration.intake.test_api import changed
from tests.integration.intake_pages.builders import FakePreview
from tests.support.databases import Server, TestDatabase
from tests.support.web import a_site
from tests.unit.intake.builders import AGENCY_ID, a_partner, a_request, a_submission


@dataclass(frozen=True)
class IntakePlace:
    """Intake; `members` are the ids of its staff by subject."""

    app: Flask
    database: TestDatabase
    units: Units
    members: Mapping[str, UUID]

    def own(self, route: str) -> Args:
        if "draft_id" in route:
            return self._draft("advocate")
        return self._referral() if "referral_id" in route else for_an_operator(self.database)

    def others(self, route: str) -> Sequence[Args]:
        if "draft_id" in route:
            return [self._draft("colleague"), {**self._draft("colleague"), "draft_id": uuid4()}]
        if "release_id" in route:
            own, foreign = self._referral(), self._referral()
            return [{**own, "release_id": foreign["release_id"]}, {**own, "referral_id": uuid4()}]
        return [{"referral_id": uuid4(), "batch_id": uuid4()}]

    def form(self, route: str, args: Args) -> Mapping[str, Any]:
        if route == "POST /api/referrals":
            return changed("releases.0.partner_id", str(OURS))
        return OPERATION.get(route) or {"danger": "no", "safe": "yes"}

    def _draft(self, subject: str) -> Args:
        with self.units.work() as work:
            draft_id = start_draft(b"{}", member_id=self.members[subject], work=work)
        return {"draft_id": draft_id, "name": "safety", "about": OURS}

    def _referral(self) -> Args:
        with self.units.work() as work:
            sent = submit_referral(a_submission(a_request(OURS)), work=work)
            release = work.referrals.get(sent.referral_id).releases[0]
        return {"referral_id": sent.referral_id, "release_id": release.release_id}


@contextmanager
def intake_place(server: Server, folder: Path, issuer: str) -> Iterator[IntakePlace]:
    """Give intake as its process builds it."""
    list(new_secrets(folder))
    with server.clone("intake") as database, server.clone("intake_keys") as keys:
        settings = IntakeWebSettings(
            **settings_of(database, issuer),
            agency="brva",
            keys_database=keys.web,
            agency_key=folder / "agency.key",
            routing_url="http://routing.example.org",
            routing_jwk=folder / "ticket-public.jwk",
        )
        members = _staff(database, issuer)
        with (
            open_pool(database.web, name="web", size=2) as pool,
            open_pool(database.worker, name="worker", size=1) as worker,
            closing(open_keys(settings, "test")) as opened_keys,
            closed_after(intake_web.build(settings, FakePreview(), opened_keys)) as app,
        ):
            site = a_site()
            units = Units(pool, opened_keys, rules_of(site, site.agency("brva")))
            with transaction(worker) as tx:
                learn_partner(a_partner(partner_id=OURS), 1, work=following(tx))
            yield IntakePlace(app, database, units, members)


def _staff(database: TestDatabase, issuer: str) -> dict[str, UUID]:
    return add_staff(
        database,
        issuer,
        advocate=("advocate", AGENCY_ID),
        colleague=("advocate", AGENCY_ID),
        removed=("advocate", AGENCY_ID),
        elsewhere=("advocate", uuid4()),
        agency_admin=("agency_admin", AGENCY_ID),
        partner=("partner", OURS),
        partner_admin=("partner_admin", OURS),
        coordinator=("coordinator", a_site().host.organization_id),
        operator=("operator", uuid4()),
        own_client=("client", AGENCY_ID),
        removed_client=("client", AGENCY_ID),
        other_client=("client", THEIRS),
    )
