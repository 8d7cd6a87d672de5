"""`make bench`: run the benchmarks, print the table, keep the results."""

import importlib.util
import platform
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

import click
import psutil

from bench.pairs import FEWEST_PAIRS, Bench, Result, keep, kept, say, table
from services.local import kafka

NAMES = ("intake", "pipeline", "latency", "knee", "slow-partner", "drain", "consume", "relay")
"""The modules in their order; a dash in a name is an underscore in its module's."""

_FOLDER = Path(__file__).parent


class Module(Protocol):
    """What a module of this folder has; bench/__init__.py says it in words."""

    BENCHES: Sequence[Bench]
    NEEDS: Sequence[str]

    def run(self, pairs: int) -> list[Result]:
        """Measure."""


@click.command()
@click.option("--only", default="", help="Names of benches, comma separated; all by default.")
@click.option("--pairs", type=click.IntRange(1), default=FEWEST_PAIRS, show_default=True)
@click.option("--write", is_flag=True, help="Write bench/RESULTS.md.")
def main(only: str, pairs: int, *, write: bool) -> None:
    """Run the benchmarks and print their table."""
    names = [name for name in only.split(",") if name] or NAMES
    modules = [_module(name) for name in names]
    _check_needs({need for module in modules for need in module.NEEDS})
    results: list[Result] = []
    for name, module in zip(names, modules, strict=True):
        say(f"{name} ...")
        results += module.run(pairs)
        for result in results:
            keep(result)
    print(table(results))
    if write:
        (_FOLDER / "RESULTS.md").write_text(_page(), encoding="utf-8")


def _module(name: str) -> Module:
    if name not in NAMES:
        raise click.ClickException(f"There is no bench {name!r}: {', '.join(NAMES)}.")
    return cast("Module", importlib.import_module(f"bench.{name.replace('-', '_')}"))


def _check_needs(needs: set[str]) -> None:
    """Say what is missing before anything is started."""
    faults = []
    if "kafka" in needs and (reason := kafka.can_run()):
        faults.append(reason)
    if "redis" in needs and not shutil.which("redis-server"):
        faults.append("The peer needs redis-server: apt-get install redis-server.")
    if "redis" in needs and not importlib.util.find_spec("celery"):
        faults.append("The peer needs Celery: make bench installs it from the extra `bench`.")
    if faults:
        raise click.ClickException("\n".join(faults))


def _page() -> str:
    """Return RESULTS.md: what was last measured of each bench, then the notes."""
    results = [r for name in NAMES for bench in _module(name).BENCHES if (r := kept(bench))]
    notes = (_FOLDER / "NOTES.md").read_text(encoding="utf-8")
    return (
        "# Results of `make bench`\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}. Command: `make bench`.\n\n"
        "Ours / peer in alternating pairs in the same run; the ratio is the median of the pairs'\n"
        "ratios, the spread their lowest and highest. Compare ratios between machines, never\n"
        "figures. A single bench is measured again by `make bench ONLY=name`.\n\n"
        f"{table(results)}\n\n{notes}"
    )


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


if __name__ == "__main__":
    main()
