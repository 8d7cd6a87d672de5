"""`make demo`: the whole product on this machine, with invented people and nothing to install."""

import signal
import sys
import threading
from pathlib import Path

import click

from services.local import kafka, people, postgres
from services.local.children import KeepsEnding
from services.local.folder import ENGINES, Folder, Refused
from services.local.running import Demo
from services.local.settings import Place
from shared.db.migrate import DatabaseIsNewer

_REASONS = (Refused, KeepsEnding, DatabaseIsNewer, kafka.CannotRun, postgres.CannotRun)


@click.command()
@click.option("--port", type=click.IntRange(1024, 65535), default=8080, show_default=True)
@click.option("--data", type=click.Path(path_type=Path), default=Path(".local"), show_default=True)
@click.option("--bus", type=click.Choice(ENGINES), help="Bus engine; the folder's, or postgres.")
def main(port: int, data: Path, bus: str | None) -> None:
    """Start the product with invented people; Ctrl-C stops it, the data stay."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    place = Place(Folder(data), port)
    try:
        with Demo(place, click.echo) as demo:
            click.echo(f"Starting on {data} ...")
            demo.start(bus, stop)
            if not stop.is_set():
                _tell(place)
            demo.watch(stop)
            click.echo("\nStopping ...")
    except _REASONS as reason:
        click.echo(f"\n{reason}", err=True)
        sys.exit(1)
    click.echo(f"Stopped. The data stay in {data}.")


def _tell(place: Place) -> None:
    click.echo(f"\nWarm Handoff is ready at {place.origin}  (invented people only)\n")
    click.echo("Sign in, without a password, as")
    for user in people.one_for_each_role(people.ready_users(place.folder.site)):
        click.echo(f"  {user.subject:<14} {user.name}, {user.roles}")
    click.echo(f"\nMail: {place.origin}/mail   Stop: Ctrl-C   Data: {place.folder.path}")


if __name__ == "__main__":
    main()
