"""Routing's pages on a real database, with a small directory of invented partners."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from joserfc.jwk import OKPKey
from werkzeug.test import TestResponse

from routing.adapters.desk import Desk
from routing.adapters.loops import clock_step
from routing.adapters.pages import Parts, Tickets, add_pages
from routing.application.arrivals import on_release_revoked, route_referral
from routing.application.directory import import_directory
from routing.domain.model import Facts, Partner, Referral, Release, Service
from shared.config import RoutingWebSettings
from shared.db import open_pool
from shared.db.members import Member, save_members
from shared.db.pool import transaction
from shared.http import create_app
from shared.http.access import ISSUER, SUBJECT
from shared.site import load_site
from tests.support.databases import TestDatabase

SITE = Path("deploy/sites/baton-rouge")
PROVIDER = "http://127.0.0.1:9/provider"
ROUTING = "http://routing.example.org"
INTAKE = "http://intake.example.org"

CYPRESS = UUID("84d3ad05-6756-4e37-b9af-ee19df591ee8")
HOA_SEN = UUID("99cc531b-0b1d-4c76-a0ee-552283759978")
SECOND_LINE = UUID("874ce212-8cba-4595-b570-50505b96f150")
HOST = UUID("6d1f0b52-3f0e-4c39-9a41-0d6f3a7c1e01")


def a_service(**changes: Any) -> Service:
    """Return a service that takes everybody, unless changed."""
    fits_all = Service(
        service_id=uuid4(),
        name="Trauma therapy",
        description="One-to-one therapy.",
        status="active",
        needs=("trauma-therapy",),
        languages=("en",),
        interpretation=False,
        minimum_age=None,
        maximum_age=None,
        counties=(),
        remote=True,
        in_person=True,
        access_needs=("step-free",),
        urgency_max="emergency",
        first_contact_text="Expect first contact within one business day.",
        hours_text="Always open",
        zone="America/Chicago",
        openings=(),
        always_open=True,
        capacity=None,
        paused="",
    )
    return replace(fits_all, **changes)


def a_partner(partner_id: UUID, name: str, *services: Service) -> Partner:
    """Return a partner that may receive referrals."""
    return Partner(
        partner_id=partner_id,
        name=name,
        description="Invented.",
        website="https://partner.example.org/",
        phone="225-555-0111",
        advocate_type="community",
        confidentiality="confidential",
        ties=(),
        recipient=True,
        data_agreement_until=date(2100, 1, 1),
        services=services or (a_service(),),
    )


def a_release(partner_id: UUID, rank: int = 1, **changes: Any) -> Release:
    """Return a live release of everything, with a full report back."""
    everything = Release(
        release_id=uuid4(),
        partner_id=partner_id,
        rank=rank,
        expires_at=datetime.now(UTC) + timedelta(days=30),
        items=("needs", "facts", "name", "contact"),
        report_back=("answer-detail", "first-contact", "service-started", "outcome"),
    )
    return replace(everything, **changes)


def a_referral(*releases: Release, reference: str = "WH-7K3F-92", **changes: Any) -> Referral:
    """Return a referral as it comes from an intake."""
    facts = Facts(
        needs=("trauma-therapy",),
        urgency="routine",
        age_band="25-59",
        languages=("en",),
        interpreter=False,
        access_needs=("step-free",),
        county="22033",
        preferences=("remote",),
        contact_route="through-advocate",
    )
    return Referral(
        referral_id=uuid4(),
        reference=reference,
        site="baton-rouge",
        agency="brva",
        submitted_by=uuid4(),
        facts=replace(facts, **changes),
        barred=frozenset(),
        state="to-match",
        received_at=datetime.now(UTC),
        releases=releases,
    )


MEMBERS = (
    Member(uuid4(), PROVIDER, "cypress", "Imani Fontenot", "partner", CYPRESS),
    Member(uuid4(), PROVIDER, "hoa-sen", "Linh Tran", "partner", HOA_SEN),
    Member(uuid4(), PROVIDER, "second-line", "Desmond Price", "partner", SECOND_LINE),
    Member(uuid4(), PROVIDER, "coordinator", "Helen Marchand", "coordinator", HOST),
    Member(uuid4(), PROVIDER, "operator", "Oscar Lind", "operator", uuid4()),
)


@dataclass
class Page:
    """An answer, read as people and tests read it."""

    response: TestResponse
    soup: BeautifulSoup = field(init=False)

    def __post_init__(self) -> None:
        self.soup = BeautifulSoup(self.response.get_data(as_text=True), "html.parser")

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        """The words of the main part."""
        main = self.soup.find("main")
        return " ".join(main.get_text(" ").split()) if main else ""

    @property
    def forms(self) -> list[str]:
        """The addresses that the main part's forms post to, without the mount."""
        return [str(form["action"]) for form in self.soup.select("main form")]


