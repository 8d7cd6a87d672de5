"""The set-up command of production, on a real database server and a real Kafka with SCRAM."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from services.databases import SERVICES, all_databases
from services.local import ports
from services.local.postgres import LocalPostgres
from shared.bus import Bus, Message, open_bus
from tests.integration.bus.test_kafka_access import guarded
from tests.support.brokers import an_own_broker
from tests.support.demos import ROOT, a_folder

SITE = ROOT / "deploy" / "sites" / "baton-rouge"
USERS = ("intake-brva", "routing", "notifications")


@pytest.fixture(scope="module")
def postgres() -> Iterator[LocalPostgres]:
    with a_folder() as data:
        server = LocalPostgres(data / "postgres", durable=False)
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="module")
def kafka() -> Iterator[tuple[str, str]]:
    """Give a broker: the address of its administrator, and the one that asks for passwords."""
    admin = ports.choose()
    users = ports.choose({admin})
    controller = ports.choose({admin, users})
    numbers = {"broker": admin, "controller": controller}
    with an_own_broker(guarded(admin, users, controller), numbers) as broker:
        yield broker.url, f"kafka://{ports.HOST}:{users}"


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the keys of a new system."""
    folder = tmp_path_factory.mktemp("secrets")
    run_setup({}, "new-secrets", str(folder))
    return folder


@pytest.fixture(scope="module")
def ready(postgres: LocalPostgres, kafka: tuple[str, str], secrets: Path) -> dict[str, str]:
    """Run the set-up; give the environment that it ran with."""
    roles = [role for d in all_databases(SERVICES) if d.name != "bus" for role in d.roles]
    given = {
        "WH_SITE": str(SITE),
        "WH_DATABASE": postgres.dsn("postgres"),
        "WH_ROLE_PASSWORDS": ",".join(f"{role}=pw-{role}" for role in sorted(set(roles))),
        "WH_AGENCY": "brva",
        "WH_CONTACT_KEY": str(secrets / "contact.key"),
        "WH_OIDC_ISSUER": "https://sign-in.example.org/realms/warm-handoff",
        "WH_BUS": kafka[0],
        "WH_BUS_PASSWORDS": ",".join(f"{user}=pw-{user}" for user in USERS),
    }
    assert run_setup(given) == "Ready.\n"
    return given


def run_setup(given: dict[str, str], *command: str) -> str:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("WH_")}
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", *(command or ("setup",))],
        cwd=ROOT,
        env=clean | given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout or done.stderr


def bus_of(kafka: tuple[str, str], user: str) -> Bus:
    return open_bus(kafka[1], user=user, password=f"pw-{user}")


def send(bus: Bus, topic: str) -> str | None:
    producer = bus.producer("test")
    try:
        failed = producer.send([Message(topic, "key", {}, b"{}")])[0]
        return failed.code if failed else None
    finally:
        producer.close()


def as_role(ready: dict[str, str], database: str, role: str) -> str:
    return make_conninfo(ready["WH_DATABASE"], dbname=database, user=role, password=f"pw-{role}")


@pytest.mark.parametrize(
    ("database", "role", "table"),
    [
        ("intake", "intake_web", "member"),
        ("routing", "routing_web", "member"),
        ("notifications", "notifications_worker", "contact_point"),
    ],
)
def test_the_sites_files_are_loaded(
    ready: dict[str, str], database: str, role: str, table: str
) -> None:
    with psycopg.connect(as_role(ready, database, role)) as connection:
        row = connection.execute(f"select count(*) from {table}").fetchone()

    assert row is not None
    assert row[0] > 0


def test_set_up_again_changes_nothing(ready: dict[str, str]) -> None:
    assert run_setup(ready) == "Ready.\n"


def test_no_service_may_connect_to_anothers_database(ready: dict[str, str]) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(as_role(ready, "intake", "routing_web"))


def test_one_agencys_intake_has_no_way_to_anothers_topics(
    ready: dict[str, str], kafka: tuple[str, str], tmp_path: Path
) -> None:
    """R-13: agencies never share; a second intake is one command."""
    site = tmp_path / "site"
    site.mkdir()
    for name in ("members.csv", "contact_points.csv"):
        (site / name).write_bytes((SITE / name).read_bytes())
    (site / "site.toml").write_text((SITE / "site.toml").read_text() + SECOND_AGENCY)
    given = ready | {
        "WH_SITE": str(site),
        "WH_AGENCY": "second",
        "WH_BUS_PASSWORDS": "intake-second=pw-intake-second",
    }

    run_setup(given, "add-agency", "second")

    assert send(bus_of(kafka, "intake-second"), "intake.referral.second") is None
    assert send(bus_of(kafka, "intake-brva"), "intake.referral.second") == "not-allowed"
    assert send(bus_of(kafka, "intake-second"), "intake.referral.brva") == "not-allowed"


def test_an_agency_that_the_site_does_not_have_is_refused(ready: dict[str, str]) -> None:
    assert "has no agency nowhere" in run_setup(ready, "add-agency", "nowhere")


def test_keys_are_made_once(secrets: Path) -> None:
    before = {file.name: file.read_bytes() for file in secrets.iterdir()}

    again = run_setup({}, "new-secrets", str(secrets))

    assert set(before) == {"agency.key", "contact.key", "ticket.jwk", "ticket-public.jwk"}
    assert {file.name: file.read_bytes() for file in secrets.iterdir()} == before
    assert again == ""


SECOND_AGENCY = """

[[agencies]]
code = "second"
organization_id = "2c7a9e44-5b0d-4a57-8e62-b0f4c2d91a11"
name = "Second Agency (invented)"
phone = "225-555-0111"
advocate_type = "community"
confidential = true
statement = "Invented."
"""
