"""A run as a table."""

import platform
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.faults.checks import Verdicts
from tests.faults.evidence import Evidence
from tests.faults.run import Run
from tests.faults.settling import Settled


def table(  # noqa: PLR0913  (what there is to tell of a run)
    *, seed: int, minutes: float, run: Run, settled: Settled, found: Evidence, verdicts: Verdicts
) -> str:
    """Return the run in Markdown: what was done to the system, what came of it, what held."""
    rows = _rows(seed, minutes, run, settled, found)
    lines = [f"| {name} | {value} |" for name, value in (*rows, *_headlines(verdicts))]
    held = [
        f"| {name} | {'yes' if not wrong else len(wrong)} |" for name, wrong in verdicts.items()
    ]
    return "\n".join(
        ["| run | |", "|---|---|", *lines, "", "| holds | wrong |", "|---|---|", *held, ""]
    )


def _rows(
    seed: int, minutes: float, run: Run, settled: Settled, found: Evidence
) -> Iterator[tuple[str, object]]:
    ledger = run.load.ledger
    yield "date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    yield "machine", f"{platform.system()} {platform.machine()}"
    yield "seed", seed
    yield "minutes under load", f"{minutes:.1f}"
    yield "seconds to settle", f"{settled.seconds:.0f}"
    yield "referrals submitted", len(ledger.submitted)
    yield (
        "releases revoked, referrals withdrawn",
        f"{len(ledger.revoked)}, {len(ledger.withdrawn)}",
    )
    yield "offers made", len(found.of("routing", "offer"))
    yield "answers and reports of partners", len(ledger.done)
    yield (
        "events told",
        sum(len(found.of(n, "outbox")) for n in ("intake", "routing", "notifications")),
    )
    yield "records in the topics", len(found.records)
    yield "webhooks received", len(found.calls)
    yield "mails received", len(found.mails)
    yield "identity read by partners", len(found.of("intake", "disclosure"))
    yield "records repeated, out of order", run.replayed
    yield "records that nobody may take", len(run.poisons)
    yield "waits of deliveries made short", settled.shortened
    if run.watchdog_seconds is not None:
        yield "seconds until the watchdog ended a stuck consumer", f"{run.watchdog_seconds:.1f}"
    yield "kills", f"{run.kills.total()}: {_counts(run.kills)}"
    yield "other faults", f"{run.faults.total()}: {_counts(run.faults)}"
    for name, reason in sorted(run.not_run.items()):
        yield f"not run: {name}", reason


def _headlines(verdicts: Verdicts) -> Iterator[tuple[str, int]]:
    """Give the three numbers that have to be 0, from the invariants that stand for them."""
    for name, words in (
        ("lost", ("is lost", "at the end", "was told", "arrived")),
        ("twice", ("twice", "once")),
        ("out of order", ("in order",)),
    ):
        yield name, sum(len(w) for of, w in verdicts.items() if any(word in of for word in words))


def _counts(counter: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counter.items()))
