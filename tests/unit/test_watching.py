"""What watches a site stays in step with the code: scrapes, alerts, the runbook, the dashboard."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry, ProcessCollector

from services import intake_worker, notifications_worker, routing_worker
from shared.http.observe import RequestMetrics

ROOT = Path(__file__).parents[2]
RULES_FILE = ROOT / "deploy" / "prometheus" / "alerts.yml"
SCRAPES_FILE = ROOT / "deploy" / "prometheus" / "prometheus.yml"
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
ALERTS: Mapping[str, Mapping[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
BOARD = json.loads((ROOT / "deploy/grafana/dashboards/warm-handoff.json").read_text())
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [
    *(rule["expr"] for rule in ALERTS.values()),
    *(target["expr"] for panel in PANELS for target in panel["targets"]),
]
WORKERS = (intake_worker, routing_worker, notifications_worker)  # imported, their metrics exist
LANGUAGE = {"sum", "by", "rate", "increase", "changes", "time", "or", "vector"} | {
    "histogram_quantile"
}
FROM_PROMETHEUS = {"up", "ALERTS"}
LABELS_FROM_PROMETHEUS = {"instance", "le", "alertname", "alertstate"}
PORTS = {"web": 8000, "worker": 9100}


def compose(file: str) -> Mapping[str, Any]:
    class Loader(yaml.SafeLoader):
        """Knows the tags of docker compose."""

    Loader.add_multi_constructor("!", lambda *_: None)
    found: Mapping[str, Any] = yaml.load((ROOT / file).read_text(), Loader)["services"]  # noqa: S506
    return found


def families() -> Iterator[Any]:
    web = CollectorRegistry()
    RequestMetrics(web)
    ProcessCollector(registry=web)
    for registry in (REGISTRY, web):
        yield from registry.collect()


def series_in_the_code() -> set[str]:
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return {
        family.name + ending for family in families() for ending in endings.get(family.type, ("",))
    }


def names_in(expression: str) -> tuple[set[str], set[str]]:
    """Return the series and the labels that an expression names."""
    plain = re.sub(r'"[^"]*"|\[[^]]*\]', "", expression)
    labels: set[str] = set()
    for part in re.findall(r"\{([^}]*)\}|\bby \(([^)]*)\)", plain):
        labels |= set(re.findall(r"[a-z_]+", " ".join(part)))
    bare = re.sub(r"\{[^}]*\}|\bby \([^)]*\)", "", plain)
    return set(re.findall(r"[A-Za-z_]\w*", bare)) - LANGUAGE, labels


def labels_in_the_code() -> set[str]:
    web = CollectorRegistry()
    RequestMetrics(web)
    return {
        label
        for registry in (REGISTRY, web)
        for metric in registry._names_to_collectors.values()  # noqa: SLF001  (no other way)
        for label in getattr(metric, "_labelnames", ())
    }


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_and_label_of_a_rule_or_panel_exists_in_the_code(expression: str) -> None:
    series, labels = names_in(expression)

    assert series
    assert series <= series_in_the_code() | FROM_PROMETHEUS
    assert labels <= labels_in_the_code() | LABELS_FROM_PROMETHEUS


def test_no_label_names_a_referral_a_person_or_an_organization() -> None:
    assert labels_in_the_code() >= {"consumer", "service", "channel", "endpoint"}
    for forbidden in ("referral", "person", "organization", "partner", "agency", "member", "_id"):
        assert not [label for label in labels_in_the_code() if forbidden in label]


def targets(file: str) -> set[str]:
    found = yaml.safe_load((ROOT / file).read_text())
    parts = found["scrape_configs"][0]["static_configs"] if "scrape_configs" in found else found
    return {target for part in parts for target in part["targets"]}


@pytest.mark.parametrize(
    ("services", "scrapes"),
    [
        ("docker-compose.yml", "deploy/prometheus/prometheus.yml"),
        ("deploy/second-agency.yml", "deploy/prometheus/second-agency.yml"),
    ],
)
def test_every_process_is_scraped_and_nothing_else(services: str, scrapes: str) -> None:
    base = set() if services == "docker-compose.yml" else set(compose("docker-compose.yml"))
    processes = {
        f"{name}:{PORTS[name.rsplit('-', 1)[-1]]}"
        for name in set(compose(services)) - base
        if name.endswith(("-web", "-worker"))
    }

    assert targets(scrapes) == processes


def test_what_watches_starts_only_when_asked_for() -> None:
    watching = {name for name, box in compose("docker-compose.yml").items() if "profiles" in box}

    assert watching == {"prometheus", "grafana"}


def test_every_alert_has_its_place_in_the_runbook_and_the_reverse() -> None:
    entries = re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE)

    assert entries == list(ALERTS)
    for name, rule in ALERTS.items():
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
        assert rule["labels"]["severity"] in {"page", "day"}


def test_the_dashboards_panels_have_a_source_and_a_place_of_their_own() -> None:
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        places = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not places & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= places
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"prometheus"}


def promtool(*arguments: str | Path, given: bytes = b"") -> str:
    """Run Prometheus' own checker (Debian's package `prometheus`); return what it says."""
    program = shutil.which("promtool")
    if program is None:
        (pytest.fail if os.environ.get("REQUIRE_REAL_BROKER") == "1" else pytest.skip)(
            "no promtool: apt-get install prometheus"
        )
    answer = subprocess.run([program, *arguments], input=given, capture_output=True, check=False)
    said = (answer.stdout + answer.stderr).decode()
    assert answer.returncode == 0, said
    return said


def shown() -> str:
    """Return what a scrape gives, each metric with a sample, or the checker passes it over."""
    samples = {
        "counter": "{0}_total 1",
        "histogram": '{0}_bucket{{le="+Inf"}} 1\n{0}_sum 1\n{0}_count 1',
    }
    parts = []
    for family in families():
        if family.name.startswith("wh_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            parts.append(f"# HELP {name} {family.documentation}\n# TYPE {name} {family.type}")
            parts.append(samples.get(family.type, "{0} 1").format(family.name))
    return "\n".join([*parts, ""])


def test_names_and_units_follow_prometheus_conventions() -> None:
    assert shown().count("# TYPE") > 20
    assert promtool("check", "metrics", given=shown().encode()) == ""


def test_prometheus_takes_the_configuration() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "config", SCRAPES_FILE)


LAST = "80"  # samples of 15 seconds: 20 minutes
WELL = {
    'up{instance="a"}': f"1x{LAST}",
    'process_start_time_seconds{instance="a"}': f"1x{LAST}",
    'wh_last_measured_timestamp_seconds{source="database"}': f"0+15x{LAST}",
    'wh_last_measured_timestamp_seconds{source="bus"}': f"0+15x{LAST}",
    'wh_outbox_oldest_seconds{service="intake"}': f"1x{LAST}",
    'wh_outbox_refused_events{service="intake"}': f"0x{LAST}",
    'wh_consumer_last_poll_timestamp_seconds{consumer="routing"}': f"0+15x{LAST}",
    'wh_consumer_lag_seconds{consumer="routing",topic="intake.referral"}': f"1x{LAST}",
    'wh_held_oldest_seconds{consumer="routing"}': f"0x{LAST}",
    'wh_parked_records{consumer="routing",reason="wrong-shape"}': f"0x{LAST}",
    'wh_clocks_overdue{clock="answer"}': f"0x{LAST}",
    'wh_clocks_overdue{clock="first-contact"}': f"4x{LAST}",
    'wh_clocks_overdue{clock="key-destruction"}': f"0x{LAST}",
    'wh_deliveries_oldest_due_seconds{channel="email"}': f"1x{LAST}",
    'wh_delivery_attempts_total{channel="email",verdict="delivered"}': f"0+3x{LAST}",
    'wh_delivery_attempts_total{channel="email",verdict="temporary"}': f"0+1x{LAST}",
    'wh_deliveries_ended_total{channel="email",state="exhausted"}': f"7x{LAST}",
    'wh_endpoints_disabled{channel="webhook"}': f"0x{LAST}",
    'wh_http_requests_total{instance="a",status="200"}': f"0+100x{LAST}",
    'wh_http_requests_total{instance="a",status="503"}': f"0+1x{LAST}",
    'wh_http_request_seconds_bucket{instance="a",le="1"}': f"0+100x{LAST}",
    'wh_http_request_seconds_bucket{instance="a",le="5"}': f"0+100x{LAST}",
    'wh_http_request_seconds_bucket{instance="a",le="+Inf"}': f"0+100x{LAST}",
}
ILL = {
    "ProcessDown": ('up{instance="a"}', f"0x{LAST}"),
    "ProcessRestarts": ('process_start_time_seconds{instance="a"}', "1x60 2x5 3x5 4x10"),
    "DatabaseAway": ('wh_last_measured_timestamp_seconds{source="database"}', f"0x{LAST}"),
    "BusAway": ('wh_last_measured_timestamp_seconds{source="bus"}', f"0x{LAST}"),
    "OutboxWaits": ('wh_outbox_oldest_seconds{service="intake"}', f"61x{LAST}"),
    "EventsRefused": ('wh_outbox_refused_events{service="intake"}', f"1x{LAST}"),
    "ConsumerDoesNotRead": (
        'wh_consumer_last_poll_timestamp_seconds{consumer="routing"}',
        f"0x{LAST}",
    ),
    "ConsumerBehind": (
        'wh_consumer_lag_seconds{consumer="routing",topic="intake.referral"}',
        f"61x{LAST}",
    ),
    "EventsHeld": ('wh_held_oldest_seconds{consumer="routing"}', f"61x{LAST}"),
    "RecordsParked": ('wh_parked_records{consumer="routing",reason="wrong-shape"}', f"1x{LAST}"),
    "AnswerClockLate": ('wh_clocks_overdue{clock="answer"}', f"1x{LAST}"),
    "ErasureLate": ('wh_clocks_overdue{clock="key-destruction"}', f"1x{LAST}"),
    "DeliveriesLate": ('wh_deliveries_oldest_due_seconds{channel="email"}', f"121x{LAST}"),
    "DeliveriesFail": (
        'wh_delivery_attempts_total{channel="email",verdict="temporary"}',
        f"0+4x{LAST}",
    ),
    "DeliveriesGivenUp": (
        'wh_deliveries_ended_total{channel="email",state="exhausted"}',
        "7x70 8x10",
    ),
    "EndpointGone": ('wh_endpoints_disabled{channel="webhook"}', f"1x{LAST}"),
    "WebErrors": ('wh_http_requests_total{instance="a",status="503"}', f"0+6x{LAST}"),
    "WebSlow": ('wh_http_request_seconds_bucket{instance="a",le="1"}', f"0+90x{LAST}"),
}


def fired(tmp_path: Path, series: Mapping[str, str], expected: Sequence[str]) -> None:
    """Let Prometheus' own engine say which alerts fire after 20 minutes of these series."""
    asked = {
        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": "20m",
        "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in expected],
    }
    file = tmp_path / "test.yml"
    content = {
        "rule_files": [str(RULES_FILE)],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [{"series": s, "values": v} for s, v in series.items()],
                "promql_expr_test": [asked],
            }
        ],
    }
    file.write_text(yaml.safe_dump(content))
    promtool("test", "rules", file)


def test_no_alert_fires_while_all_is_well(tmp_path: Path) -> None:
    fired(tmp_path, WELL, [])


def test_each_alert_is_tried() -> None:
    assert list(ILL) == list(ALERTS)


@pytest.mark.parametrize("alert", ILL)
def test_an_alert_fires_for_what_it_is_about_and_no_other_does(tmp_path: Path, alert: str) -> None:
    series, values = ILL[alert]

    fired(tmp_path, {**WELL, series: values}, [alert])
