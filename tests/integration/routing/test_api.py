"""Routing's API: who may ask, what is answered, and that a preview leaves no trace."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from psycopg.errors import ReadOnlySqlTransaction
from werkzeug.test import TestResponse

from routing.adapters.api import offers, previews
from routing.application import partner as partners
from routing.domain.model import Partner
from shared.db import open_pool
from shared.http import create_app, json_api, web
from shared.http.bearer import InvalidToken
from tests.integration.routing.conftest import SITE, Routing, staff_of
from tests.integration.routing.test_events import FACTS
from tests.support.databases import TestDatabase
from tests.support.web import PROVIDER, add_member, web_settings
from tests.unit.routing.builders import a_partner, a_service


class FakeTokens:
    """Takes a client's id for its token."""

    def claims(self, token: str) -> dict[str, Any]:
        if token == "expired":
            raise InvalidToken
        return {"iss": PROVIDER, "client_id": token}


@pytest.fixture
def app(routing: Routing, routing_db: TestDatabase) -> Iterator[Flask]:
    with open_pool(routing_db.web, name="api") as pool:
        made = create_app(
            __name__, service="routing", settings=web_settings(), pool=pool, site=SITE
        )
        api = json_api(made, "Routing")
        for blueprint in (previews(routing.web), offers(routing.web)):
            api.register_blueprint(blueprint)
        with made.app_context():
            web().tokens = FakeTokens()  # type: ignore[assignment]
        yield made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def ask(
    client: FlaskClient, who: str, path: str, body: Any = None, method: str = "POST"
) -> TestResponse:
    headers = {"Authorization": f"Bearer {who}"}
    return client.open(f"/api/{path}", method=method, json=body, headers=headers)


def known(routing_db: TestDatabase, name: str, organization: UUID | None = None) -> str:
    add_member(routing_db.owner, name, "client", organization=organization)
    return name


def of(found: Partner, routing_db: TestDatabase) -> str:
    return known(routing_db, f"partner-{found.partner_id}", found.partner_id)


def test_a_preview_ranks_and_explains_every_partner(
    routing: Routing, routing_db: TestDatabase, client: FlaskClient
) -> None:
    fits, far, barred = a_partner(), a_partner(None, a_service(counties=("22005",))), a_partner()
    routing.has_partners(fits, far, barred)
    body = {"facts": FACTS, "barred_partners": [str(barred.partner_id)]}

    answer = ask(client, known(routing_db, "intake"), "previews", body)

    assert answer.status_code == 200
    found = {p["partner_id"]: p for p in answer.json["partners"]}  # type: ignore[index]
    first = found[str(fits.partner_id)]
    assert (first["fits"], first["rank"]) == (True, 1)
    assert first["services"] == [str(fits.services[0].service_id)]
    assert first["expected_first_contact"] == "Within five working days."
    assert _failed(found[str(far.partner_id)]) == [("area", "22005")]
    assert _failed(found[str(barred.partner_id)]) == [("barred", "")]


def test_a_preview_leaves_no_trace(
    routing: Routing, routing_db: TestDatabase, client: FlaskClient
) -> None:
    """R-05: neither stored nor logged."""
    routing.has_partners(a_partner())
    intake = known(routing_db, "intake")
    before = _everything(routing)

    with structlog.testing.capture_logs() as logs:
        marked = {**FACTS, "languages": ["en", "xx-Cana-ZZ"]}
        assert ask(client, intake, "previews", {"facts": marked}).status_code == 200

    assert _everything(routing) == before
    assert "Cana-ZZ" not in repr(logs)


def test_the_database_refuses_to_keep_anything_of_a_preview(routing: Routing) -> None:
    """R-05."""
    with pytest.raises(ReadOnlySqlTransaction), routing.web.look() as work:
        work.store.remember_early(uuid4(), "withdrawn", None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"needs": ["hugs"]}, "facts.needs.0"),
        ({"needs": []}, "facts.needs"),
        ({"urgency": "soon"}, "facts.urgency"),
        ({"name": "Marker Person"}, "facts.name"),
        ({"interpreter": "perhaps"}, "facts.interpreter"),
        ({"languages": "en"}, "facts.languages"),
        ({"languages": ["Marker Person"]}, "facts.languages.0"),
        ({"county": "Baton Rouge"}, "facts.county"),
    ],
)
def test_a_preview_refuses_what_it_does_not_know(
    routing_db: TestDatabase, client: FlaskClient, change: dict[str, Any], field: str
) -> None:
    answer = ask(client, known(routing_db, "intake"), "previews", {"facts": {**FACTS, **change}})

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert list(answer.json["errors"]) == [field]  # type: ignore[index]
    assert "Marker Person" not in answer.text


@pytest.mark.parametrize("path", ["previews", "offers", "offers/WH-1111-11/acceptance"])
def test_nobody_gets_in_without_a_token_that_holds_and_a_membership(
    routing_db: TestDatabase, client: FlaskClient, path: str
) -> None:
    add_member(routing_db.owner, "person", "partner")
    method = "GET" if path == "offers" else "POST"

    assert client.open(f"/api/{path}", method=method).status_code == 401
    assert ask(client, "expired", path, method=method).status_code == 401
    assert ask(client, "stranger", path, method=method).status_code == 403
    assert ask(client, "person", path, method=method).status_code == 403


