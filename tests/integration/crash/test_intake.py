"""Intake, killed at any step of a verb: tried again it has one effect and leaves no key."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from intake.adapters.api import referrals
from intake.adapters.clock import Clock
from intake.adapters.events import CONSUMER, FINAL, IMMEDIATE, Events
from intake.adapters.following import following
from intake.adapters.keys import PostgresKeys
from intake.adapters.units import Units
from intake.application.commands import Grant
from intake.application.disclose import read_disclosure
from intake.application.drafts import discard_draft, load_draft, start_draft
from intake.application.follow import follow, learn_partner
from intake.application.ports import Work
from intake.application.queries import referral_timeline
from intake.application.submit import add_release, submit_referral
from intake.application.take_back import erase_person, revoke_release, withdraw
from shared.crypto import FileKeyWrapper
from shared.db import Pool, open_pool, transaction
from shared.errors import NotFound
from shared.http import create_app, json_api
from shared.http.web import web
from shared.worker import Inbox
from tests.integration.intake.test_api import KnownTokens, changed
from tests.integration.intake.test_events import news
from tests.support.databases import TestDatabase
from tests.support.dying import Process
from tests.support.web import a_site, add_member, web_settings
from tests.unit.intake.builders import (
    ADVOCATE,
    AGENCY_ID,
    RULES,
    a_partner,
    a_request,
    a_submission,
    more_releases,
    some_news,
)

PARTNER = uuid4()
OTHER = uuid4()


@dataclass(frozen=True)
class Intake:
    """An intake whose web process can be killed; `alive` works beside it as a new process."""

    process: Process
    units: Units
    alive: Units
    admin: Pool
    keys: Pool
    clock: Clock

    def sent(self) -> tuple[UUID, UUID, UUID]:
        """Refer somebody new; return the ids of referral, release and person."""
        with self.alive.work() as work:
            referral_id = submit_referral(a_submission(a_request(PARTNER)), work=work).referral_id
            referral = work.referrals.get(referral_id)
        return referral_id, referral.releases[0].release_id, referral.person_id

    def told(self, referral_id: UUID) -> list[str]:
        """Return what routing is told of a referral, in order."""
        with transaction(self.admin) as tx:
            rows = tx.execute(
                "select type, sequence from outbox where key = %s order by id", (str(referral_id),)
            ).fetchall()
        assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
        return [row["type"].split(".")[2] for row in rows]

    def number(self, statement: str, *values: object) -> int:
        """Return one number from the database."""
        with transaction(self.admin) as tx:
            row = tx.execute(statement.encode(), values).fetchone()
        assert row is not None
        return int(row["number"])

    def has_key(self, owner_id: UUID) -> bool:
        """Tell whether a person or a draft still has a key."""
        with transaction(self.keys) as tx:
            return bool(
                tx.execute("select from data_key where owner_id = %s", (owner_id,)).rowcount
            )


@pytest.fixture
def intake(
    intake_db: TestDatabase, intake_keys_db: TestDatabase, tmp_path: Path
) -> Iterator[Intake]:
    (tmp_path / "agency.key").write_bytes(bytes(range(32)))
    wrapper, process = FileKeyWrapper(tmp_path / "agency.key"), Process()
    with (
        open_pool(intake_db.web, name="web") as pool,
        open_pool(intake_keys_db.web, name="keys") as keys,
        open_pool(intake_db.worker, name="worker") as worker,
        open_pool(intake_keys_db.worker, name="keys-worker") as worker_keys,
        open_pool(intake_db.admin, name="admin") as admin,
        open_pool(intake_keys_db.admin, name="keys-admin") as keys_admin,
    ):
        with transaction(worker) as tx:
            for partner_id in (PARTNER, OTHER):
                learn_partner(a_partner(partner_id=partner_id), 1, work=following(tx))
        yield Intake(
            process,
            Units(process.pool(pool), PostgresKeys(process.pool(keys), wrapper), RULES),
            Units(pool, PostgresKeys(keys, wrapper), RULES),
            admin,
            keys_admin,
            Clock(worker, PostgresKeys(worker_keys, wrapper), RULES.agency),
        )


@pytest.fixture
def client(intake: Intake, intake_db: TestDatabase) -> FlaskClient:
    """Give an agency's own system, whose requests the process that can be killed answers."""
    app: Flask = create_app(
        __name__,
        service="intake",
        settings=web_settings(),
        pool=intake.units.pool,
        site=a_site(),
    )
    json_api(app, "Intake").register_blueprint(referrals(intake.units))
    with app.app_context():
        web().tokens = KnownTokens()  # type: ignore[assignment]
    add_member(intake_db.owner, "agency-system", "client", organization=AGENCY_ID)
    return app.test_client()


def test_a_request_with_the_same_key_is_one_referral(intake: Intake, client: FlaskClient) -> None:
    body = changed("releases.0.partner_id", str(PARTNER))

    for sent, death in enumerate(intake.process.every_death(), 1):
        headers = {
            "Authorization": "Bearer agency-system",
            "Idempotency-Key": f'"{uuid4()}"',
        }
        with death:
            client.post("/api/referrals", json=body, headers=headers)
        answer = client.post("/api/referrals", json=body, headers=headers)

        assert answer.status_code == 202
        assert intake.told(UUID(answer.get_json()["referral_id"])) == ["submitted"]
        assert intake.number("select count(*) as number from referral") == sent
        assert intake.number("select count(*) as number from person") == sent


def revoke(referral_id: UUID, release_id: UUID, work: Work) -> None:
    revoke_release(referral_id, release_id, by=ADVOCATE, work=work)


