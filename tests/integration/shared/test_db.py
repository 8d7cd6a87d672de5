import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from uuid import UUID

import psycopg
import pytest

from shared.db import AWAY, Pool, Tx, now, open_pool, pipelined, statements, transaction
from shared.db.idempotency import EARLIER, KeyedRequest, Overtaken, one_effect
from shared.db.members import Member, find_member, save_members
from shared.db.migrate import DatabaseIsNewer, upgrade
from shared.db.wake import WakeListener, Waker
from shared.db.writes import Writes
from shared.errors import Rejected
from tests.support.databases import TestDatabase

_TOO_LONG_FOR_AN_INDEX = "insert into idempotency (client, key, fingerprint) values (%s, '', '')"
ISSUER = "http://provider.example.org"


@pytest.fixture
def pool(base_db: TestDatabase) -> Iterator[Pool]:
    with open_pool(base_db.owner, name="test") as pool:
        yield pool


def a_member(role: str, subject: str = "rosa", number: int = 1) -> Member:
    return Member(UUID(int=number), ISSUER, subject, "Rosa Example", role, UUID(int=99))


def test_a_removed_member_is_gone_at_the_next_look(pool: Pool) -> None:
    """R-59: staff who leave lose access immediately."""
    with transaction(pool) as tx:
        save_members(tx, [a_member("advocate")])
        assert [m.role for m in find_member(tx, ISSUER, "rosa")] == ["advocate"]
        save_members(tx, [])

        assert find_member(tx, ISSUER, "rosa") == []


def test_a_member_can_get_another_account(pool: Pool) -> None:
    with transaction(pool) as tx:
        save_members(tx, [a_member("advocate", "rosa"), a_member("advocate", "lee", number=2)])
        save_members(tx, [a_member("advocate", "rosa-2"), a_member("advocate", "lee", number=3)])

        assert find_member(tx, ISSUER, "rosa") == []
        assert find_member(tx, ISSUER, "rosa-2") == [a_member("advocate", "rosa-2")]
        assert [m.member_id for m in find_member(tx, ISSUER, "lee")] == [UUID(int=2)]


def test_a_member_of_another_issuer_is_a_stranger(pool: Pool) -> None:
    with transaction(pool) as tx:
        save_members(tx, [a_member("advocate")])

        assert find_member(tx, "http://elsewhere.example.org", "rosa") == []


@pytest.mark.parametrize("oversight", ["coordinator", "operator", "monitor"])
@pytest.mark.parametrize("role", ["advocate", "agency_admin", "partner", "partner_admin"])
def test_nobody_both_oversees_and_serves(pool: Pool, oversight: str, role: str) -> None:
    with pytest.raises(Rejected, match="may not be held by one person"), transaction(pool) as tx:
        save_members(tx, [a_member(role), a_member(oversight, number=2)])


def test_a_pipelined_transaction_with_a_fault_takes_all_of_it_back(pool: Pool) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), pipelined(pool) as tx:
        save_members(tx, [a_member("advocate")])
        tx.execute("select 1 / 0")
        time.sleep(0.1)  # so that its answer is here before the commit is sent

    with transaction(pool) as tx:
        assert find_member(tx, ISSUER, "rosa") == []
        tx.execute("create table lasting ()")
        tx.rollback()
        assert not tx.execute("select from pg_class where relname = 'lasting'").rowcount


@pytest.mark.parametrize("kind", [transaction, pipelined, statements])
def test_a_statement_that_is_too_much_does_not_count_as_a_database_that_is_away(
    pool: Pool, kind: Callable[[Pool], AbstractContextManager[Tx]]
) -> None:
    """54000 is an OperationalError to psycopg; taken for one, it would be tried for ever."""
    with pytest.raises(psycopg.Error) as raised, kind(pool) as tx:
        tx.execute(_TOO_LONG_FOR_AN_INDEX, (secrets.token_hex(20_000),))

    assert isinstance(raised.value, psycopg.DataError)
    assert not isinstance(raised.value, AWAY)


def test_a_pipelined_transaction_commits_what_its_block_has_sent(pool: Pool) -> None:
    with pipelined(pool) as tx:
        tx.execute("create table lasting ()")

    with transaction(pool) as tx:
        assert tx.execute("select from pg_class where relname = 'lasting'").rowcount


