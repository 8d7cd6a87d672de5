"""Intake's pages on a real database, with invented partners and a preview that can go away."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OKPKey
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from intake.adapters.following import following
from intake.adapters.keys import PostgresKeys
from intake.adapters.pages import Desk, Entrance, Room, add_disclosures, add_pages
from intake.adapters.pages.answers import Answers
from intake.adapters.tickets import TicketVerifier
from intake.adapters.units import Units, rules_of
from intake.application.follow import follow, learn_partner
from intake.application.ports import Fit, Reason
from intake.domain.facts import Facts
from intake.domain.partners import Partner, Service, Tie
from intake.domain.referrals import News
from shared.config import WebSettings
from shared.crypto import FileKeyWrapper
from shared.db import now, open_pool, transaction
from shared.db.members import Member, save_members
from shared.http import create_app
from shared.http.access import ISSUER, SUBJECT
from shared.site import Site, load_site
from tests.support.databases import TestDatabase
from tests.support.dying import Process

SITE = Path("deploy/sites/baton-rouge")
PROVIDER = "http://provider.example.org"
ROUTING = "https://routing.example.org"
AGENCY = UUID("1c7a9e44-5b0d-4a57-8e62-b0f4c2d91a10")

CLINIC = UUID("10000000-0000-4000-8000-000000000001")
LEGAL = UUID("10000000-0000-4000-8000-000000000002")
POLICE_UNIT = UUID("10000000-0000-4000-8000-000000000003")
CIRCLE = UUID("10000000-0000-4000-8000-000000000004")
EVALUATOR = UUID("10000000-0000-4000-8000-000000000005")

ADVOCATE = Member(uuid4(), PROVIDER, "advocate", "Renee Invented", "advocate", AGENCY)
COLLEAGUE = Member(uuid4(), PROVIDER, "advocate2", "Louis Invented", "advocate", AGENCY)
ADMIN = Member(uuid4(), PROVIDER, "agency-admin", "Ada Invented", "agency_admin", AGENCY)
OPERATOR = Member(uuid4(), PROVIDER, "operator", "Oscar Invented", "operator", uuid4())

PNG = b"\x89PNG\r\n\x1a\n" + bytes(400)
PDF = b"%PDF-1.4 a scan of a signed paper"


def a_partner(partner_id: UUID, name: str, **changes: Any) -> Partner:
    """Return a partner that offers therapy to everybody, unless changed."""
    service = Service(
        service_id=uuid4(),
        name="Therapy",
        description="One-to-one therapy.",
        needs=("trauma-therapy", "substance-use"),
        languages=("en", "es"),
        counties=("22033",),
        hours_text="Weekdays 8 to 5",
        first_contact_text="Within two working days.",
    )
    found = Partner(
        partner_id=partner_id,
        site="baton-rouge",
        name=name,
        description="Invented.",
        website="https://partner.example.org/",
        phone="225-555-0150",
        advocate_type="community",
        confidentiality="confidential",
        ties=(),
        recipient=True,
        services=(service,),
    )
    return replace(found, **changes)


PARTNERS = (
    a_partner(CLINIC, "Cypress Clinic (invented)", advocate_type="clinical"),
    a_partner(
        LEGAL, "Levee Legal Aid (invented)", ties=(Tie("east-baton-rouge-sheriff", "co-located"),)
    ),
    a_partner(
        POLICE_UNIT,
        "Police Victim Unit (invented)",
        advocate_type="system",
        confidentiality="discoverable",
        ties=(Tie("baton-rouge-police", "run-by"),),
    ),
    a_partner(CIRCLE, "Magnolia Circle (invented)", advocate_type="peer"),
    a_partner(EVALUATOR, "Evaluator (invented)", recipient=False),
)


@dataclass
class FakePreview:
    """Answers as routing does; `away` lets it not answer in time, `asked` keeps the question."""

    away: bool = False
    asked: list[tuple[Facts, Sequence[UUID]]] = field(default_factory=list)

    def preview(self, facts: Facts, barred: Sequence[UUID]) -> Sequence[Fit] | None:
        self.asked.append((facts, barred))
        return None if self.away else [self._fit(p, rank, barred) for rank, p in _recipients()]

    def _fit(self, partner: Partner, rank: int, barred: Sequence[UUID]) -> Fit:
        reasons = (
            Reason("barred", partner.partner_id not in barred, ""),
            Reason("area", passed=True, value="22033"),
            Reason("language", partner.partner_id != CIRCLE, "es,en"),
            Reason("open-now", passed=True, value="open"),
        )
        fits = all(reason.passed for reason in reasons)
        services = tuple(service.service_id for service in partner.services)
        return Fit(
            partner.partner_id, fits, rank if fits else None, reasons, services, "Tomorrow."
        )


def _recipients() -> Iterator[tuple[int, Partner]]:
    return enumerate((partner for partner in PARTNERS if partner.recipient), 1)


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
    def path(self) -> str:
        return urlsplit(self.response.request.path).path

    @property
    def title(self) -> str:
        found = self.soup.find("title")
        return found.get_text() if found else ""

    @property
    def heading(self) -> str:
        found = self.soup.find("h1")
        return found.get_text(" ", strip=True) if found else ""

    @property
    def text(self) -> str:
        """The words of the main part."""
        main = self.soup.find("main")
        return " ".join(main.get_text(" ").split()) if main else ""

    @property
    def problems(self) -> dict[str, str]:
        """The error summary: sentence by the field that its link leads to."""
        links = self.soup.select("#error-summary a")
        return {str(link["href"]).removeprefix("#"): link.get_text(strip=True) for link in links}

    def fields(self) -> dict[str, list[str]]:
        """Return what the page's own form would send unchanged."""
        form = self.soup.select_one("main form")
        return _sent(form) if form else {}

    def action(self, ending: str) -> str:
        """Return the address of the form or button of the main part that ends like this."""
        places = self.soup.select("main form[action], main button[formaction]")
        found = [str(place.get("formaction") or place["action"]) for place in places]
        return next(address for address in found if ending in address)


