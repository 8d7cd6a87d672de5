"""`make faults`: load, faults, settle, check; ends with 1 if anything that must hold does not."""

import logging
import secrets
import signal
import sys
from pathlib import Path

import click

from services.local.kafka import can_run
from tests.faults.checks import shown
from tests.faults.harness import Size, carry_out
from tests.faults.run import logger

RATE = 8.0
_HEADING = "## The last long run"


@click.command()
@click.option("--seed", type=int, default=None, help="Draw the same faults again.")
@click.option("--minutes", type=float, default=5.0, show_default=True)
@click.option("-n", "--referrals", type=click.IntRange(100), help="Until so many have come in.")
@click.option("--kills", type=int, default=None, help="24, or 200 with -n.")
@click.option("--table", "into", type=click.Path(path_type=Path), help="Write the table there.")
def main(
    seed: int | None, minutes: float, referrals: int | None, kills: int | None, into: Path | None
) -> None:
    """Run the real system under load and faults, then check it from outside."""
    if reason := can_run():
        raise click.ClickException(reason)
    seed = secrets.randbelow(10**6) if seed is None else seed
    click.echo(f"SEED={seed}")
    logging.basicConfig(format="%(message)s")
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logger.setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    size = Size(minutes * 60, kills or 24, RATE)
    if referrals:
        size = Size(referrals / RATE, kills or 200, RATE, referrals)
    text, verdicts = carry_out(seed, size)
    click.echo(text)
    if into is not None:
        _keep(into, text)
    if wrong := shown(verdicts):
        click.echo("\n".join(wrong), err=True)
        sys.exit(1)


def _keep(into: Path, text: str) -> None:
    """Put the table in the place of the one before, below what the page says."""
    page = into.read_text(encoding="utf-8") if into.exists() else ""
    kept = page.split(_HEADING)[0].rstrip()
    into.write_text(f"{kept}\n\n{_HEADING}\n\n{text}", encoding="utf-8")


if __name__ == "__main__":
    main()