def test_a_partner_answers_by_its_own_system(
    routing: Routing, routing_db: TestDatabase, client: FlaskClient
) -> None:
    found = a_partner()
    routing.has_partners(found)
    reference = routing.reference(routing.receives(found))
    system = of(found, routing_db)

    inbox = ask(client, system, "offers", method="GET").json
    accepted = ask(client, system, f"offers/{reference}/acceptance")
    contacted = ask(client, system, f"offers/{reference}/contact", {"kind": "contacted"})
    started = ask(client, system, f"offers/{reference}/service-start")
    closed = ask(client, system, f"offers/{reference}/closure", {"outcome": "service-completed"})

    assert [offer["reference"] for offer in inbox["offers"]] == [reference]  # type: ignore[index]
    assert accepted.json["status"] == "accepted"  # type: ignore[index]
    assert accepted.json["facts"]["needs"] == ["trauma-therapy"]  # type: ignore[index]
    assert contacted.json["contacted_at"]  # type: ignore[index]
    assert started.json["status"] == "in-progress"  # type: ignore[index]
    assert (closed.json["status"], closed.json["facts"]) == ("completed", None)  # type: ignore[index]


def test_an_answered_offer_is_409_with_the_state_it_is_in(
    routing: Routing, routing_db: TestDatabase, client: FlaskClient
) -> None:
    found = a_partner()
    routing.has_partners(found)
    reference = routing.reference(routing.receives(found))
    system = of(found, routing_db)
    assert (
        ask(client, system, f"offers/{reference}/decline", {"reason": "other"}).status_code == 200
    )

    late = ask(client, system, f"offers/{reference}/acceptance")

    assert late.status_code == 409
    assert late.json["state"] == "declined"  # type: ignore[index]


@pytest.mark.parametrize(
    ("verb", "body"), [("acceptance", None), ("decline", {"reason": "other"})]
)
def test_an_answer_after_the_clock_is_409_with_the_offer_expired(
    routing: Routing,
    routing_db: TestDatabase,
    client: FlaskClient,
    verb: str,
    body: dict[str, str] | None,
) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.reference(referral)
    routing.runs("update offer set answer_by = now() - interval '1 second'")

    late = ask(client, of(found, routing_db), f"offers/{reference}/{verb}", body)

    assert late.status_code == 409
    assert late.content_type == "application/problem+json"
    assert late.json["state"] == "expired"  # type: ignore[index]
    assert routing.events(referral) == ["offered"]


def test_another_organizations_offer_is_404_for_every_verb(
    routing: Routing, routing_db: TestDatabase, client: FlaskClient
) -> None:
    found, other = a_partner(), a_partner()
    routing.has_partners(found, other)
    reference = routing.reference(routing.receives(found))
    system = of(other, routing_db)
    bodies = {
        "acceptance": None,
        "decline": {"reason": "other"},
        "stop-confirmation": None,
        "contact": {"kind": "contacted"},
        "service-start": None,
        "closure": {},
    }

    assert ask(client, system, f"offers/{reference}", method="GET").status_code == 404
    for verb, body in bodies.items():
        assert ask(client, system, f"offers/{reference}/{verb}", body).status_code == 404


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("decline", {"reason": "mood"}),
        ("decline", {}),
        ("decline", {"reason": "other", "note": "free text"}),
        ("contact", {"kind": "shouted"}),
        ("closure", {"outcome": "fine"}),
    ],
)
def test_a_wrong_body_is_422(
    routing: Routing,
    routing_db: TestDatabase,
    client: FlaskClient,
    verb: str,
    body: dict[str, str],
) -> None:
    found = a_partner()
    routing.has_partners(found)
    reference = routing.reference(routing.receives(found))

    answer = ask(client, of(found, routing_db), f"offers/{reference}/{verb}", body)

    assert answer.status_code == 422


def test_without_report_back_a_report_is_403(
    routing: Routing, routing_db: TestDatabase, client: FlaskClient
) -> None:
    found = a_partner()
    routing.has_partners(found)
    reference = routing.reference(routing.receives(found, release={"report_back": ()}))
    system = of(found, routing_db)
    ask(client, system, f"offers/{reference}/acceptance")

    answer = ask(client, system, f"offers/{reference}/service-start")

    assert answer.status_code == 403


def test_a_stop_is_confirmed_by_api(
    routing: Routing, routing_db: TestDatabase, client: FlaskClient
) -> None:
    found = a_partner()
    routing.has_partners(found)
    referral = routing.receives(found)
    reference = routing.reference(referral)
    with routing.web.change() as work:
        partners.accept_offer(reference, staff_of(found), work)
    routing.revokes(referral, found)
    system = of(found, routing_db)

    (waiting,) = ask(client, system, "offers", method="GET").json["offers"]  # type: ignore[index]
    confirmed = ask(client, system, f"offers/{reference}/stop-confirmation")

    assert waiting["must_stop"]
    assert confirmed.json["must_stop"] is False  # type: ignore[index]


def test_the_api_is_described(client: FlaskClient) -> None:
    described = json.loads(client.get("/api/openapi.json").text)

    assert described["openapi"] == "3.1.0"
    assert "/api/previews" in described["paths"]
    assert "/api/offers/{reference}/acceptance" in described["paths"]


def _failed(partner: dict[str, Any]) -> list[tuple[str, str]]:
    return [(r["rule"], r["value"]) for r in partner["reasons"] if not r["passed"]]


def _everything(routing: Routing) -> dict[str, Any]:
    with routing.pool.connection() as tx:
        tables = [
            row["relname"]
            for row in tx.execute("select relname from pg_stat_user_tables order by 1")
        ]
        return {
            name: tx.execute(f"select * from {name} as t order by t::text").fetchall()
            for name in tables
        }
