"""What only a real database can show: sealing, locks, the audit, crashes, rights of the roles."""

import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from intake.adapters.clock import Clock
from intake.adapters.keys import Seal
from intake.application.commands import Grant
from intake.application.disclose import Disclosed, read_disclosure
from intake.application.drafts import start_draft
from intake.application.follow import follow, learn_partner
from intake.application.queries import list_referrals, referral_overview
from intake.application.submit import submit_referral
from intake.application.take_back import erase_person, revoke_release, withdraw
from intake.domain.partners import Partner
from intake.domain.releases import OnPaper
from shared.crypto import CannotOpen, key_name_of
from shared.db import Pool, transaction
from shared.errors import NotFound
from tests.integration.intake.worlds import World
from tests.support.databases import rows_read
from tests.unit.intake.builders import (
    ADVOCATE,
    PNG,
    RULES,
    a_channel,
    a_contact,
    a_partner,
    a_person,
    a_request,
    a_story,
    a_submission,
    some_news,
)

CANARY = "Zebulon-Quixote-Canary"


def sent(world: World, *, canary: str = "Jordan") -> tuple[UUID, Partner]:
    partner = a_partner()
    channel = a_channel(
        address=f"{canary} 225-555-0177", when=canary, who_may_answer=canary, ask_for=canary
    )
    story = a_story(
        person=a_person(pseudonym=canary, name=canary),
        contact=a_contact(channels=(channel,)),
    )
    request = a_request(
        partner, signature=OnPaper(PNG + canary.encode(), "image/png", canary), statement=canary
    )
    with world.following() as work:
        learn_partner(partner, 1, work=work)
    with world.web.work() as work:
        submitted = submit_referral(a_submission(request, story=story), work=work)
    return submitted.referral_id, partner


def accepted(world: World, referral_id: UUID, partner: Partner) -> Grant:
    offer_id = uuid4()
    for what in ("offered", "accepted"):
        news = some_news(referral_id, what, offer_id=offer_id, partner_id=partner.partner_id)
        with world.following() as work:
            follow(news, work=work)
    issuer, subject = "https://id.example.org", "partner-cypress"
    return Grant(offer_id, partner.partner_id, issuer, subject, datetime.now(UTC))


def owners(world: World) -> set[UUID]:
    return {row["owner_id"] for row in rows(world.keys_admin, "select owner_id from data_key")}


def make_older(world: World, *owner_ids: UUID) -> None:
    """Let two days pass since these keys were made."""
    with transaction(world.keys_admin) as tx:
        tx.execute(
            "update data_key set created_at = created_at - interval '2 days'"
            " where owner_id = any(%s)",
            (list(owner_ids),),
        )


def person_of(world: World, referral_id: UUID) -> UUID:
    with world.web.work() as work:
        return work.referrals.get(referral_id).person_id


def release_of(world: World, referral_id: UUID) -> UUID:
    with world.web.work() as work:
        return work.referrals.get(referral_id).releases[0].release_id


def rows(pool: Pool, statement: str) -> list[dict[str, Any]]:
    with transaction(pool) as tx:
        return tx.execute(statement).fetchall()


def every_value(pool: Pool) -> Iterator[bytes]:
    """Give every value of every column, text as it reads and bytes as they are."""
    tables = rows(pool, "select tablename from pg_tables where schemaname = 'public'")
    for table in tables:
        name = sql.Identifier(table["tablename"])
        with transaction(pool) as tx:
            for row in tx.execute(sql.SQL("select * from {}").format(name)):
                for value in row.values():
                    is_bytes = isinstance(value, bytes)
                    yield value if is_bytes else repr(value).encode()


