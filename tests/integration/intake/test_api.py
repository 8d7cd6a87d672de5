"""The API of an agency's own systems: what it takes, what it refuses, what it answers."""

import base64
import copy
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from intake.adapters.api import referrals
from intake.application.follow import forget_partner, learn_partner
from shared.db import transaction
from shared.db.idempotency import KeyedRequest
from shared.db.writes import Writes
from shared.http import create_app, json_api
from shared.http.bearer import InvalidToken
from shared.http.web import web
from tests.integration.intake.worlds import World
from tests.support.web import PROVIDER, a_site, web_settings
from tests.unit.intake.builders import (
    AGENCY_ID,
    NOW,
    PNG,
    POLICE,
    TODAY,
    a_partner,
    a_tie,
)

PARTNER = uuid4()
SECOND = uuid4()
BARRED = uuid4()
MONITOR = uuid4()
ELSEWHERE = uuid4()


class KnownTokens:
    """Takes a token's text for the client's id."""

    def claims(self, token: str) -> dict[str, Any]:
        if token == "expired":
            raise InvalidToken
        return {"iss": PROVIDER, "client_id": token}


@pytest.fixture(scope="module")
def app(shared_world: World) -> Flask:
    made = create_app(
        "tests",
        service="intake",
        settings=web_settings(),
        pool=shared_world.web_pool,
        site=a_site(),
    )
    json_api(made, "Intake").register_blueprint(referrals(shared_world.web))
    with made.app_context():
        web().tokens = KnownTokens()  # type: ignore[assignment]
    return made


@pytest.fixture
def client(app: Flask, world: World) -> FlaskClient:
    with world.following() as work:
        for partner in (
            a_partner(partner_id=PARTNER),
            a_partner(partner_id=SECOND),
            a_partner(partner_id=BARRED, ties=(a_tie(POLICE),)),
            a_partner(partner_id=MONITOR, recipient=False),
            a_partner(partner_id=ELSEWHERE, site="oakland"),
        ):
            learn_partner(partner, 1, work=work)
    with transaction(world.admin) as tx:
        for subject, role, organization in (
            ("agency-system", "client", AGENCY_ID),
            ("other-system", "client", uuid4()),
            ("advocate", "advocate", AGENCY_ID),
        ):
            tx.execute(
                "insert into member (member_id, issuer, subject, role, organization_id, name)"
                " values (%s, %s, %s, %s, %s, 'Invented')",
                (uuid4(), PROVIDER, subject, role, organization),
            )
    return app.test_client()


def in_days(days: int) -> str:
    return (NOW + timedelta(days=days)).isoformat()


def a_body() -> dict[str, Any]:
    return {
        "person": {
            "pseudonym": "Jordan",
            "name": "Jordan Invented",
            "age_band": "25-59",
            "languages": ["es"],
            "interpreter": True,
            "access_needs": ["step-free"],
        },
        "contact": {
            "route": "partner-contacts",
            "channels": [
                {
                    "channel": "call",
                    "address": "225-555-0142",
                    "leave_message_ok": False,
                    "identify_agency_ok": False,
                    "when": "after 6 PM",
                }
            ],
            "confirmed_at": NOW.isoformat(),
        },
        "encounter": {"role": "witness", "involved_agencies": [POLICE]},
        "wishes": {
            "needs": ["trauma-therapy"],
            "urgency": "routine",
            "county": "22033",
            "preferences": [],
        },
        "releases": [
            {
                "partner_id": str(PARTNER),
                "rank": 1,
                "items": ["needs", "facts", "name", "contact"],
                "report_back": ["first-contact"],
                "expires_on": (TODAY + timedelta(days=30)).isoformat(),
                "statement": "I allow this.",
                "signature": {
                    "method": "drawn",
                    "media_type": "image/png",
                    "content": base64.b64encode(PNG).decode(),
                },
            }
        ],
    }


def changed(path: str, value: object) -> dict[str, Any]:
    """Return a body with one value changed; a path that ends in "+" adds to a list."""
    body = a_body()
    place: Any = body
    *parts, last = path.split(".")
    for part in parts:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if isinstance(place, list):
        place[int(last)] = value
    elif value is None:
        del place[last]
    else:
        place[last] = value
    return body


def post(
    client: FlaskClient,
    body: object,
    *,
    who: str = "agency-system",
    key: str | None = "",
    path: str = "",
) -> TestResponse:
    headers = {"Authorization": f"Bearer {who}"}
    if key is not None:
        headers["Idempotency-Key"] = key or f'"{uuid4()}"'
    return client.post(f"/api/referrals{path}", json=body, headers=headers)


