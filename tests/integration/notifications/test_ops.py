"""The operator sees states and endpoint ids, and can send a failed message again."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from notifications.adapters.ops import PAGE, deliveries, deliveries_section
from notifications.application.tell import tell_of_offer
from notifications.domain.attempts import State
from notifications.domain.notices import Owner
from shared.db import open_pool
from shared.http import OpsOptions, create_app
from tests.integration.notifications.conftest import PostgresWorld
from tests.support.databases import TestDatabase
from tests.support.notifications import PARTNER, REFERENCE, an_occasion, an_offer
from tests.support.web import a_site, add_member, form_token, sign_in, web_settings

ADDRESS = "referrals@partner.example.org"


@pytest.fixture
def woken() -> list[int]:
    return []


@pytest.fixture
def client(notifications_db: TestDatabase, woken: list[int]) -> Iterator[FlaskClient]:
    with open_pool(notifications_db.web, name="ops-test") as pool:
        app = create_app(
            __name__,
            service="notifications",
            settings=web_settings(public_url="http://localhost"),
            pool=pool,
            site=a_site(),
            ops=OpsOptions((deliveries_section(),), (PAGE,)),
        )
        app.register_blueprint(deliveries(pool, lambda: woken.append(1)))
        add_member(notifications_db.owner, "operator", "operator")
        add_member(notifications_db.owner, "stranger", "partner")
        client = app.test_client()
        sign_in(client, "operator")
        yield client


@pytest.fixture
def failed(world: PostgresWorld) -> Callable[..., UUID]:
    """Make a delivery that is in a state, and return its referral."""

    def make(state: State = State.EXHAUSTED, *, hours: float = 4) -> UUID:
        world.a_point(Owner.PARTNER, PARTNER, address=ADDRESS)
        occasion = an_occasion()
        with world.store() as store:
            tell_of_offer(occasion, an_offer(datetime.now(UTC) + timedelta(hours=hours)), store)
        world.execute(
            "update delivery set state = %s, attempts = 4, last_class = 'timeout'"
            " where referral_id = %s",
            state,
            occasion.referral_id,
        )
        return occasion.referral_id

    return make


def send_again(client: FlaskClient, delivery_id: UUID, reason: str = "cause-mended") -> int:
    token = form_token(client.get("/ops/deliveries").text)
    data = {"csrf_token": token, "reason": reason}
    return client.post(f"/ops/deliveries/{delivery_id}/send-again", data=data).status_code


def test_the_page_names_states_attempts_and_endpoint_ids_only(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID]
) -> None:
    (row,) = world.rows(failed())

    page, overview = client.get("/ops/deliveries"), client.get("/ops")

    assert (page.status_code, overview.status_code) == (200, 200)
    assert f"<code>{row.endpoint_id}</code>" in page.text
    assert "<code>timeout</code>" in page.text
    for hidden in (ADDRESS, REFERENCE, str(PARTNER), str(row.referral_id), str(row.offer_id)):
        assert hidden not in page.text + overview.text


def test_the_list_is_narrowed_by_state_channel_and_endpoint(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID]
) -> None:
    (row,) = world.rows(failed())
    shown = f'data-label="Endpoint id"><a href="/ops/deliveries?endpoint_id={row.endpoint_id}'
    path = "/ops/deliveries"

    assert shown in client.get(f"{path}?state=exhausted&endpoint_id={row.endpoint_id}").text
    assert shown in client.get(f"{path}?channel=email").text
    assert shown not in client.get(f"{path}?channel=webhook").text
    assert shown not in client.get(f"{path}?state=delivered").text
    assert shown not in client.get(f"{path}?endpoint_id={uuid4()}").text
    assert shown in client.get(f"{path}?state=nonsense&endpoint_id=nonsense").text


def test_a_failed_delivery_is_sent_again_under_the_same_id_and_the_reason_is_kept(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID], woken: list[int]
) -> None:
    referral = failed()
    (before,) = world.rows(referral)

    assert send_again(client, before.delivery_id) == 303

    (after,) = world.rows(referral)
    assert (after.delivery_id, after.state, after.attempts) == (
        before.delivery_id,
        State.WAITING,
        0,
    )
    assert woken == [1]
    with world.pool.connection() as tx:
        audit = tx.execute("select delivery_id, reason from send_again").fetchall()
    assert audit == [{"delivery_id": before.delivery_id, "reason": "cause-mended"}]


@pytest.mark.parametrize(
    ("state", "hours"),
    [(State.DELIVERED, 4), (State.STOPPED, 4), (State.SENDING, 4), (State.EXHAUSTED, -1)],
)
def test_what_is_delivered_stopped_or_over_is_not_sent_again(
    client: FlaskClient,
    world: PostgresWorld,
    failed: Callable[..., UUID],
    state: State,
    hours: float,
) -> None:
    """R-15, R-16."""
    failed()
    referral = failed(state, hours=hours)
    row = world.rows(referral)[0]

    assert send_again(client, row.delivery_id) == 409
    assert world.rows(referral)[0].state is state


def test_a_reason_must_be_chosen_and_the_delivery_must_exist(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID]
) -> None:
    (row,) = world.rows(failed())

    assert send_again(client, row.delivery_id, reason="because") == 422
    assert send_again(client, uuid4()) == 404


def send_all_again(client: FlaskClient, **form: str) -> int:
    page = client.get("/ops/deliveries").text
    until = re.search(r'name="until" value="([^"]+)"', page)
    data = {
        "csrf_token": form_token(page),
        "until": until[1] if until else datetime.now(UTC).isoformat(),
        "reason": "cause-mended",
        "per_second": "2",
        "action": "send-again",
        **form,
    }
    return client.post("/ops/deliveries/send-again", data=data).status_code


def test_all_that_failed_goes_out_again_one_after_the_other_and_each_has_its_audit_row(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID], woken: list[int]
) -> None:
    failed()
    failed(State.DELIVERED)
    assert send_all_again(client) == 303

    with world.pool.connection() as tx:
        rows = tx.execute(
            "select state, extract(epoch from next_attempt_at - min(next_attempt_at) over ())"
            " as after from delivery join send_again using (delivery_id) order by 2"
        ).fetchall()
    assert rows == [{"state": "waiting", "after": Decimal(0)}]
    assert woken == [1]
    page = BeautifulSoup(client.get("/ops/deliveries").text, "html.parser")
    row = page.select("table[aria-labelledby=again] tbody tr")[0]
    assert [cell.get_text(strip=True) for cell in row.select("td")] == [
        "1",
        "0",
        "1",
        "The cause is mended",
        "Invented operator",
    ]


def test_a_trial_run_says_how_many_would_go_and_sends_nothing(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID], woken: list[int]
) -> None:
    referral = failed()
    before = world.rows(referral)

    assert send_all_again(client, action="dry-run") == 303

    assert world.rows(referral) == before
    assert woken == []
    page = BeautifulSoup(client.get("/ops/deliveries").text, "html.parser")
    row = page.select("table[aria-labelledby=again] tbody tr")[0]
    assert [cell.get_text(strip=True) for cell in row.select("td")] == [
        "1",
        "trial run: nothing was sent",
        "0",
        "The cause is mended",
        "Invented operator",
    ]


def test_many_that_go_out_again_are_spread_over_time(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID]
) -> None:
    for _ in range(2):
        failed()  # a partner has one more contact point each time
    assert send_all_again(client) == 303

    with world.pool.connection() as tx:
        rows = tx.execute(
            "select extract(epoch from next_attempt_at - min(next_attempt_at) over ()) as after"
            " from delivery where state = 'waiting' order by 1"
        ).fetchall()
    assert [float(row["after"]) for row in rows] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    "form",
    [
        {"state": "failed-temporarily"},
        {"channel": "webhook"},
        {"endpoint_id": str(uuid4())},
        {"until": "2026-01-01T00:00:00+00:00"},
    ],
)
def test_what_the_filter_or_the_look_did_not_show_is_left_alone(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID], form: dict[str, str]
) -> None:
    referral = failed()

    assert send_all_again(client, **form) == 404
    assert [row.state for row in world.rows(referral)] == [State.EXHAUSTED]


@pytest.mark.parametrize(
    ("state", "hours"),
    [(State.DELIVERED, 4), (State.STOPPED, 4), (State.SENDING, 4), (State.EXHAUSTED, -1)],
)
def test_many_never_include_what_is_delivered_stopped_or_over(
    client: FlaskClient, failed: Callable[..., UUID], state: State, hours: float
) -> None:
    """R-15, R-16."""
    failed(state, hours=hours)

    assert send_all_again(client) == 404


@pytest.mark.parametrize(
    "form",
    [{"reason": "because"}, {"per_second": "0"}, {"until": "now"}, {"action": "drop"}],
)
def test_sending_many_again_needs_a_reason_a_pace_and_a_page(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID], form: dict[str, str]
) -> None:
    referral = failed()

    assert send_all_again(client, **form) == 422
    assert [row.state for row in world.rows(referral)] == [State.EXHAUSTED]


def test_nobody_but_an_operator_gets_in(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID]
) -> None:
    (row,) = world.rows(failed())
    token = form_token(client.get("/ops").text)
    url = f"/ops/deliveries/{row.delivery_id}/send-again"
    data = {"csrf_token": token, "reason": "cause-mended"}

    assert client.get(url).status_code == 405
    sign_in(client, "stranger")
    assert client.get("/ops").status_code == 403
    assert client.get("/ops/deliveries").status_code == 403
    assert client.post("/ops/deliveries/send-again", data=data).status_code == 403
    assert client.post(url, data=data).status_code == 403
    with client.session_transaction() as session:
        session.clear()
    assert client.get("/ops").status_code == 302
    assert world.rows(row.referral_id)[0].state is State.EXHAUSTED