def _sent(form: Tag) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for box in form.select("input[name]"):
        kind = box.get("type")
        if kind == "file" or (kind in {"radio", "checkbox"} and not box.has_attr("checked")):
            continue
        values.setdefault(str(box["name"]), []).append(str(box.get("value", "")))
    return values


class Browser:
    """Opens pages and sends forms as a browser without JavaScript does, following redirects."""

    def __init__(self, client: FlaskClient, save: Callable[[Answers], UUID]) -> None:
        """Browse with the client; `save` keeps a form of the advocate as a draft."""
        self._client = client
        self.save = save

    def get(self, path: str) -> Page:
        """Open a page."""
        return Page(self._client.get(path, follow_redirects=True))

    def send(self, page: Page, files: Mapping[str, Any] | None = None, **typed: Any) -> Page:
        """Type into the page's form and press Continue; a list ticks boxes, None leaves out."""
        values = page.fields()
        for name, value in typed.items():
            values.pop(name.replace("__", "-"), None)
            if value is not None:
                values[name.replace("__", "-")] = value if isinstance(value, list) else [value]
        return self.post(page.path, values, files)

    def press(self, page: Page, ending: str, **typed: str) -> Page:
        """Press the button or send the form of the page whose address has this in it."""
        values = {**page.fields(), **{name: [value] for name, value in typed.items()}}
        return self.post(page.action(ending), values)

    def post(
        self,
        path: str,
        values: Mapping[str, Sequence[str]] | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> Page:
        """Send a form with this browser's token."""
        uploads = {name: FileStorage(*upload) for name, upload in (files or {}).items()}
        data = {**(values or {}), **uploads, "csrf_token": self.token()}
        if not files:
            return Page(self._client.post(path, data=data, follow_redirects=True))
        boundary, body = encode_multipart(MultiDict(data))
        kind = f"multipart/form-data; boundary={boundary}"
        return Page(self._client.post(path, data=body, content_type=kind, follow_redirects=True))

    def get_here(self, path: str) -> Page:
        """Open a page without following where it leads."""
        return Page(self._client.get(path))

    def sign_in(self, subject: str) -> None:
        """Sign in as somebody, as the callback of the provider does."""
        with self._client.session_transaction() as session:
            session[ISSUER] = PROVIDER
            session[SUBJECT] = subject

    def came_a_while_ago(self, *, minutes: int = 2) -> None:
        """Let minutes pass since the ticket was given."""
        with self._client.session_transaction() as session:
            before = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
            session["grant"] = {**session["grant"], "since": before}

    def leave(self) -> None:
        """Press "Exit this page"."""
        self._client.get("/exit")

    def post_without_token(self, path: str, values: Mapping[str, Sequence[str]]) -> Page:
        """Send a form that another site made up."""
        return Page(self._client.post(path, data=dict(values)))

    def token(self) -> str:
        """Return the token that this browser's forms carry."""
        page = Page(self._client.get("/nothing-here"))
        meta = page.soup.find("meta", attrs={"name": "csrf-token"})
        return str(meta["content"]) if isinstance(meta, Tag) else ""


@dataclass
class Pages:
    """The app of intake, its database, and browsers of its members; `units` are the worker's."""

    app: Flask
    site: Site
    desk: Desk
    units: Units
    preview: FakePreview
    database: TestDatabase
    ticket_key: OKPKey

    def browser(self, subject: str = "advocate") -> Browser:
        """Return a browser in which a member is signed in; "" for nobody."""
        client = self.app.test_client()
        browser = Browser(client, self._save)
        if subject:
            browser.sign_in(subject)
        return browser

    def _save(self, answers: Answers) -> UUID:
        return self.desk.start(ADVOCATE, answers)

    def learn(self, *partners: Partner) -> None:
        """Store partners, as routing tells of them."""
        with transaction(self.units.pool) as tx:
            for partner in partners:
                learn_partner(partner, 1, work=following(tx))

    def hear(self, referral_id: UUID, what: str, **details: Any) -> None:
        """Take in what routing tells of a referral."""
        with transaction(self.units.pool) as tx:
            work = following(tx)
            follow(News(referral_id, what, now(tx), **details), work=work)
            work.flush()

    def sent(self) -> list[UUID]:
        """Return the referrals that were sent, the oldest first."""
        rows = self.ask("select referral_id from referral order by submitted_at")
        return [row[0] for row in rows]

    def ticket(self, subject: str, offer: UUID, organization: UUID, **changes: Any) -> str:
        """Return a ticket as routing signs it."""
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": ROUTING,
            "aud": "http://localhost",
            "sub": subject,
            "oidc_iss": PROVIDER,
            "offer_id": str(offer),
            "organization_id": str(organization),
            "iat": now,
            "exp": now + 60,
            "jti": str(uuid4()),
            **changes,
        }
        return jwt.encode({"alg": "Ed25519"}, claims, self.ticket_key, algorithms=["Ed25519"])

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database as its superuser."""
        with psycopg.connect(self.database.admin) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def today(self) -> datetime:
        """Return the moment at the site."""
        return self.site.local(datetime.now(UTC))


@contextmanager
def intake_pages(  # noqa: PLR0913  (what a test may change, by name)
    database: TestDatabase,
    keys: TestDatabase,
    folder: Path,
    *,
    public_url: str = "http://localhost",
    issuer: str = PROVIDER,
    process: Process | None = None,
) -> Iterator[Pages]:
    """Give intake's pages on the databases, with partners and members.

    A `process` is what the app runs in, so that it can be killed.
    """
    site = load_site(SITE)
    (folder / "agency.key").write_bytes(b"k" * 32)
    ticket_key = OKPKey.generate_key("Ed25519")
    (folder / "routing.jwk").write_text(json.dumps(ticket_key.as_dict(private=False)))
    pool, key_pool = open_pool(database.web, name="web"), open_pool(keys.web, name="keys")
    if process is not None:
        pool, key_pool = process.pool(pool), process.pool(key_pool)
    wrapper = FileKeyWrapper(folder / "agency.key")
    units = Units(pool, PostgresKeys(key_pool, wrapper), rules_of(site, site.agency("brva")))
    preview = FakePreview()
    app = _app(
        units, preview, site, _settings(database, public_url, issuer), folder / "routing.jwk"
    )
    with open_pool(database.owner, name="owner", size=1) as owner, transaction(owner) as tx:
        members = (ADVOCATE, COLLEAGUE, ADMIN, OPERATOR)
        save_members(tx, [replace(member, issuer=issuer) for member in members])
    with open_pool(database.worker, name="worker", size=1) as worker_pool:
        worker = replace(units, pool=worker_pool)
        pages = Pages(app, site, Desk(units, preview), worker, preview, database, ticket_key)
        pages.learn(*PARTNERS)
        yield pages
    pool.close()
    key_pool.close()


def _app(
    units: Units, preview: FakePreview, site: Site, settings: WebSettings, jwk: Path
) -> Flask:
    agency = site.agency("brva")
    app = create_app(__name__, service="intake", settings=settings, pool=units.pool, site=site)
    add_pages(app, Room(Desk(units, preview), site, agency))
    tickets = TicketVerifier(jwk, issuer=ROUTING, audience=settings.public_url)
    add_disclosures(app, Entrance(units, tickets, agency))
    return app


def _settings(database: TestDatabase, public_url: str, issuer: str) -> WebSettings:
    return WebSettings(
        site=SITE,
        database=database.web,
        demo=True,
        public_url=public_url,
        secret_key="a-secret-of-tests-of-32-characters",
        oidc_issuer=issuer,
        oidc_client_id="intake",
        oidc_client_secret="secret",
    )


def in_days(pages: Pages, days: int) -> dict[str, Any]:
    """Return the three fields of a release's last day."""
    day = pages.today().date() + timedelta(days=days)
    return {
        "until_month": str(day.month),
        "until_day": str(day.day),
        "until_year": str(day.year),
    }
