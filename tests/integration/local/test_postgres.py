"""The server that a folder has of its own."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from services.local.postgres import CannotRun, LocalPostgres
from tests.support.databases import an_embedded_server


@pytest.fixture
def server() -> Iterator[LocalPostgres]:
    with an_embedded_server(durable=True) as server:
        yield server


def test_every_role_reaches_its_databases_and_no_other(server: LocalPostgres) -> None:
    server.create_roles_and_databases(["intake", "routing", "notifications"])

    for database, user in (
        ("intake", "intake_owner"),
        ("intake", "intake_web"),
        ("intake_keys", "intake_worker"),
        ("routing", "routing_worker"),
        ("bus", "bus_client"),
    ):
        psycopg.connect(server.dsn(database, user)).close()
    for database, user in (
        ("intake", "routing_web"),
        ("intake_keys", "notifications_worker"),
        ("routing", "intake_owner"),
        ("bus", "intake_web"),
    ):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(server.dsn(database, user))


def test_only_the_owner_makes_tables(server: LocalPostgres) -> None:
    server.create_roles_and_databases(["routing"])

    with psycopg.connect(server.dsn("routing", "routing_owner")) as owner:
        owner.execute("create table mine (id int)")
    for user in ("routing_web", "routing_worker"):
        with (
            psycopg.connect(server.dsn("routing", user)) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("create table public.theirs (id int)")


def test_each_role_has_a_password_of_its_own_that_stays(server: LocalPostgres) -> None:
    server.create_roles_and_databases(["routing"], {"routing_web": "given"})
    before = {user: server.dsn("routing", f"routing_{user}") for user in ("web", "worker")}

    server.create_roles_and_databases(["routing"])

    assert before == {user: server.dsn("routing", f"routing_{user}") for user in before}
    assert "password=given" in before["web"]
    assert "password=given" not in before["worker"]
    wrong = before["worker"].replace("password=", "password=x")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_nobody_else_can_enter_the_folder(server: LocalPostgres) -> None:
    mode = stat.S_IMODE(server.folder.stat().st_mode)
    passwords = stat.S_IMODE((server.folder / "passwords.json").stat().st_mode)

    assert (mode, passwords) == (0o700, 0o600)


def test_it_recovers_from_a_power_cut(server: LocalPostgres) -> None:
    with psycopg.connect(server.dsn("postgres")) as connection:
        connection.execute("create table kept as select 7 as number")

    server.kill()
    assert server.pid() is None
    server.start()

    with psycopg.connect(server.dsn("postgres")) as connection:
        assert connection.execute("select number from kept").fetchone() == (7,)


def test_a_second_start_attaches_to_the_running_server(server: LocalPostgres) -> None:
    again = LocalPostgres(server.folder)

    again.start()

    assert again.pid() == server.pid() is not None
    psycopg.connect(again.dsn("postgres")).close()


def test_a_stale_process_id_of_somebody_else_is_left_alone(server: LocalPostgres) -> None:
    server.stop()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (server.folder / "data" / "postmaster.pid").write_text(f"{stranger.pid}\n")

        server.stop()
        server.start()

        assert server.pid() not in {None, stranger.pid}
        assert stranger.poll() is None
        stranger.communicate(b"\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_root_is_refused_a_private_place_that_stays_private(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)

    with pytest.raises(CannotRun, match="is private, so PostgreSQL"):
        LocalPostgres(private / "data").start()

    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert not (private / "data").exists()


def test_a_folder_whose_name_is_too_long_for_a_socket_is_refused() -> None:
    with pytest.raises(CannotRun, match="too long"):
        LocalPostgres(Path("/tmp") / ("x" * 100)).start()  # noqa: S108  (never made)
