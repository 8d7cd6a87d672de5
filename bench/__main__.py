"""`make bench`: run the benchmarks, print the table, keep the results."""

import importlib.util
import shutil
import signal
import traceback
from collections.abc import Sequence
from typing import Protocol, cast

import click

from bench import page
from bench.pairs import FEWEST_PAIRS, Bench, Result, keep, kept, say, table
from services.local import kafka

NAMES = (
    "intake",
    "pipeline",
    "latency",
    "knee",
    "slow-partner",
    "drain",
    "consume",
    "relay",
    "growth",
    "memory",
)
"""The modules in their order; a dash in a name is an underscore in its module's."""


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
    """Run the benchmarks and print their table; one that fails is told, and the others go on."""
    if write and pairs < FEWEST_PAIRS:
        raise click.UsageError(f"Results are written from {FEWEST_PAIRS} pairs or more.")
    names = [name for name in only.split(",") if name] or NAMES
    _check_needs({need for name in names for need in _module(name).NEEDS})
    results, failed = _run(names, pairs)
    print(table(results))
    if write:
        page.write([r for name in NAMES for bench in _module(name).BENCHES if (r := kept(bench))])
    if failed:
        raise click.ClickException(f"Failed: {', '.join(failed)}.")


def _run(names: Sequence[str], pairs: int) -> tuple[list[Result], list[str]]:
    """Return the results, and the names of those that failed."""
    results: list[Result] = []
    failed: list[str] = []
    for name in names:
        say(f"{name} ...")
        try:
            found = _module(name).run(pairs)
        except Exception:  # noqa: BLE001  (half an hour of the others' results is at stake)
            traceback.print_exc()
            failed.append(name)
        else:
            results += found
            for result in found:
                keep(result)
    return results, failed


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


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is stopped
    main()
