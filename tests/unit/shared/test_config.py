import dataclasses
import os
from pathlib import Path

import pytest

from shared.config import PROCESSES, RoutingWorkerSettings, Settings, WrongSettings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("WH_"):
            monkeypatch.delenv(name)


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WH_SITE", "deploy/sites/baton-rouge")
    monkeypatch.setenv("WH_DATABASE", "dbname=routing")
    monkeypatch.setenv("WH_BUS", "kafka://kafka:9092")
    monkeypatch.setenv("WH_DEMO", "true")

    settings = RoutingWorkerSettings.from_env()

    assert settings.site == Path("deploy/sites/baton-rouge")
    assert settings.demo is True
    assert settings.metrics_port == 0


def test_every_fault_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WH_DATABSE", "dbname=routing")
    monkeypatch.setenv("WH_METRICS_PORT", "many")

    with pytest.raises(WrongSettings) as refused:
        RoutingWorkerSettings.from_env()

    text = str(refused.value)
    assert "WH_DATABSE is no setting of this process." in text
    assert "WH_METRICS_PORT cannot be read" in text
    assert "WH_DATABASE is missing: libpq connection string" in text
    assert "WH_SITE is missing" in text


def test_a_faulty_value_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WH_METRICS_PORT", "hunter2")

    with pytest.raises(WrongSettings) as refused:
        RoutingWorkerSettings.from_env()

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_every_setting_says_what_it_is(process: str) -> None:
    settings: type[Settings] = PROCESSES[process]

    assert all(field.metadata["what"] for field in dataclasses.fields(settings))