def take_back(referral_id: UUID, release_id: UUID, work: Work) -> None:
    withdraw(referral_id, by=ADVOCATE, work=work)


def test_a_release_that_is_added_is_signed_and_told_once(intake: Intake) -> None:
    """R-12: the form's token makes one of however many attempts."""
    for death in intake.process.every_death():
        referral_id, _, _ = intake.sent()
        command = more_releases(referral_id, a_request(OTHER))
        with death, intake.units.work() as work:
            add_release(command, work=work)
        for _ in range(2):
            with intake.alive.work() as work:
                add_release(command, work=work)

        assert intake.told(referral_id) == ["submitted", "release-signed"]
        signed = "select count(*) as number from release join release_signature using (release_id)"
        assert intake.number(f"{signed} where referral_id = %s", referral_id) == 2


@pytest.mark.parametrize(("act", "told"), [(revoke, "release-revoked"), (take_back, "withdrawn")])
def test_what_is_taken_back_is_told_once(
    intake: Intake, act: Callable[[UUID, UUID, Work], None], told: str
) -> None:
    """R-15: and a release is never half taken back."""
    for death in intake.process.every_death():
        referral_id, release_id, _ = intake.sent()
        with death, intake.units.work() as work:
            act(referral_id, release_id, work)
        assert intake.told(referral_id) in (["submitted"], ["submitted", told])
        with intake.alive.work() as work:
            act(referral_id, release_id, work)

        assert intake.told(referral_id) == ["submitted", told]
        assert not _is_live(intake, release_id)


def test_whatever_a_partner_was_shown_is_in_the_log(intake: Intake) -> None:
    """R-18."""
    for death in intake.process.every_death():
        referral_id, release_id, _ = intake.sent()
        grant = _accepted(intake, referral_id)
        shown = 0
        with death:
            with intake.units.work() as work:
                read_disclosure(grant, work=work)
            shown = 1
        logged = _reads(intake, release_id)
        assert logged >= shown
        with intake.alive.work() as work:
            read_disclosure(grant, work=work)

        assert _reads(intake, release_id) == logged + 1


def test_a_draft_that_is_discarded_leaves_no_key(intake: Intake) -> None:
    """R-29."""
    for death in intake.process.every_death():
        with intake.alive.work() as work:
            draft_id = start_draft(b"typed", member_id=ADVOCATE, work=work)
        with death, intake.units.work() as work:
            discard_draft(draft_id, member_id=ADVOCATE, work=work)
        with suppress(NotFound), intake.alive.work() as work:
            assert load_draft(draft_id, member_id=ADVOCATE, work=work).content == b"typed"
            discard_draft(draft_id, member_id=ADVOCATE, work=work)
        intake.clock.step()

        assert not intake.has_key(draft_id)
        assert not intake.number("select count(*) as number from draft")


def test_a_person_who_is_erased_leaves_no_key_and_is_forgotten_once(intake: Intake) -> None:
    """R-24."""
    for death in intake.process.every_death():
        referral_id, release_id, person_id = intake.sent()
        with death, intake.units.work() as work:
            erase_person(person_id, by=ADVOCATE, work=work)
        with intake.alive.work() as work:
            erase_person(person_id, by=ADVOCATE, work=work)
        intake.clock.step()

        assert intake.told(referral_id) == ["submitted", "erased"]
        assert not intake.has_key(person_id)
        assert not _is_live(intake, release_id)


@pytest.mark.parametrize("last", ["offered", "accepted", "escalation-cleared"])
def test_what_routing_tells_takes_effect_once(
    intake: Intake, intake_db: TestDatabase, last: str
) -> None:
    events, about = Events(RULES), {"partner_id": PARTNER, "status": "accepted", "due": None}

    with open_pool(intake_db.worker, name="inbox") as pool:
        alive, dying = (
            Inbox(CONSUMER, each, events.handlers(), events.begin, IMMEDIATE, FINAL)
            for each in (pool, intake.process.pool(pool))
        )
        for death in intake.process.every_death():
            referral_id, offer_id = intake.sent()[0], uuid4()
            told = _FOLLOWED[: _FOLLOWED.index(last) + 1]
            *earlier, record = [
                news(referral_id, what, sequence, offer_id=offer_id, **about)
                for sequence, what in enumerate(told, 1)
            ]
            alive.apply(earlier)
            with death:
                dying.apply([record])
            for _ in range(2):
                alive.apply([record])

            with intake.alive.work() as work:
                referral, timeline = referral_timeline(referral_id, work=work)
            assert [note.what for note in timeline] == ["submitted", *told]
            assert referral.status == ("offered" if last == "offered" else "accepted")
            assert not intake.number("select count(*) as number from parked")


_FOLLOWED = ("offered", "accepted", "escalation-cleared")


def _accepted(intake: Intake, referral_id: UUID) -> Grant:
    offer_id = uuid4()
    about = {"offer_id": offer_id, "partner_id": PARTNER, "offer_reference": "WH-ABCD-23"}
    with transaction(intake.admin) as tx:
        work = following(tx)
        for what in ("offered", "accepted"):
            follow(some_news(referral_id, what, **about), work=work)
        work.flush()
    issuer, subject = "https://id.example.org", "partner-cypress"
    return Grant(offer_id, PARTNER, issuer, subject, datetime.now(UTC))


def _is_live(intake: Intake, release_id: UUID) -> bool:
    return bool(
        intake.number(
            "select count(*) as number from release where release_id = %s and revoked_at is null",
            release_id,
        )
    )


def _reads(intake: Intake, release_id: UUID) -> int:
    return intake.number(
        "select count(*) as number from disclosure_log where release_id = %s", release_id
    )
