"""bench/RESULTS.md: the last results as they came out, what the time went on, and the notes."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from bench.pairs import Result, table

_FOLDER = Path(__file__).parent


def write(results: Sequence[Result]) -> None:
    """Write the page; what is in NOTES.md by hand is its end."""
    notes = (_FOLDER / "NOTES.md").read_text(encoding="utf-8")
    page = (
        "# Results of `make bench`\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}. Command: `make bench`.\n\n"
        "Ours / peer in alternating pairs in the same run; the ratio is the median of the pairs'\n"
        "ratios, the spread their lowest and highest. Compare ratios between machines, never\n"
        "figures. A single bench is measured again by `make bench ONLY=name`.\n\n"
        f"{table(results)}\n\n"
        f"{_profiles(results)}{notes}"
    )
    (_FOLDER / "RESULTS.md").write_text(page, encoding="utf-8")


def _profiles(results: Sequence[Result]) -> str:
    lines = [f"- {result.bench.name}: {line}" for result in results for line in result.profile]
    if not lines:
        return ""
    return "\n".join(["## What the time goes on", "", *lines, "", ""])


def _machine() -> str:
    model = next(
        (line.split(":")[1] for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} CPUs ({model.strip()}), {memory:.0f} GiB,"
        f" {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def _lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").splitlines()
