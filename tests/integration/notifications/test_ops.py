"""The operator sees states and endpoint ids, and can send a failed message again."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from notifications.adapters.ops import deliveries, deliveries_section
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
            ops=OpsOptions((deliveries_section(),)),
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
    token = form_token(client.get("/ops").text)
    data = {"csrf_token": token, "reason": reason}
    return client.post(f"/ops/deliveries/{delivery_id}/send-again", data=data).status_code


def test_the_page_names_states_attempts_and_endpoint_ids_only(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID]
) -> None:
    (row,) = world.rows(failed())

    page = client.get("/ops")

    assert page.status_code == 200
    assert f"<code>{row.endpoint_id}</code>" in page.text
    assert "<code>timeout</code>" in page.text
    for hidden in (ADDRESS, REFERENCE, str(PARTNER), str(row.referral_id), str(row.offer_id)):
        assert hidden not in page.text


def test_the_list_is_narrowed_by_state_and_endpoint(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID]
) -> None:
    (row,) = world.rows(failed())
    shown = f'data-label="Endpoint id"><a href="/ops?endpoint_id={row.endpoint_id}'

    assert shown in client.get(f"/ops?state=exhausted&endpoint_id={row.endpoint_id}").text
    assert shown not in client.get("/ops?state=delivered").text
    assert shown not in client.get(f"/ops?endpoint_id={uuid4()}").text
    assert shown in client.get("/ops?state=nonsense&endpoint_id=nonsense").text


def test_a_failed_delivery_is_sent_again_under_the_same_id_and_the_reason_is_kept(
    client: FlaskClient, world: PostgresWorld, failed: Callable[..., UUID], woken: list[int]
) -> None:
    referral = failed()
    (before,) = world.rows(referral)

    assert send_again(client, before.delivery_id) == 302

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
    assert client.post(url, data=data).status_code == 403
    with client.session_transaction() as session:
        session.clear()
    assert client.get("/ops").status_code == 302
    assert world.rows(row.referral_id)[0].state is State.EXHAUSTED