def get(client: FlaskClient, path: str, who: str = "agency-system") -> TestResponse:
    return client.get(f"/api/referrals{path}", headers={"Authorization": f"Bearer {who}"})


def sent(client: FlaskClient, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = post(client, body or a_body())
    assert answer.status_code == 202, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def problem(answer: TestResponse, status: int) -> Mapping[str, Any]:
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    found: Mapping[str, Any] = answer.get_json()
    assert found["status"] == status
    return found


class TestSubmitting:
    def test_a_referral_is_accepted_with_its_place(self, client: FlaskClient) -> None:
        answer = post(client, a_body())

        body = answer.get_json()
        assert answer.status_code == 202
        assert answer.headers["Location"].endswith(f"/api/referrals/{body['referral_id']}")
        assert (body["status"], body["state"]) == ("requested", "submitted")
        assert body["releases"][0]["state"] == "live"
        assert "Jordan" not in answer.get_data(as_text=True)

    def test_the_same_key_and_body_have_one_effect(
        self, client: FlaskClient, world: World
    ) -> None:
        answers = [post(client, a_body(), key=key).get_json() for key in ('"a-1"', "a-1")]

        assert answers[0]["referral_id"] == answers[1]["referral_id"]
        with transaction(world.admin) as tx:
            assert tx.execute("select from referral").rowcount == 1

    def test_the_same_key_with_another_body_is_refused(self, client: FlaskClient) -> None:
        post(client, a_body(), key='"a-1"')

        other = changed("wishes.urgency", "urgent")

        problem(post(client, other, key='"a-1"'), 422)

    def test_a_refused_request_leaves_its_key_free(self, client: FlaskClient) -> None:
        problem(post(client, changed("releases.0.partner_id", str(uuid4())), key='"a-1"'), 422)

        assert post(client, a_body(), key='"a-1"').status_code == 202

    def test_a_key_whose_request_is_not_done_is_told(
        self, client: FlaskClient, world: World
    ) -> None:
        with transaction(world.web_pool) as tx:
            first = KeyedRequest("agency-system", "a-1", b"the same body")
            first.keep({}, Writes(tx))

            found = problem(post(client, a_body(), key='"a-1"'), 409)

        assert found["state"] == "in-progress"
        assert post(client, a_body(), key='"a-2"').status_code == 202

    def test_of_requests_at_once_with_one_key_one_has_an_effect(
        self, client: FlaskClient, app: Flask, world: World
    ) -> None:
        start = threading.Barrier(4)

        def ask() -> str:
            with app.test_client() as own:
                start.wait()
                answer = post(own, a_body(), key='"a-1"')
                return str(answer.get_json()["referral_id"])

        with ThreadPoolExecutor(4) as threads:
            made = {future.result() for future in [threads.submit(ask) for _ in range(4)]}

        assert len(made) == 1
        with transaction(world.admin) as tx:
            assert tx.execute("select from referral").rowcount == 1
        with transaction(world.keys_admin) as tx:
            assert tx.execute("select from data_key").rowcount == 1

    def test_an_answer_that_was_kept_as_a_token_is_found(
        self, client: FlaskClient, world: World
    ) -> None:
        """So answers were kept until November 2026."""
        first = post(client, a_body(), key='"a-1"').get_json()
        token = uuid4()
        with transaction(world.admin) as tx:
            tx.execute(
                "insert into submission (token, referral_id) values (%s, %s)",
                (token, first["referral_id"]),
            )
            tx.execute("update idempotency set answer = %s", (json.dumps({"token": str(token)}),))

        assert post(client, a_body(), key='"a-1"').get_json() == first

    @pytest.mark.parametrize(
        "kept", ['{"token": "7f3c2f0e-97b4-4b57-9df5-a1c2a5a2d1cb"}', '{"token": 1}', "[]", None]
    )
    def test_an_answer_that_cannot_be_read_makes_no_second_referral(
        self, client: FlaskClient, world: World, kept: str | None
    ) -> None:
        post(client, a_body(), key='"a-1"')
        with transaction(world.admin) as tx:
            tx.execute("update idempotency set answer = %s", (kept,))

        problem(post(client, a_body(), key='"a-1"'), 409)

        with transaction(world.admin) as tx:
            assert tx.execute("select from referral").rowcount == 1

    def test_a_reference_that_is_taken_meanwhile_is_replaced(
        self, client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        taken = sent(client)["reference"]
        references = iter([taken, taken, "WH-FREE-22"])
        monkeypatch.setattr("intake.adapters.units.new_reference", lambda _: next(references))
        monkeypatch.setattr("intake.adapters.store.new_reference", lambda _: next(references))

        assert sent(client)["reference"] == "WH-FREE-22"

    def test_a_key_is_needed(self, client: FlaskClient) -> None:
        found = problem(post(client, a_body(), key=None), 400)

        assert "Idempotency-Key" in str(found["errors"])

    @pytest.mark.parametrize("key", ["x" * 300, 'half"quoted', "two words"])
    def test_a_key_that_is_no_key_is_refused(self, client: FlaskClient, key: str) -> None:
        problem(post(client, a_body(), key=key), 400)

    def test_an_answer_at_once_is_the_one_that_is_read_later(self, client: FlaskClient) -> None:
        body = a_body()
        body["releases"].append(
            {**copy.deepcopy(body["releases"][0]), "partner_id": str(SECOND), "rank": 2}
        )

        at_once = post(client, body, key='"a-1"').get_json()

        assert at_once == post(client, body, key='"a-1"').get_json()
        assert at_once == get(client, f"/{at_once['referral_id']}").get_json()

    @pytest.mark.parametrize("said", ["225-555-0177", "Quandrymont", "Spanish", "es-jordan"])
    def test_a_language_that_is_none_is_refused(
        self, client: FlaskClient, world: World, said: str
    ) -> None:
        """R-02: languages are told to routing, so that no name and no number may pass as one."""
        found = problem(post(client, changed("person.languages", ["es", said])), 422)

        assert "BCP 47" in str(found["errors"]["person.languages.1"])
        assert world.count("outbox") == 0

    @pytest.mark.parametrize("write", [str, str.upper, "urn:uuid:{}".format])
    def test_who_must_not_be_told_is_kept_out_however_the_id_is_written(
        self, client: FlaskClient, world: World, write: Callable[[str], str]
    ) -> None:
        """R-10."""
        sent(client, changed("encounter.do_not_tell", [write(str(SECOND))]))

        with transaction(world.admin) as tx:
            row = tx.execute("select payload from outbox").fetchone()
        assert row is not None
        assert str(SECOND) in json.loads(bytes(row["payload"]))["barred_partners"]

    @pytest.mark.parametrize("name", [str(uuid4()), POLICE.upper(), "Cypress House"])
    def test_whoever_must_not_be_told_has_to_be_known(
        self, client: FlaskClient, world: World, name: str
    ) -> None:
        """R-10: what names nobody would bar nobody."""
        found = problem(post(client, changed("encounter.do_not_tell", [POLICE, name])), 422)

        assert list(found["errors"]) == ["encounter.do_not_tell.1"]
        assert world.count("outbox") == 0

    def test_a_partner_is_taken_for_what_it_is_now(
        self, client: FlaskClient, world: World
    ) -> None:
        """R-10: the directory that is kept is never older than the database's."""
        sent(client)
        with world.following() as work:
            learn_partner(a_partner(partner_id=PARTNER, ties=(a_tie(POLICE),)), 2, work=work)

        refused = problem(post(client, a_body()), 422)

        assert "releases.0.partner_id" in refused["errors"]
        with world.following() as work:
            learn_partner(a_partner(partner_id=PARTNER), 3, work=work)
        sent(client)
        with world.following() as work:
            forget_partner(PARTNER, 4, work=work)
        problem(post(client, a_body()), 422)


class TestBadInput:
    @pytest.mark.parametrize("who", ["other-system", "advocate"])
    def test_who_may_not_ask_is_not_told_what_is_wrong(
        self, client: FlaskClient, who: str
    ) -> None:
        problem(post(client, {}, who=who), 403)

    @pytest.mark.parametrize(
        ("path", "value", "field"),
        [
            ("surprise", "x", "surprise"),
            ("person.ssn", "x", "person.ssn"),
            ("releases.0.signature.extra", "x", "releases.0.signature.extra"),
            ("person.interpreter", "perhaps", "person.interpreter"),
            ("person.pseudonym", 7, "person.pseudonym"),
            ("person.pseudonym", "", "person.pseudonym"),
            ("person.pseudonym", "   ", "person.pseudonym"),
            ("person.pseudonym", "x" * 81, "person.pseudonym"),
            ("person.pseudonym", "a\x07b", "person.pseudonym"),
            ("person.age_band", "26", "person.age_band"),
            ("person.age_band", "13-17", "person.age_band"),
            ("person.under_guardianship", True, "person.under_guardianship"),
            ("person.works_in_law_enforcement", True, "person.works_in_law_enforcement"),
            ("person.languages", [], "person.languages"),
            ("person.languages", ["english please"], "person.languages.0"),
            ("contact.route", "by-pigeon", "contact.route"),
            ("contact.route", "person-calls", "contact.code_word"),
            ("contact.channels", [], "contact.channels"),
            ("contact.channels.0.channel", "fax", "contact.channels.0.channel"),
            ("contact.channels.0.address", "", "contact.channels.0.address"),
            ("contact.confirmed_at", None, "contact.confirmed_at"),
            pytest.param("contact.confirmed_at", in_days(1), "contact.confirmed_at", id="to come"),
            pytest.param("contact.confirmed_at", in_days(-31), "contact.confirmed_at", id="stale"),
            ("contact.confirmed_at", "yesterday", "contact.confirmed_at"),
            ("encounter.role", "suspect", "encounter.role"),
            ("encounter.role", "officer", "person.works_in_law_enforcement"),
            ("encounter.involved_agencies", ["unknown"], "encounter.involved_agencies"),
            (
                "encounter.happened_on",
                (TODAY + timedelta(days=2)).isoformat(),
                "encounter.happened_on",
            ),
            ("wishes.needs", [], "wishes.needs"),
            ("wishes.needs", ["gold"], "wishes.needs.0"),
            ("wishes.needs", ["medical", "medical"], "wishes.needs"),
            ("wishes.urgency", "yesterday", "wishes.urgency"),
            ("wishes.county", "99999", "wishes.county"),
            ("wishes.preferences", ["cheap"], "wishes.preferences.0"),
            ("releases", [], "releases"),
            ("releases.0.expires_on", None, "releases.0.expires_on"),
            (
                "releases.0.expires_on",
                (TODAY - timedelta(days=2)).isoformat(),
                "releases.0.expires_on",
            ),
            (
                "releases.0.expires_on",
                (TODAY + timedelta(days=92)).isoformat(),
                "releases.0.expires_on",
            ),
            ("releases.0.expires_on", "soon", "releases.0.expires_on"),
            ("releases.0.signature", None, "releases.0.signature"),
            ("releases.0.signature.content", "%%%", "releases.0.signature.content"),
            ("releases.0.signature.content", "bm90IGEgcGljdHVyZQ==", "releases.0.signature"),
            ("releases.0.signature.method", "paper", "releases.0.signature"),
            pytest.param(
                "releases.0.partner_id",
                str(uuid4()),
                "releases.0.partner_id",
                id="unknown-partner",
            ),
            pytest.param(
                "releases.0.partner_id",
                str(ELSEWHERE),
                "releases.0.partner_id",
                id="elsewhere-partner",
            ),
            pytest.param(
                "releases.0.partner_id",
                str(MONITOR),
                "releases.0.partner_id",
                id="monitor-partner",
            ),
            pytest.param(
                "releases.0.partner_id", str(BARRED), "releases.0.partner_id", id="barred-partner"
            ),
            ("releases.0.partner_id", "cypress", "releases.0.partner_id"),
            ("releases.0.items", ["facts"], "releases.0.items"),
            ("releases.0.items", ["needs", "facts", "diary"], "releases.0.items.2"),
            ("releases.0.items", ["needs", "facts", "substance-use"], "releases.0.items"),
            ("releases.0.report_back", ["gossip"], "releases.0.report_back.0"),
            ("releases.0.rank", 0, "releases.0.rank"),
            ("releases.0.purpose", "advertising", "releases.0.purpose"),
        ],
    )
    def test_a_field_that_breaks_a_rule_is_named(
        self, client: FlaskClient, world: World, path: str, value: object, field: str
    ) -> None:
        found = problem(post(client, changed(path, value)), 422)

        assert field in found["errors"]
        with transaction(world.admin) as tx:
            assert not tx.execute("select from outbox").rowcount

    def test_what_was_sent_is_never_repeated(self, client: FlaskClient) -> None:
        body = changed("person.pseudonym", "Zebulon-Canary" * 10)
        body["wishes"]["needs"] = ["Zebulon-Canary"]
        body["releases"][0]["items"].append("Zebulon-Canary")

        answer = post(client, body)

        problem(answer, 422)
        assert "Zebulon" not in answer.get_data(as_text=True)

    def test_two_releases_to_one_partner_are_refused(self, client: FlaskClient) -> None:
        body = a_body()
        body["releases"].append({**copy.deepcopy(body["releases"][0]), "rank": 2})

        assert "releases" in problem(post(client, body), 422)["errors"]

    def test_four_partners_are_too_many(self, client: FlaskClient) -> None:
        body = a_body()
        body["releases"] *= 4

        assert "releases" in problem(post(client, body), 422)["errors"]

    def test_an_only_need_that_no_release_names_is_refused(self, client: FlaskClient) -> None:
        """R-20."""
        found = problem(post(client, changed("wishes.needs", ["substance-use"])), 422)

        assert "releases" in found["errors"]

    def test_another_content_type_is_refused(self, client: FlaskClient) -> None:
        headers = {"Authorization": "Bearer agency-system", "Idempotency-Key": "a"}

        answer = client.post("/api/referrals", data="{}", headers=headers)

        problem(answer, 415)

    def test_a_body_that_is_too_large_is_refused(self, client: FlaskClient) -> None:
        problem(post(client, changed("person.pseudonym", "x" * 300_000)), 413)

    def test_a_body_that_is_no_object_is_refused(self, client: FlaskClient) -> None:
        problem(post(client, ["x"]), 422)


class TestWhoAsks:
    @pytest.mark.parametrize(
        ("who", "status"),
        [("expired", 401), ("stranger", 403), ("advocate", 403), ("other-system", 403)],
    )
    def test_only_the_agencys_clients_submit(
        self, client: FlaskClient, who: str, status: int
    ) -> None:
        problem(post(client, a_body(), who=who), status)

    def test_a_token_is_needed(self, client: FlaskClient) -> None:
        problem(client.post("/api/referrals", json=a_body()), 401)
        problem(client.get(f"/api/referrals/{uuid4()}"), 401)

    def test_another_agencys_referral_is_not_here(self, client: FlaskClient) -> None:
        found = sent(client)
        path = f"/{found['referral_id']}"
        release = f"{path}/releases/{found['releases'][0]['release_id']}/revocation"

        problem(get(client, path, "other-system"), 404)
        problem(post(client, None, path=release, who="other-system"), 404)
        problem(post(client, None, path=f"{path}/withdrawal", who="other-system"), 404)
        assert get(client, path).get_json()["state"] == "submitted"

    def test_an_unknown_referral_is_not_here(self, client: FlaskClient) -> None:
        problem(get(client, f"/{uuid4()}"), 404)
        problem(get(client, "/not-an-id"), 404)


class TestTakingBack:
    def test_a_revocation_shows_at_once_and_twice_is_once(self, client: FlaskClient) -> None:
        """R-15."""
        found = sent(client)
        release = found["releases"][0]["release_id"]
        path = f"/{found['referral_id']}/releases/{release}/revocation"

        answers = [post(client, None, path=path, key=None) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[1].get_json()["releases"][0]["state"] == "revoked"
        happened = [line["what"] for line in answers[1].get_json()["timeline"]]
        assert happened == ["submitted", "release-revoked"]

    def test_a_release_of_another_referral_is_not_here(self, client: FlaskClient) -> None:
        one, other = sent(client), sent(client)
        release = other["releases"][0]["release_id"]

        path = f"/{one['referral_id']}/releases/{release}/revocation"

        problem(post(client, None, path=path), 404)

    def test_a_withdrawal_cancels(self, client: FlaskClient) -> None:
        found = sent(client)

        answer = post(client, None, path=f"/{found['referral_id']}/withdrawal")

        assert answer.get_json()["status"] == "cancelled"
        assert UUID(answer.get_json()["referral_id"]) == UUID(found["referral_id"])


def test_the_description_names_what_is_needed(client: FlaskClient) -> None:
    described = client.get(
        "/api/openapi.json", headers={"Authorization": "Bearer agency-system"}
    ).get_json()

    assert described["openapi"] == "3.1.0"
    submit = described["paths"]["/api/referrals"]["post"]
    headers = [p["name"] for p in submit["parameters"] if p["in"] == "header"]
    assert headers == ["Idempotency-Key"]
    assert "202" in submit["responses"]
    body = described["components"]["schemas"]["ReferralBody"]
    assert body["additionalProperties"] is False
