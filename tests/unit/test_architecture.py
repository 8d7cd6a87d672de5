"""What holds across the whole tree: processes, events, names."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from intake.adapters.events import Events as IntakeEvents
from notifications.adapters.events import Events as NotificationsEvents
from routing.adapters.events import Events as RoutingEvents
from shared.contracts.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
PACKAGES = ("services", "intake", "routing", "notifications", "shared")
SERVICES = ("intake", "routing", "notifications")


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (ROOT / folder).rglob("*.py")


def test_every_process_is_in_docker_compose_and_the_reverse() -> None:
    modules = {
        path.stem
        for kind in ("web", "worker")
        for path in (ROOT / "services").glob(f"*_{kind}.py")
    }
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    ours = {
        name.replace("-", "_")
        for name in compose["services"]
        if name.endswith(("-web", "-worker", "_web", "_worker"))
    }

    assert modules == {f"{service}_{kind}" for service in SERVICES for kind in ("web", "worker")}
    assert ours == modules


@pytest.mark.parametrize("type_", sorted(CATALOGUE))
def test_every_event_has_a_handler_in_each_service_that_reads_it(type_: str) -> None:
    for reader in CATALOGUE[type_].readers:
        assert type_ in _handled()[reader], f"{reader} has no handler of {type_}"


def test_no_service_handles_an_event_that_it_does_not_read() -> None:
    for service, types in _handled().items():
        declared = {type_ for type_, found in CATALOGUE.items() if service in found.readers}
        assert types == declared


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_has_a_name_that_says_nothing(package: str) -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}

    assert not [path for path in python_files(package) if path.stem in empty]


@pytest.mark.parametrize("service", SERVICES)
def test_every_package_of_a_service_is_a_package(service: str) -> None:
    """A folder without __init__.py is one whose imports nobody checks."""
    folders = {path.parent for path in python_files(service)}

    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in python_files("tests")}

    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_only_the_composition_roots_bring_services_together() -> None:
    """Tests of one service may not lean on another's insides either, but for the contract."""
    for service in SERVICES:
        others = set(SERVICES) - {service}
        for path in python_files(service):
            assert not _imported(path) & others, path


def _handled() -> Mapping[str, set[str]]:
    """Return the event types that each service's entry points are ready for."""
    nothing: Any = None
    return {
        "intake": set(IntakeEvents(nothing).handlers()),
        "routing": set(RoutingEvents(nothing).handlers()),
        "notifications": set(NotificationsEvents(nothing, nothing).handlers()),
    }


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_what_a_rule_says_is_a_whole_text_that_translators_are_given() -> None:
    """The texts are collected by the errors' names: shared/http/translations/README.md."""
    errors = {"NotFound", "NotAllowed", "Conflict", "Rejected"}
    calls = [
        (path, node)
        for path in python_files(*SERVICES, "shared")
        if path.name not in {"site_files.py", "members.py"}  # of the set-up command, in English
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in errors
    ]

    made_up = [f"{path}:{node.lineno}" for path, node in calls if not _is_for_translators(node)]

    assert len(calls) > 40
    assert made_up == []


def _is_for_translators(call: ast.Call) -> bool:
    text = call.args[0]
    if isinstance(text, ast.Call):
        return getattr(text.func, "id", "") == "_"
    return isinstance(text, ast.Constant)
