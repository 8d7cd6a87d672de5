"""The settings of every process of a demo, from its data folder instead of the environment."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.databases import SERVICES
from services.local.folder import Folder
from services.local.machines import INTAKE, add_partner_systems
from services.local.ports import HOST, issuer
from services.local.postgres import LocalPostgres
from shared.config import (
    IntakeWebSettings,
    IntakeWorkerSettings,
    NotificationsWebSettings,
    NotificationsWorkerSettings,
    RoutingWebSettings,
    RoutingWorkerSettings,
)

if TYPE_CHECKING:
    from services.local.kafka import LocalKafka

AGENCY = "brva"
SAMPLE_SITE = Path(__file__).parents[2] / "deploy" / "sites" / "baton-rouge"
_SAMPLE_ORIGIN = "http://127.0.0.1:8080"


@dataclass(frozen=True, slots=True)
class Place:
    """A data folder and the port that the pages are served at."""

    folder: Folder
    port: int

    @property
    def origin(self) -> str:
        """The address of the pages."""
        return f"http://{self.address}"

    @property
    def address(self) -> str:
        """Host and port of the pages."""
        return f"{HOST}:{self.port}"

    @property
    def issuer(self) -> str:
        """The address of the sign-in provider."""
        return issuer(self.folder.ports("provider")["provider"])

    @property
    def postgres(self) -> LocalPostgres:
        """The database server of the folder."""
        return LocalPostgres(self.folder.postgres)

    @property
    def kafka(self) -> "LocalKafka":
        """The Kafka broker of the folder."""
        from services.local.kafka import LocalKafka  # noqa: PLC0415  (pages do without its client)

        return LocalKafka(self.folder.kafka)

    def bus(self) -> str:
        """Return the address of the bus engine that the folder is stamped with."""
        stamp = self.folder.stamp()
        if stamp is not None and stamp.bus == "kafka":
            return self.kafka.url
        return self.postgres.dsn("bus", "bus_client")


def copy_site(place: Place, source: Path = SAMPLE_SITE) -> None:
    """Copy the site's files into the data folder, its webhooks leading to this demo."""
    shutil.rmtree(place.folder.site, ignore_errors=True)
    for file in source.rglob("*"):
        target = place.folder.site / file.relative_to(source)
        if file.is_dir():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text(encoding="utf-8").replace(_SAMPLE_ORIGIN, place.origin)
        target.write_text(text, encoding="utf-8")
    add_partner_systems(place.folder.site / "members.csv")


def intake_web(place: Place) -> IntakeWebSettings:
    """Return the settings of intake's pages."""
    return IntakeWebSettings(
        **_web(place, "intake"),
        **_keys(place, "intake_web"),
        routing_url=f"{place.origin}/routing",
        routing_jwk=place.folder.ticket_public_key,
    )


def routing_web(place: Place) -> RoutingWebSettings:
    """Return the settings of routing's pages."""
    return RoutingWebSettings(
        **_web(place, "routing"),
        intake_urls={AGENCY: f"{place.origin}/intake"},
        ticket_key=place.folder.ticket_key,
    )


def notifications_web(place: Place) -> NotificationsWebSettings:
    """Return the settings of notifications' pages."""
    return NotificationsWebSettings(**_web(place, "notifications"))


def intake_worker(place: Place) -> IntakeWorkerSettings:
    """Return the settings of intake's loops."""
    return IntakeWorkerSettings(**_worker(place, "intake"), **_keys(place, "intake_worker"))


def routing_worker(place: Place) -> RoutingWorkerSettings:
    """Return the settings of routing's loops."""
    return RoutingWorkerSettings(**_worker(place, "routing"))


def notifications_worker(place: Place) -> NotificationsWorkerSettings:
    """Return the settings of notifications' loops."""
    return NotificationsWorkerSettings(
        **_worker(place, "notifications"),
        smtp_host=HOST,
        smtp_port=place.folder.ports("mail")["mail"],
        smtp_starttls=False,
        mail_from="no-reply@example.org",
        intake_urls={AGENCY: f"{place.origin}/intake"},
        routing_url=f"{place.origin}/routing",
    )


def _web(place: Place, service: str) -> dict[str, Any]:
    client, secret = (INTAKE, INTAKE) if service == "intake" else (service, "sign-in")
    others = {name: f"{place.origin}/{name}" for name in SERVICES if name != service}
    return {
        "site": place.folder.site,
        "database": place.postgres.dsn(service, f"{service}_web"),
        "demo": True,
        "public_url": f"{place.origin}/{service}",
        "secret_key": place.folder.secret("forms"),
        "oidc_issuer": place.issuer,
        "oidc_client_id": client,
        "oidc_client_secret": place.folder.secret(secret),
        "ops_links": others,
        "ops_metrics": others,
    }


def _worker(place: Place, service: str) -> dict[str, Any]:
    return {
        "site": place.folder.site,
        "database": place.postgres.dsn(service, f"{service}_worker"),
        "demo": True,
        "bus": place.bus(),
    }


def _keys(place: Place, user: str) -> dict[str, Any]:
    return {
        "agency": AGENCY,
        "keys_database": place.postgres.dsn("intake_keys", user),
        "agency_key": place.folder.agency_key,
    }
