"""`make latency`: how long from an intake to the partner's webhook, stage by stage.

One intake at a time on an idle system: the real processes, a real Kafka broker, a real database
with fsync, a receiver on loopback. Every stage ends with a moment that the product itself has
stored, so nothing is added to what is measured.
"""

import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psycopg
from psycopg.rows import dict_row

from services.local import hooks, machines, ports
from services.local.folder import Folder
from services.local.kafka import can_run
from services.local.ports import issuer
from services.local.running import Demo
from services.local.settings import Place
from services.sample import Caller, a_release

PARTNER = "84d3ad05-6756-4e37-b9af-ee19df591ee8"
PARTNER_SYSTEM = "partner-cypress-system"
STAGES = (
    "request: form checked, sealed, committed",
    "intake's outbox to Kafka, acknowledged",
    "Kafka to routing, matched, committed",
    "routing's outbox to Kafka, acknowledged",
    "Kafka to notifications, delivery committed",
    "leased, signed, posted, received",
)
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Passage:
    """The moments of one referral, in seconds of the epoch, from the request to the webhook."""

    moments: Sequence[float]

    def stages(self) -> list[float]:
        """Return the duration of each stage in milliseconds."""
        return [1000 * (b - a) for a, b in zip(self.moments, self.moments[1:], strict=False)]

    def total(self) -> float:
        """Return milliseconds from the request to the webhook."""
        return 1000 * (self.moments[-1] - self.moments[0])


@click.command()
@click.option("--count", type=click.IntRange(10), default=200, show_default=True)
@click.option("--bus", type=click.Choice(["kafka", "postgres"]), default="kafka")
def main(count: int, bus: str) -> None:
    """Print a table of the stages."""
    if bus == "kafka" and (reason := can_run()):
        raise click.ClickException(reason)
    with _a_demo(bus) as place:
        with click.progressbar(range(count + 5), label="Referrals", file=sys.stderr) as numbers:
            passages = list(_passages(place, numbers))
        _print(passages[5:])  # the first ones fill caches


def _passages(place: Place, numbers: Any) -> Iterator[Passage]:  # noqa: ANN401
    provider = issuer(place.folder.ports("provider")["provider"])
    secrets = machines.client_secrets(place.folder)

    def caller(api: str, client: str) -> Caller:
        return Caller(provider, f"{place.origin}/{api}/api", client, secrets[client])

    agency, partner = caller("intake", machines.AGENCY_SYSTEM), caller("routing", PARTNER_SYSTEM)
    _wait_for_partner(place)
    for _ in numbers:
        yield _passage(place, agency, partner)
        time.sleep(0.05)  # idle again


def _passage(place: Place, agency: Caller, partner: Caller) -> Passage:
    begun = time.time()
    found = agency.post("/referrals", _intake())
    hook = _wait_for_hook(place, after=begun)
    time.sleep(0.05)  # the last acknowledgement is being stored
    moments = [begun, *_stored(place, found["referral_id"]), hook.at]
    reference = partner.get("/offers")["offers"][0]["reference"]
    partner.post(f"/offers/{reference}/decline", {"reason": "other"})  # frees the place
    return Passage(moments)


def _wait_for_partner(place: Place) -> None:
    """Wait until routing has told intake of the partner."""
    deadline = time.monotonic() + _PATIENCE
    while not _row(place, "intake", _KNOWN, (PARTNER,)) and time.monotonic() < deadline:
        time.sleep(0.1)


def _wait_for_hook(place: Place, *, after: float) -> hooks.Hook:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        newest = next(hooks.received(place.folder.hooks), None)
        if newest and newest.at > after:
            return newest
        time.sleep(0.002)
    raise click.ClickException("A webhook did not come.")


def _stored(place: Place, referral_id: str) -> list[float]:
    """Return the moments that the databases hold of a referral."""
    intake = _row(place, "intake", _OUTBOX, (referral_id, "intake.referral.submitted.v1"))
    routing = _row(place, "routing", _OUTBOX, (referral_id, "routing.referral.offered.v1"))
    told = _row(place, "notifications", _DELIVERY, (referral_id,))
    return [
        intake["created"],
        intake["sent"],
        routing["created"],
        routing["sent"],
        told["created"],
    ]


def _row(place: Place, service: str, query: str, values: Sequence[object]) -> dict[str, float]:
    dsn = place.postgres.dsn(service, f"{service}_owner")
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        found = connection.execute(query, values).fetchone() or {}
    return {name: float(value) for name, value in found.items()}


def _intake() -> dict[str, object]:
    chance = random.Random(1)  # noqa: S311
    return {
        "person": {
            "pseudonym": "Cedar 11",
            "age_band": "25-59",
            "languages": ["en"],
            "interpreter": False,
        },
        "contact": {"route": "through-advocate"},
        "encounter": {"role": "directly-injured"},
        "wishes": {"needs": ["trauma-therapy"], "urgency": "urgent", "county": "22033"},
        "releases": [a_release(chance, PARTNER, 1)],
    }


@contextmanager
def _a_demo(bus: str) -> Iterator[Place]:
    top = Path(tempfile.mkdtemp(prefix="wh-latency-"))
    top.chmod(0o755)  # the database's account passes through
    place = Place(Folder(top / "data"), ports.choose())
    try:
        with Demo(place) as demo:
            click.echo("Starting ...", err=True)
            demo.start(bus, threading.Event())
            yield place
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _print(passages: Sequence[Passage]) -> None:
    columns = list(zip(*(passage.stages() for passage in passages), strict=True))
    print(f"{len(passages)} referrals, one at a time; milliseconds\n")
    print(f"{'stage':<46}{'p50':>8}{'p95':>8}{'max':>8}")
    for name, values in zip(STAGES, columns, strict=True):
        _print_row(name, values)
    _print_row("submit -> webhook received", [passage.total() for passage in passages])


def _print_row(name: str, values: Sequence[float]) -> None:
    cuts = statistics.quantiles(values, n=20)
    print(f"{name:<46}{statistics.median(values):>8.1f}{cuts[-1]:>8.1f}{max(values):>8.1f}")


_KNOWN = "select 1 as known from partner where partner_id = %s"
_OUTBOX = """
select extract(epoch from created_at) as created, extract(epoch from sent_at) as sent
from outbox where key = %s and type = %s
"""
_DELIVERY = """
select extract(epoch from d.created_at) as created
from delivery d join contact_point c using (endpoint_id)
where d.referral_id = %s and c.channel = 'webhook' and d.template = 'offer-waiting'
"""

if __name__ == "__main__":
    main()
