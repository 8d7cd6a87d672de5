"""`python -m services.cli`: set-up of a system, and the documents generated from the code."""

import json
import random
import sys
import time
from pathlib import Path

import click
import requests

from notifications.adapters.secrets_at_rest import Safe, WrongKey
from routing.adapters.hsds import read_package
from routing.adapters.site_files import DIRECTORY
from services import erasure, setup
from services.documents import SERVICES_WITH_API, openapi, settings_table
from services.local.folder import Folder, Refused
from services.sample import Sample
from services.site import NotSafe, safe_site
from shared.config import IntakeWebSettings, SetupSettings, WrongSettings
from shared.contracts import asyncapi
from shared.db.migrate import DatabaseIsNewer
from shared.errors import DomainError, Rejected
from shared.site import WrongSite, load_site

_ANSWER_EVERY = 20
_MATCHING_SECONDS = 1.0
_REASONS = (WrongKey, WrongSettings, WrongSite, DatabaseIsNewer, NotSafe, Refused)


class _Cli(click.Group):
    """Ends with a sentence where the settings or files are at fault."""

    def invoke(self, context: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(context)
        except _REASONS as reason:
            raise click.ClickException(str(reason)) from None
        except Rejected as reason:
            raise click.ClickException(_with_faults(reason)) from None
        except DomainError as reason:
            raise click.ClickException(str(reason)) from None


@click.group(cls=_Cli)
def main() -> None:
    """Set up a system, and show what is generated from the code."""


@main.command("setup")
def setup_all() -> None:
    """Make roles, databases, tables, topics, users and rights, and load the site's files."""
    settings = SetupSettings.from_env()
    safe_site(settings.site)
    setup.create_databases(settings)
    setup.migrate(setup.owners(settings))
    _load(settings, settings.site)
    setup.create_bus(settings)
    click.echo("Ready.")


@main.command()
def migrate() -> None:
    """Bring every database to the newest version."""
    setup.migrate(setup.owners(SetupSettings.from_env()))


@main.command("load-site")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def load_site_files(folder: Path) -> None:
    """Load a site's directory, members and contact points; all of it, or nothing."""
    settings = SetupSettings.from_env()
    safe_site(folder)
    _load(settings, folder)


@main.command("create-topics")
def create_topics() -> None:
    """Make the topics, users and rights at Kafka for the agencies of the site."""
    setup.create_bus(SetupSettings.from_env())


@main.command("add-agency")
@click.argument("code")
def add_agency(code: str) -> None:
    """Make the topics, the user and the rights of one more agency, named in site.toml."""
    settings = SetupSettings.from_env()
    if code not in {agency.code for agency in load_site(settings.site).agencies}:
        raise click.ClickException(
            f"{settings.site}/site.toml has no agency {code}: add it first."
        )
    setup.create_bus(settings)
    click.echo(f"{code} may send and read at the bus. Start its intake with WH_AGENCY={code}.")


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(folder: Path) -> None:
    """Check a site's settings, who may host it, its members' roles, and its directory."""
    site = safe_site(folder)
    setup.refuse_forbidden_members(folder)
    read_package(folder / DIRECTORY, site)
    click.echo("The site can be used.")


@main.command("erase-person")
@click.argument("reference")
@click.option("--by", required=True, help="Sign-in of the advocate whom the person asked.")
@click.option("--for-real", is_flag=True, help="Erase. Without it nothing changes.")
def erase_person(reference: str, by: str, *, for_real: bool) -> None:
    """Erase the person whom a referral, by its reference or id, is about: all of them or nothing.

    Run it where intake's web process runs, with its settings.
    """
    settings = IntakeWebSettings.from_env()
    for referral in erasure.what_is_kept(settings, reference):
        click.echo(
            f"{referral.reference}, sent {referral.submitted_at:%Y-%m-%d}, {referral.status}:"
            f" what was said and {len(referral.releases)} signed releases"
        )
    if not for_real:
        click.echo("Nothing is erased yet. It cannot be undone: --for-real erases all of this.")
        return
    erasure.erase(settings, reference, by)
    click.echo("Erased. The others are told by the bus to forget it too.")


@main.command("new-secrets")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def new_secrets(folder: Path) -> None:
    """Make the agency's key and the key of routing's tickets, each in a file; none is replaced."""
    for name in setup.new_secrets(folder):
        click.echo(f"{folder / name}: made")


@main.command("settings")
def show_settings() -> None:
    """Show every setting of every process, as a table in Markdown."""
    click.echo(settings_table())


@main.command("openapi")
@click.argument("service", type=click.Choice(SERVICES_WITH_API))
def show_openapi(service: str) -> None:
    """Show the OpenAPI 3.1 document of a service's API."""
    json.dump(openapi(service), sys.stdout, indent=2)
    click.echo()


@main.command("asyncapi")
def show_asyncapi() -> None:
    """Show the AsyncAPI 3 document of the events."""
    json.dump(asyncapi.document(), sys.stdout, indent=2)
    click.echo()


@main.command()
@click.option("--data", type=click.Path(path_type=Path), default=Path(".local"), show_default=True)
@click.option("--count", type=click.IntRange(1), default=200, show_default=True)
@click.option("--seed", type=int, default=None, help="Invent the same ones again.")
def sample(data: Path, count: int, seed: int | None) -> None:
    """Push invented intakes and partners' answers through the API of a running demo."""
    inventor = Sample(Folder(data), random.Random(seed))  # noqa: S311  (invented people)
    try:
        submitted, answered = _invent(inventor, count)
    except requests.RequestException as failure:
        raise click.ClickException(f"{failure}. The demo's logs are in {data}/logs.") from None
    click.echo(f"{submitted} intakes, {answered} answers. {count - submitted} fitted no partner.")


def _invent(inventor: Sample, count: int) -> tuple[int, int]:
    submitted = answered = 0
    with click.progressbar(range(count), label="Intakes and answers") as numbers:
        for number in numbers:
            submitted += inventor.intake()
            if number % _ANSWER_EVERY == _ANSWER_EVERY - 1:
                answered += inventor.answers()
    time.sleep(_MATCHING_SECONDS)
    return submitted, answered + inventor.answers()


def _load(settings: SetupSettings, folder: Path) -> None:
    owners = setup.owners(settings)
    setup.load(
        folder,
        owners,
        issuer=settings.oidc_issuer,
        agency=settings.agency,
        safe=Safe.of_file(settings.contact_key),
    )


def _with_faults(reason: Rejected) -> str:
    faults = [f"  {place}: {'; '.join(texts)}" for place, texts in (reason.fields or {}).items()]
    return "\n".join([str(reason), *faults])


if __name__ == "__main__":
    main()
