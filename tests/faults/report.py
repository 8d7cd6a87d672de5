"""A run as a table."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median

from tests.faults.checks import Verdicts
from tests.faults.evidence import Evidence
from tests.faults.load import Sent
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
    yield "records repeated", run.replayed
    yield "events before those that they follow", _counts(run.ahead)
    yield "records that nobody may take", len(run.poisons)
    yield "events too large to send", len(run.oversize)
    yield from _waits(run)
    yield "waits of deliveries made short", settled.shortened
    if run.watchdog_seconds is not None:
        yield "seconds until the watchdog ended a stuck consumer", f"{run.watchdog_seconds:.1f}"
    yield "kills", f"{run.kills.total()}: {_counts(run.kills)}"
    yield "other faults", f"{run.faults.total()}: {_counts(run.faults)}"


def _waits(run: Run) -> Iterator[tuple[str, object]]:
    """Give how long submissions took: while something was away, and else."""
    left = list(run.load.ledger.submitted.values())
    for name in sorted({outage.name for outage in run.outages}):
        during = [
            sent
            for sent in left
            if any(o.begun <= sent.begun < o.ended for o in run.outages if o.name == name)
        ]
        left = [sent for sent in left if sent not in during]
        yield f"submissions, seconds to the answer: {name}", _times(during)
    yield "submissions, seconds to the answer: else", _times(left)


def _times(sent: Sequence[Sent]) -> str:
    took = sorted(each.ended - each.begun for each in sent)
    if not took:
        return "none"
    return f"{len(took)}, median {median(took):.2f}, longest {took[-1]:.2f}"


def _headlines(verdicts: Verdicts) -> Iterator[tuple[str, int]]:
    """Give the three numbers that have to be 0, from the invariants that stand for them."""
    for name, words in (
        ("lost", ("is lost", "at the end", "is told", "arrived")),
        ("twice", ("twice", "once")),
        ("out of order", ("in order",)),
    ):
        yield name, sum(len(w) for of, w in verdicts.items() if any(word in of for word in words))


def _counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counter.items()))
