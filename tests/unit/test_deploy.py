"""docker-compose.yml stays in step with the code: every process, every setting, every secret."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.config import PREFIX, PROCESSES, Settings

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "deploy" / "env.template").read_text(encoding="utf-8")
REALM = json.loads((ROOT / "deploy" / "keycloak" / "realm.json").read_text(encoding="utf-8"))
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
OURS = {
    name: box
    for name, box in COMPOSE["services"].items()
    if box["image"].startswith("warm-handoff:")
}


def settings_of(process: str) -> type[Settings]:
    return PROCESSES[process.replace("-", "_")]


def test_every_process_is_a_service_and_every_service_of_ours_a_process() -> None:
    modules = {path.stem for path in (ROOT / "services").glob("*_web.py")}
    modules |= {path.stem for path in (ROOT / "services").glob("*_worker.py")}

    assert {name.replace("-", "_") for name in OURS} == modules | {"setup"}
    assert set(PROCESSES) == modules | {"setup"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_starts_its_own_module(name: str) -> None:
    command = " ".join(OURS[name]["command"])

    assert ("cli setup" if name == "setup" else name.replace("-", "_")) in command


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_gets_its_settings_and_no_others(name: str) -> None:
    given = {key for key in OURS[name]["environment"] if key.startswith(PREFIX)}
    fields = dataclasses.fields(settings_of(name))
    known = {f"{PREFIX}{field.name.upper()}" for field in fields}
    needed = {
        f"{PREFIX}{field.name.upper()}" for field in fields if field.default is dataclasses.MISSING
    }

    assert given <= known
    assert needed <= given


def test_no_production_process_is_a_demo() -> None:
    assert all("WH_DEMO" not in box["environment"] for box in OURS.values())


def test_every_variable_is_in_the_template_and_every_line_of_the_template_is_used() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE_TEXT)) - {"VERSION"}
    explained = set(re.findall(r"^([A-Z_]+)=", TEMPLATE, re.MULTILINE))

    assert used == explained


def test_a_second_agency_is_explained_and_found_from_the_folder_of_the_first() -> None:
    text = (ROOT / "deploy" / "second-agency.yml").read_text(encoding="utf-8")
    explained, _, services = text.partition("\nservices:\n")

    assert set(re.findall(r"SECOND_[A-Z_]+", services)) == set(
        re.findall(r"SECOND_[A-Z_]+", explained)
    )
    # Paths in a second file are read from the folder of the first one.
    assert set(re.findall(r"file: (\S+),", services)) == {"docker-compose.yml"}


def test_no_secret_has_a_value_in_the_template() -> None:
    for line in TEMPLATE.splitlines():
        if re.match(r"[A-Z_]*(PASSWORD|SECRET|SECRET_KEY)=", line):
            assert line.endswith("="), line


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_cannot_write_and_have_no_privileges(name: str) -> None:
    box = OURS[name]

    assert box["read_only"] is True
    assert box["cap_drop"] == ["ALL"]
    assert "USER 10001" in (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")


def test_the_image_is_built_once_for_all() -> None:
    assert [name for name, box in COMPOSE["services"].items() if "build" in box] == ["setup"]
    assert all(box["pull_policy"] == "never" for box in OURS.values())


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_changed_site_needs_no_new_image(name: str) -> None:
    assert "./deploy/sites:/app/deploy/sites:ro" in OURS[name]["volumes"]
    assert "deploy/sites" not in (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(COMPOSE["services"]) - {"setup", "mailpit", "caddy"}))
def test_what_has_state_or_work_has_a_health_check_that_lets_it_start(name: str) -> None:
    health = COMPOSE["services"][name]["healthcheck"]

    assert int(health["start_period"].removesuffix("s")) >= 60


@pytest.mark.parametrize("name", ["postgres", "keycloak-database"])
def test_a_database_that_only_sets_itself_up_is_not_healthy(name: str) -> None:
    # Its image does so on a server without TCP.
    assert COMPOSE["services"][name]["healthcheck"]["test"][2:4] == ["-h", "localhost"]


def test_only_the_worker_that_sends_mail_and_webhooks_reaches_outside() -> None:
    workers = {name for name in OURS if name.endswith("-worker")}

    assert {name for name in workers if "front" in OURS[name]["networks"]} == {
        "notifications-worker"
    }


def test_the_databases_are_out_of_reach_from_outside() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "kafka", "keycloak-database"):
        assert COMPOSE["services"][name]["networks"] == ["inside"]
        assert "ports" not in COMPOSE["services"][name]


def test_the_second_factor_is_asked_for_with_codes_that_apps_can_make() -> None:
    # A realm that names part of the policy gets zeros for the rest: no digits, no period.
    assert (REALM["otpPolicyAlgorithm"], REALM["otpPolicyDigits"]) == ("HmacSHA1", 6)
    assert (REALM["otpPolicyPeriod"], REALM["otpPolicyLookAheadWindow"]) == (30, 1)
    assert [a["alias"] for a in REALM["requiredActions"] if a["defaultAction"]] == [
        "CONFIGURE_TOTP"
    ]


def test_a_first_password_can_be_temporary() -> None:
    # A realm that names required actions has no others.
    assert "UPDATE_PASSWORD" in {a["alias"] for a in REALM["requiredActions"] if a["enabled"]}


@pytest.mark.parametrize("name", sorted(name for name in OURS if name.endswith("-worker")))
def test_a_worker_that_its_watchdog_ends_is_started_again(name: str) -> None:
    """The kernel spares process 1 what ends others, SIGPROF too: it must be another program."""
    assert OURS[name]["init"] is True
    assert OURS[name]["restart"] == "unless-stopped"
