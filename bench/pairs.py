"""What is measured, and the alternating pairs that it is measured by."""

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

RESULTS = Path(".local/bench")
FEWEST_PAIRS = 5

Side = Callable[[], Mapping[str, float]]
"""Measures one side once: a figure for each bench by its name."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One line of the table: ours / peer, the ratio that it must reach and the one aimed at."""

    name: str
    unit: str
    must: float | None
    aim: float | None
    better: Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two figures measured one after the other; `peer` is 1 where ours stands for itself."""

    ours: float
    peer: float = 1.0

    @property
    def ratio(self) -> float:
        """Ours / peer."""
        return self.ours / self.peer


@dataclass(frozen=True, slots=True)
class Result:
    """The pairs of one bench; `profile` says in a few lines what the time went on."""

    bench: Bench
    pairs: Sequence[Pair]
    profile: Sequence[str] = ()
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return statistics.median(pair.ratio for pair in self.pairs)

    def verdict(self) -> str:
        """Return "aim", "must" or "missed", empty where there is no goal."""
        for word, goal in (("aim", self.bench.aim), ("must", self.bench.must)):
            if goal is not None and self._reaches(goal):
                return word
        return "missed" if self.bench.must is not None else ""

    def _reaches(self, goal: float) -> bool:
        return self.ratio >= goal if self.bench.better == "higher" else self.ratio <= goal


def alternate(benches: Sequence[Bench], ours: Side, peer: Side, pairs: int) -> list[Result]:
    """Measure ours, peer, ours, peer ...; return the pairs of each bench."""
    found: dict[str, list[Pair]] = {bench.name: [] for bench in benches}
    for number in range(1, pairs + 1):
        mine, theirs = ours(), peer()
        for bench in benches:
            pair = Pair(mine[bench.name], theirs[bench.name])
            found[bench.name].append(pair)
            say(f"  {bench.name} {number}/{pairs}: {_told(bench, pair)}")
    return [Result(bench, found[bench.name]) for bench in benches]


def say(text: str) -> None:
    """Tell whoever waits how far it is."""
    print(text, file=sys.stderr, flush=True)


def keep(result: Result) -> None:
    """Write `.local/bench/NAME.json`."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    bench = result.bench
    content = {
        "name": bench.name,
        "ratio": result.ratio,
        "must": bench.must,
        "aim": bench.aim,
        "pairs": [{"ours": p.ours, "peer": p.peer, "ratio": p.ratio} for p in result.pairs],
        "profile": list(result.profile),
        "unit": bench.unit,
        "better": bench.better,
        "at": result.at.isoformat(timespec="seconds"),
    }
    (RESULTS / f"{bench.name}.json").write_text(json.dumps(content, indent=1) + "\n")


def kept(bench: Bench) -> Result | None:
    """Return what was last measured of a bench, None if it never was."""
    try:
        found = json.loads((RESULTS / f"{bench.name}.json").read_text())
    except FileNotFoundError:
        return None
    pairs = [Pair(pair["ours"], pair["peer"]) for pair in found["pairs"]]
    return Result(bench, pairs, found["profile"], datetime.fromisoformat(found["at"]))


def table(results: Sequence[Result]) -> str:
    """Return the results as a table in Markdown: the median, and the spread of the pairs."""
    rows = [_HEADINGS, tuple("-" * len(heading) for heading in _HEADINGS)]
    rows += [_row(result) for result in results]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "| " + " | ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


_HEADINGS = ("name", "ours", "peer", "unit", "ratio", "spread", "must", "aim", "reached", "UTC")


def _row(result: Result) -> tuple[str, ...]:
    bench, ratios = result.bench, sorted(pair.ratio for pair in result.pairs)
    sign = "≥" if bench.better == "higher" else "≤"
    return (
        bench.name,
        _figure(statistics.median(pair.ours for pair in result.pairs)),
        _figure(statistics.median(pair.peer for pair in result.pairs)),
        bench.unit,
        _figure(result.ratio),
        f"{_figure(ratios[0])} to {_figure(ratios[-1])}",
        "" if bench.must is None else f"{sign} {bench.must:g}",
        "" if bench.aim is None else f"{sign} {bench.aim:g}",
        result.verdict(),
        f"{result.at:%m-%d %H:%M}",
    )


def _told(bench: Bench, pair: Pair) -> str:
    figures = f"{_figure(pair.ours)} / {_figure(pair.peer)} {bench.unit}"
    return f"{figures} = {_figure(pair.ratio)}"


def _figure(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"  # noqa: PLR2004
