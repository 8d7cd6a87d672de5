"""What one app knows: kept on the app itself, so that two apps in one process never mix."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from authlib.integrations.flask_client import OAuth
from flask import current_app
from flask_babel import LazyString
from flask_wtf import CSRFProtect
from prometheus_client import CollectorRegistry

from shared.config import WebSettings
from shared.db.pool import Pool
from shared.http.bearer import Tokens
from shared.site import Site

_KEY = "warm-handoff"


@dataclass(frozen=True, slots=True)
class NavItem:
    """One link of the header, shown to members who hold one of the roles."""

    label: LazyString | str
    endpoint: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class OpsSection:
    """One more part of the operator's page: a template and what it is given.

    `context` is called with an open transaction's pool at each view; it holds ids and codes only.
    """

    template: str
    context: Callable[[Pool], dict[str, object]]


@dataclass(frozen=True, slots=True)
class OpsOptions:
    """What a service adds to the operator's console: parts of the overview, and pages."""

    sections: tuple[OpsSection, ...] = ()
    pages: tuple[NavItem, ...] = ()


@dataclass(slots=True)
class Web:
    """The parts that views of every service share."""

    service: str
    settings: WebSettings
    pool: Pool
    site: Site
    ops: OpsOptions
    csrf: CSRFProtect
    oauth: OAuth
    tokens: Tokens
    registry: CollectorRegistry
    organization: UUID | None = None
    nav: list[NavItem] = field(default_factory=list)


def attach(app: object, web: Web) -> None:
    """Keep the parts on the app."""
    app.extensions[_KEY] = web  # type: ignore[attr-defined]


def web() -> Web:
    """Return the parts of the app that serves this request."""
    found: Web = current_app.extensions[_KEY]
    return found