class TestSealing:
    def test_no_column_and_no_log_holds_identity_in_clear(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """R-02, R-13."""
        with world.web.work() as work:
            start_draft(CANARY.encode(), member_id=ADVOCATE, work=work)

        referral_id, partner = sent(world, canary=CANARY)
        grant = accepted(world, referral_id, partner)
        with world.web.work() as work:
            assert list_referrals(by=ADVOCATE, work=work).referrals[0].pseudonym == CANARY
            assert read_disclosure(grant, work=work).name == CANARY
            revoke_release(referral_id, release_of(world, referral_id), by=ADVOCATE, work=work)

        forms = {CANARY, "225-555-0177", base64.b64encode(CANARY.encode()).decode()[:16]}
        found = [*every_value(world.admin), *every_value(world.keys_admin)]
        assert len(found) > 100
        assert not [v for v in found for form in forms if form.encode() in v]
        heard = capsys.readouterr()
        assert CANARY not in heard.out + heard.err

    def test_involved_agencies_never_leave(self, world: World) -> None:
        """R-10: routing gets the list of barred partners without reasons."""
        sent(world)

        payloads = [bytes(row["payload"]) for row in rows(world.admin, "select * from outbox")]

        assert payloads
        assert not [p for p in payloads if b"baton-rouge-police" in p or b"directly" in p]

    def test_what_is_sealed_names_its_key_and_opens_for_its_owner_only(self, world: World) -> None:
        one, other = (person_of(world, sent(world)[0]) for _ in range(2))
        sealed = {
            row["person_id"]: bytes(row["profile"])
            for row in rows(world.admin, "select person_id, profile from person")
        }
        seal = Seal(world.web.keys, RULES.agency)

        assert key_name_of(sealed[one]) == str(one)
        assert b"Jordan" in seal.open(one, {"profile": sealed[one]})["profile"]
        with pytest.raises(CannotOpen):
            seal.open(one, {"profile": sealed[other]})
        with pytest.raises(CannotOpen):
            seal.open(one, {"contact": sealed[one]})
        with pytest.raises(CannotOpen):
            Seal(world.web.keys, "other-agency").open(one, {"profile": sealed[one]})


class TestErasing:
    def test_the_key_is_destroyed_and_routing_is_told(self, world: World) -> None:
        """R-24."""
        referral_id, _ = sent(world)
        person_id = person_of(world, referral_id)

        with world.web.work() as work:
            erase_person(person_id, by=ADVOCATE, work=work)

        assert not rows(world.keys_admin, "select * from data_key")
        assert not rows(world.admin, "select * from story")
        assert not rows(world.admin, "select * from release_signature")
        person = rows(world.admin, "select * from person")[0]
        assert (person["profile"], person["contact"]) == (None, None)
        assert person["key_destroyed_at"] is not None
        told = rows(world.admin, "select type, sequence from outbox order by id")
        assert [row["type"] for row in told] == [
            "intake.referral.submitted.v1",
            "intake.referral.erased.v1",
        ]

    def test_the_clock_destroys_the_key_after_a_crash(self, world: World) -> None:
        referral_id, _ = sent(world)
        person_id = person_of(world, referral_id)
        with transaction(world.web_pool) as tx:
            work = world.web.inside(tx, world_now(world))
            erase_person(person_id, by=ADVOCATE, work=work)
        assert rows(world.keys_admin, "select * from data_key")

        Clock(world.worker_pool, world.worker_keys, RULES.agency).step()

        assert not rows(world.keys_admin, "select * from data_key")
        assert rows(world.admin, "select * from person")[0]["key_destroyed_at"] is not None

    def test_a_restored_key_of_an_erased_person_is_destroyed_again(self, world: World) -> None:
        """R-24: a restore of the keys replays the erasures before anything else."""
        referral_id, _ = sent(world)
        person_id = person_of(world, referral_id)
        backup = rows(world.keys_admin, "select * from data_key")[0]
        with world.web.work() as work:
            erase_person(person_id, by=ADVOCATE, work=work)
        with transaction(world.keys_admin) as tx:
            tx.execute(
                "insert into data_key (owner_id, wrapper, wrapped) values (%s, %s, %s)",
                (backup["owner_id"], backup["wrapper"], backup["wrapped"]),
            )

        Clock(world.worker_pool, world.worker_keys, RULES.agency).step()

        assert not rows(world.keys_admin, "select * from data_key")

    def test_a_draft_and_its_key_end_after_seven_days(self, world: World) -> None:
        """R-29."""
        with world.web.work() as work:
            old = start_draft(b"old", member_id=ADVOCATE, work=work)
            new = start_draft(b"new", member_id=ADVOCATE, work=work)
        with transaction(world.admin) as tx:
            tx.execute(
                "update draft set expires_at = expires_at - interval '7 days' where draft_id = %s",
                (old,),
            )

        Clock(world.worker_pool, world.worker_keys, RULES.agency).step()

        assert [row["draft_id"] for row in rows(world.admin, "select * from draft")] == [new]
        keys = rows(world.keys_admin, "select owner_id from data_key")
        assert [row["owner_id"] for row in keys] == [new]

    def test_a_key_that_belongs_to_nobody_is_destroyed_after_a_day(self, world: World) -> None:
        """R-24: what a crash between making a key and committing leaves."""
        person_id = person_of(world, sent(world)[0])
        with world.web.work() as work:
            draft_id = start_draft(b"typed", member_id=ADVOCATE, work=work)
        left, just_made = uuid4(), uuid4()
        for owner_id in (left, just_made):
            world.web.keys.ensure(owner_id)
        make_older(world, person_id, draft_id, left)

        Clock(world.worker_pool, world.worker_keys, RULES.agency).step()

        assert owners(world) == {person_id, draft_id, just_made}

    def test_while_most_keys_belong_to_nobody_none_is_destroyed(self, world: World) -> None:
        """The agency's database may still have to be restored."""
        person_id = person_of(world, sent(world)[0])
        strangers = {uuid4(), uuid4()}
        for owner_id in strangers:
            world.web.keys.ensure(owner_id)
        make_older(world, person_id, *strangers)

        Clock(world.worker_pool, world.worker_keys, RULES.agency).step()

        assert owners(world) == {person_id, *strangers}

    def test_a_sent_forms_key_is_destroyed(self, world: World) -> None:
        with world.web.work() as work:
            draft_id = start_draft(b"typed", member_id=ADVOCATE, work=work)
        with world.web.work() as work:
            work.drafts.remove(draft_id)

        assert not rows(world.keys_admin, "select * from data_key")


class TestTogether:
    def test_a_double_click_makes_one_referral(self, world: World) -> None:
        partner = a_partner()
        with world.following() as work:
            learn_partner(partner, 1, work=work)
        command = a_submission(a_request(partner))
        start = threading.Barrier(4)

        def click() -> UUID:
            start.wait()
            with world.web.work() as work:
                return submit_referral(command, work=work).referral_id

        with ThreadPoolExecutor(4) as threads:
            made = {future.result() for future in [threads.submit(click) for _ in range(4)]}

        assert len(made) == 1
        assert len(rows(world.admin, "select * from referral")) == 1
        assert len(rows(world.admin, "select * from outbox")) == 1

    def test_a_crash_before_the_end_leaves_nothing(self, world: World) -> None:
        partner = a_partner()
        with world.following() as work:
            learn_partner(partner, 1, work=work)

        with pytest.raises(RuntimeError), world.web.work() as work:
            submit_referral(a_submission(a_request(partner)), work=work)
            raise RuntimeError

        for table in ("referral", "release", "person", "outbox", "submission", "story"):
            assert not rows(world.admin, f"select * from {table}")

    def test_sequences_have_no_gap(self, world: World) -> None:
        referral_id, _ = sent(world)
        release_id = release_of(world, referral_id)

        for _ in range(2):
            with world.web.work() as work:
                revoke_release(referral_id, release_id, by=ADVOCATE, work=work)
        with world.web.work() as work:
            withdraw(referral_id, by=ADVOCATE, work=work)

        told = rows(world.admin, "select type, sequence, key, topic from outbox order by id")
        assert [(row["type"].split(".")[2], row["sequence"]) for row in told] == [
            ("submitted", 1),
            ("release-revoked", 2),
            ("withdrawn", 3),
        ]
        assert {(row["key"], row["topic"]) for row in told} == {
            (str(referral_id), "intake.referral.brva")
        }

    def test_the_worker_is_woken_when_something_was_told(self, world: World) -> None:
        woken = threading.Event()
        web = replace(world.web, wake=woken.set)
        with web.work() as work:
            list_referrals(by=ADVOCATE, work=work)
        assert not woken.is_set()

        sent(replace(world, web=web))

        assert woken.is_set()


class TestTheList:
    def test_of_what_has_ended_no_more_is_read_than_shown(self, world: World) -> None:
        referral_id, _ = sent(world)
        with transaction(world.admin) as tx:
            tx.execute(_ENDED_COPIES, (referral_id,))
        with transaction(world.admin) as tx:
            tx.execute("analyze referral")

        with world.web.opened() as (tx, work):
            before = rows_read(tx, "referral")
            found = work.referrals.listed(51, 0)
            read = rows_read(tx, "referral") - before

        assert found[0].referral_id == referral_id
        assert len(found) == 51
        assert read < 200


_ENDED_COPIES = """
insert into referral (referral_id, person_id, reference, status, submitted_by, submitted_at,
  changed_at)
select gen_random_uuid(), person_id, 'WH-' || n, 'closed', submitted_by, submitted_at,
  changed_at - n * interval '1 minute'
from referral, generate_series(1, 3000) as n where referral_id = %s
"""


class TestTheRace:
    """A revocation and a read at the same moment (R-15): either order, never in between."""

    def test_a_revocation_waits_for_a_read_that_is_going_on(self, world: World) -> None:
        referral_id, partner = sent(world)
        grant = accepted(world, referral_id, partner)
        release_id = release_of(world, referral_id)

        with ThreadPoolExecutor(1) as thread:
            with world.web.work() as work:
                shown = read_disclosure(grant, work=work)
                revoking = thread.submit(self.revoke, world, referral_id, release_id)
                assert waits_for_a_lock(world)
                assert not revoking.done()
            revoking.result(timeout=10)

        assert shown.pseudonym == "Jordan"
        with pytest.raises(NotFound):
            self.read(world, grant)

    def test_a_read_waits_for_a_revocation_and_finds_nothing(self, world: World) -> None:
        referral_id, partner = sent(world)
        grant = accepted(world, referral_id, partner)
        release_id = release_of(world, referral_id)

        with ThreadPoolExecutor(1) as thread:
            with world.web.work() as work:
                revoke_release(referral_id, release_id, by=ADVOCATE, work=work)
                reading = thread.submit(self.read, world, grant)
                assert waits_for_a_lock(world)
            with pytest.raises(NotFound):
                reading.result(timeout=10)

        log = rows(world.admin, "select * from disclosure_log where kind = 'disclosure'")
        assert not log

    def test_whatever_the_order_nobody_reads_after_a_revocation(self, world: World) -> None:
        for _ in range(10):
            referral_id, partner = sent(world)
            grant = accepted(world, referral_id, partner)
            release_id = release_of(world, referral_id)
            with ThreadPoolExecutor(4) as threads:
                reading = [threads.submit(self.try_reading, world, grant) for _ in range(3)]
                threads.submit(self.revoke, world, referral_id, release_id).result(timeout=10)
            for future in reading:
                future.result()

            with pytest.raises(NotFound):
                self.read(world, grant)

    def revoke(self, world: World, referral_id: UUID, release_id: UUID) -> None:
        with world.web.work() as work:
            revoke_release(referral_id, release_id, by=ADVOCATE, work=work)

    def read(self, world: World, grant: Grant) -> Disclosed:
        with world.web.work() as work:
            return read_disclosure(grant, work=work)

    def try_reading(self, world: World, grant: Grant) -> None:
        try:
            self.read(world, grant)
        except NotFound:
            return


class TestTheAudit:
    def test_every_read_of_identity_is_logged(self, world: World) -> None:
        """R-18."""
        referral_id, partner = sent(world)
        grant = accepted(world, referral_id, partner)

        with world.web.work() as work:
            list_referrals(by=ADVOCATE, work=work)
            referral_overview(referral_id, by=ADVOCATE, work=work)
            read_disclosure(grant, work=work)

        log = rows(world.admin, "select * from disclosure_log order by line")
        assert [(row["kind"], row["reader"]) for row in log] == [
            ("list", str(ADVOCATE)),
            ("referral", str(ADVOCATE)),
            ("disclosure", "https://id.example.org partner-cypress"),
        ]
        assert all(row["referral_ids"] == [referral_id] for row in log)
        assert log[2]["organization_id"] == partner.partner_id
        assert log[2]["items"] == ["needs", "facts", "name", "contact"]

    def test_a_read_that_fails_is_no_read(self, world: World) -> None:
        referral_id, partner = sent(world)
        grant = accepted(world, referral_id, partner)
        with transaction(world.keys_admin) as tx:
            tx.execute("delete from data_key")

        with pytest.raises(NotFound), world.web.work() as work:
            read_disclosure(grant, work=work)

        assert not rows(world.admin, "select * from disclosure_log where kind = 'disclosure'")


class TestRoles:
    @pytest.mark.parametrize(
        "statement",
        [
            "select profile from person",
            "select * from story",
            "select * from release_signature",
            "select content from draft",
            "select * from disclosure_log",
            "delete from referral",
            "update release set revoked_at = null",
        ],
    )
    def test_the_worker_reads_no_identity(self, world: World, statement: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(world.worker_pool, statement)

    def test_the_worker_opens_no_key(self, world: World) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            world.worker_keys.find([uuid4()])

    @pytest.mark.parametrize(
        "statement",
        [
            "select * from disclosure_log",
            "delete from disclosure_log",
            "update disclosure_log set reader = ''",
            "delete from release",
            "update release set expires_at = now()",
            "delete from referral_event",
            "insert into offer (offer_id) values (gen_random_uuid())",
            "update partner set record = null",
        ],
    )
    def test_web_cannot_change_what_is_evidence(self, world: World, statement: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(world.web_pool, statement)


def world_now(world: World) -> Any:
    with world.web.work() as work:
        return work.now


def waits_for_a_lock(world: World) -> bool:
    """Wait until somebody waits for a lock; False if nobody does within five seconds."""
    pause = threading.Event()
    for _ in range(100):
        found = rows(
            world.admin,
            "select from pg_stat_activity where wait_event_type = 'Lock'"
            " and datname = current_database()",
        )
        if found:
            return True
        pause.wait(0.05)
    return False