def test_a_connection_that_was_cut_while_it_rested_costs_nobody_a_request(
    pool: Pool, base_db: TestDatabase
) -> None:
    with transaction(pool) as tx:
        before = tx.info.backend_pid
    with psycopg.connect(base_db.admin) as connection:
        connection.execute("select pg_terminate_backend(%s, 5000)", (before,))

    with transaction(pool) as tx:
        assert tx.info.backend_pid != before


def test_a_full_pool_whose_connections_were_all_cut_recovers(base_db: TestDatabase) -> None:
    with open_pool(base_db.owner, name="one", size=1, wait_seconds=5.0) as pool:
        with transaction(pool) as tx:
            before = tx.info.backend_pid
        with psycopg.connect(base_db.admin) as connection:
            connection.execute("select pg_terminate_backend(%s, 5000)", (before,))

        with transaction(pool) as tx:
            assert tx.info.backend_pid != before


def test_time_stands_still_in_a_transaction(pool: Pool) -> None:
    with transaction(pool) as tx:
        assert now(tx) == now(tx)


def was_answered(pool: Pool, request: KeyedRequest) -> bool:
    with transaction(pool) as tx:
        found = tx.execute(EARLIER, {"client_id": request.client_id, "key": request.key})
        return request.was_answered(found.fetchone() or {"fingerprint": None})


def keep(pool: Pool, request: KeyedRequest) -> None:
    with one_effect(), statements(pool) as tx:
        request.keep({"made": 1}, Writes(tx))


def test_a_repeated_request_was_answered(pool: Pool) -> None:
    keep(pool, KeyedRequest("c", "k", b"1"))

    assert was_answered(pool, KeyedRequest("c", "k", b"1"))
    assert not was_answered(pool, KeyedRequest("other", "k", b"1"))
    with pytest.raises(Overtaken):
        keep(pool, KeyedRequest("c", "k", b"1"))


def test_a_key_used_for_another_body_is_refused(pool: Pool) -> None:
    keep(pool, KeyedRequest("c", "k", b"1"))

    with pytest.raises(Rejected, match="another body"):
        was_answered(pool, KeyedRequest("c", "k", b"2"))


def test_a_failed_request_frees_its_key(pool: Pool) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation), statements(pool) as tx:
        writes = Writes(tx)
        with writes.together():
            KeyedRequest("c", "k", b"1").keep({}, writes)
            writes.add("insert into idempotency (client) values (%s)", ("c",))

    assert not was_answered(pool, KeyedRequest("c", "k", b"2"))


def test_a_lent_connection_comes_back_as_it_was(pool: Pool) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), statements(pool) as tx:
        tx.execute("select 1 / 0")

    with pytest.raises(RuntimeError), transaction(pool) as tx:
        KeyedRequest("c", "k", b"1").keep({}, Writes(tx))
        raise RuntimeError
    assert not was_answered(pool, KeyedRequest("c", "k", b"1"))


def test_a_database_of_a_newer_version_is_left_alone(intake_db: TestDatabase) -> None:
    with psycopg.connect(intake_db.owner) as connection:
        connection.execute("update alembic_version set version_num = '9999'")

    with pytest.raises(DatabaseIsNewer):
        upgrade(intake_db.owner, "intake.migrations")


def test_a_migration_that_was_done_is_not_done_again(intake_db: TestDatabase) -> None:
    upgrade(intake_db.owner, "intake.migrations")


def test_web_wakes_the_worker(base_db: TestDatabase) -> None:
    woken, stop = threading.Event(), threading.Event()
    listener = WakeListener(base_db.owner, [woken])

    def listen() -> None:
        while not stop.is_set():
            listener.step()

    thread = threading.Thread(target=listen)
    thread.start()
    assert woken.wait(5), "a new listener wakes at once: something may wait since before"
    woken.clear()
    waker = Waker(base_db.owner)
    waker.wake()
    heard = woken.wait(5)
    stop.set()
    waker.wake()
    thread.join(10)
    listener.close()
    waker.close()

    assert heard