@dataclass
class Pages:
    """The app of routing, its database, and browsers of its members."""

    app: Flask
    worker: Desk
    database: TestDatabase
    tickets: Tickets
    woken: list[int]

    def browser(self, subject: str = "") -> "Browser":
        """Return a browser in which a member is signed in; without one, in which nobody is."""
        client = self.app.test_client()
        if subject:
            with client.session_transaction(base_url=ROUTING) as session:
                session[ISSUER] = PROVIDER
                session[SUBJECT] = subject
        return Browser(client)

    def receive(self, referral: Referral) -> str:
        """Take a referral in, and return the reference of the offer that follows, if any."""
        with self.worker.change() as work:
            route_referral(referral, work)
        return self.offer_reference(referral.referral_id)

    def revoke(self, referral: Referral, release: Release) -> None:
        """Take a release back, as intake tells it."""
        with self.worker.change() as work:
            on_release_revoked(referral.referral_id, release.release_id, release.partner_id, work)

    def run_clock(self) -> None:
        """Let the clock do everything that is due."""
        while clock_step(self.worker)():
            continue

    def service_of(self, partner_id: UUID) -> UUID:
        """Return the id of a partner's only service."""
        found = next(partner for partner in directory() if partner.partner_id == partner_id)
        return found.services[0].service_id

    def offer_reference(self, referral_id: UUID) -> str:
        """Return the reference of a referral's newest offer, or ""."""
        row = self.ask(
            "select reference from offer where referral_id = %s order by offered_at desc limit 1",
            referral_id,
        )
        return str(row[0]) if row else ""

    def ask(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """Ask the database as its superuser."""
        with psycopg.connect(self.database.admin) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchone() if cursor.description else None

    def events(self) -> list[str]:
        """Return the types of what waits to be sent about referrals, in order."""
        with psycopg.connect(self.database.admin) as connection:
            rows = connection.execute(
                "select type from outbox where type like 'routing.referral.%' order by id"
            )
            return [row[0].removeprefix("routing.referral.").removesuffix(".v1") for row in rows]


class Browser:
    """Opens pages and sends forms as a browser without JavaScript does."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def get(self, path: str, **headers: str) -> Page:
        """Open a page of routing."""
        return Page(self._client.get(path, base_url=ROUTING, headers=headers))

    def post(self, path: str, **form: str) -> Page:
        """Send a form, with the token of the page it would be on."""
        return Page(
            self._client.post(
                path,
                base_url=ROUTING,
                data={"csrf_token": self._token(), **form},
            )
        )

    def post_without_token(self, path: str, **form: str) -> Page:
        """Send a form that another site made up."""
        return Page(self._client.post(path, base_url=ROUTING, data=form))

    def _token(self) -> str:
        page = self.get("/no-such-page")
        meta = page.soup.find("meta", attrs={"name": "csrf-token"})
        return str(meta["content"]) if meta else ""


@contextmanager
def routing_pages(database: TestDatabase) -> Iterator[Pages]:
    """Give routing's pages on the database, with two partners and the members."""
    site = load_site(SITE)
    pool = open_pool(database.web, name="routing-web")
    worker = open_pool(database.worker, name="routing-worker", size=1)
    woken: list[int] = []
    desk = Desk(pool, site, lambda: woken.append(1))
    tickets = Tickets(ROUTING, OKPKey.generate_key("Ed25519"))
    app = create_app(
        __name__,
        service="routing",
        settings=_settings(database),
        pool=pool,
        site=site,
        form_origins=[INTAKE],
    )
    add_pages(app, Parts(desk, site, tickets, {"brva": INTAKE}))
    try:
        _fill(database, site.code)
        yield Pages(app, Desk(worker, site), database, tickets, woken)
    finally:
        pool.close()
        worker.close()


def _fill(database: TestDatabase, site_code: str) -> None:
    """Load the directory and the members with the rights that an import has."""
    pool = open_pool(database.owner, name="setup", size=1)
    site = load_site(SITE)
    with Desk(pool, site).change() as work:
        import_directory(directory(), work)
    with transaction(pool) as tx:
        save_members(tx, MEMBERS)
    pool.close()


@cache
def directory() -> tuple[Partner, ...]:
    """Return the partners of the tests."""
    recovery = a_service(name="Recovery program", needs=("substance-use",))
    return (
        a_partner(CYPRESS, "Cypress Bend Healing Center (invented)", a_service(name="Healing")),
        a_partner(
            HOA_SEN,
            "Hoa Sen Family Services (invented)",
            a_service(name="Family counseling", languages=("vi", "en"), minimum_age=18),
        ),
        a_partner(SECOND_LINE, "Second Line Recovery (invented)", recovery),
    )


def _settings(database: TestDatabase) -> RoutingWebSettings:
    return RoutingWebSettings(
        site=SITE,
        database=database.web,
        demo=True,
        public_url=ROUTING,
        secret_key="0123456789abcdef0123456789abcdef",
        oidc_issuer=PROVIDER,
        oidc_client_id="routing",
        oidc_client_secret="secret",
        intake_urls={"brva": INTAKE},
        ticket_key=Path("unused"),
    )
