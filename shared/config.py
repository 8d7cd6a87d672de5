"""Settings from the environment: the only module that reads it.

One class a process. A missing setting and an unknown WH_ name are both refused by name, so that
a misspelled setting is never silently the default.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from environs import Env, EnvError

PREFIX = "WH_"
CONTACT_KEY = "File of the key that seals webhook secrets: 32 random bytes; empty only in a demo"


class WrongSettings(Exception):
    """The environment does not hold what the process needs; the text names each fault."""


def setting(what: str, default: Any = dataclasses.MISSING) -> Any:  # noqa: ANN401
    """Declare a setting with its documentation; without a default it must be given."""
    return dataclasses.field(default=default, metadata={"what": what}, kw_only=True)


@dataclass(frozen=True)
class Settings:
    """What every process needs."""

    site: Path = setting("Folder of the site's files, with site.toml")
    database: str = setting("libpq connection string of the service's database, with its password")
    demo: bool = setting("Invented people only: allows what only a demo may do", default=False)

    @classmethod
    def from_env(cls) -> Self:
        """Read the settings of the process.

        Raises:
            WrongSettings: one is missing, unknown or of the wrong kind; all faults are named.

        """
        env = Env(expand_vars=False)
        fields = {f"{PREFIX}{f.name.upper()}": f for f in dataclasses.fields(cls)}
        given = {name for name in os.environ if name.startswith(PREFIX)}
        faults = [f"{name} is no setting of this process." for name in sorted(given - set(fields))]
        found: dict[str, Any] = {}
        for name, field in fields.items():
            if name in given:
                try:
                    found[field.name] = _reader(env, field.type)(name)
                except (EnvError, ValueError):
                    faults.append(f"{name} cannot be read: {field.metadata['what']}.")
            elif field.default is dataclasses.MISSING:
                faults.append(f"{name} is missing: {field.metadata['what']}.")
        if faults:
            raise WrongSettings("\n".join(faults))
        return cls(**found)


def _reader(env: Env, kind: object) -> Callable[[str], Any]:
    readers: Mapping[object, Callable[[str], Any]] = {
        bool: env.bool,
        int: env.int,
        float: env.float,
        Path: env.path,
        str: env.str,
        dict[str, str]: env.dict,
        dict[str, str] | None: env.dict,
    }
    return readers[kind]


@dataclass(frozen=True)
class WebSettings(Settings):
    """What every web process needs."""

    public_url: str = setting("Address of this service as people see it, no slash at the end")
    secret_key: str = setting("Random text that signs the tokens of forms, 32 characters or more")
    oidc_issuer: str = setting("Address of the OpenID Connect provider")
    oidc_client_id: str = setting("This service's client id at the provider")
    oidc_client_secret: str = setting("This service's client secret at the provider")
    idle_minutes: int = setting("Minutes without use after which a sign-in ends", default=15)
    exit_url: str = setting(
        "Page that the quick exit leads to; the same for everybody",
        default="https://www.weather.gov/",
    )
    ops_links: dict[str, str] | None = setting(
        "Address of each other service, for the operator: name=https://...", default=None
    )
    ops_metrics: dict[str, str] | None = setting(
        "Its address inside the network, for its numbers: name=http://...", default=None
    )


@dataclass(frozen=True)
class WorkerSettings(Settings):
    """What every worker process needs."""

    bus: str = setting("kafka://host:port,host:port or the connection string of the bus database")
    bus_user: str = setting("SCRAM user at Kafka", default="")
    bus_password: str = setting("SCRAM password at Kafka", default="")
    bus_ca: str = setting("File of the certificate authority of Kafka's TLS", default="")
    metrics_port: int = setting("Port of the Prometheus metrics; 0: none", default=0)


@dataclass(frozen=True)
class IntakeKeys(Settings):
    """What both intake processes need to open what they sealed."""

    agency: str = setting("Code of the agency that this intake belongs to, as in site.toml")
    keys_database: str = setting("libpq connection string of the database of wrapped keys")
    agency_key: Path = setting("File of the agency's wrapping key: 32 random bytes")


@dataclass(frozen=True)
class IntakeWebSettings(IntakeKeys, WebSettings):
    """Intake's web process."""

    routing_url: str = setting("Address of routing, for sign-in links and the match preview")
    routing_jwk: Path = setting("File of routing's public key (JWK) for disclosure tickets")


@dataclass(frozen=True)
class IntakeWorkerSettings(IntakeKeys, WorkerSettings):
    """Intake's worker process."""


@dataclass(frozen=True)
class RoutingWebSettings(WebSettings):
    """Routing's web process."""

    intake_urls: dict[str, str] = setting("Address of each agency's intake: code=https://...")
    ticket_key: Path = setting("File of the private key (JWK) that signs disclosure tickets")


@dataclass(frozen=True)
class RoutingWorkerSettings(WorkerSettings):
    """Routing's worker process."""


@dataclass(frozen=True)
class NotificationsWebSettings(WebSettings):
    """Notifications' web process."""


@dataclass(frozen=True)
class NotificationsWorkerSettings(WorkerSettings):
    """Notifications' worker process."""

    smtp_host: str = setting("Mail server")
    smtp_port: int = setting("Port of the mail server", default=587)
    smtp_user: str = setting("User at the mail server; empty: no sign-in", default="")
    smtp_password: str = setting("Password at the mail server", default="")
    smtp_starttls: bool = setting("Encrypt the connection to the mail server", default=True)
    mail_from: str = setting("Sender address of mails")
    intake_urls: dict[str, str] = setting("Address of each agency's intake: code=https://...")
    routing_url: str = setting("Address of routing, where mails to partners and the host lead")
    contact_key: str = setting(CONTACT_KEY, default="")


@dataclass(frozen=True)
class SetupSettings(Settings):
    """The set-up command: roles, databases, migrations, topics, access lists, the site's files."""

    database: str = setting("libpq connection string of a superuser of the database server")
    role_passwords: dict[str, str] = setting("Password of each database role: role=password,...")
    agency: str = setting("Code of the agency whose intake is set up")
    oidc_issuer: str = setting("Address of the OpenID Connect provider")
    contact_key: str = setting(CONTACT_KEY)
    bus: str = setting("kafka://host:port,host:port")
    bus_user: str = setting("SCRAM user at Kafka that may administer it", default="")
    bus_password: str = setting("Its password", default="")
    bus_ca: str = setting("File of the certificate authority of Kafka's TLS", default="")
    bus_passwords: dict[str, str] = setting(
        "Password of each service's SCRAM user: intake-<agency>=...,routing=...,notifications=..."
    )


PROCESSES: Mapping[str, type[Settings]] = {
    "setup": SetupSettings,
    "intake_web": IntakeWebSettings,
    "intake_worker": IntakeWorkerSettings,
    "routing_web": RoutingWebSettings,
    "routing_worker": RoutingWorkerSettings,
    "notifications_web": NotificationsWebSettings,
    "notifications_worker": NotificationsWorkerSettings,
}
