"""Pages: what every template may use, and how one is answered."""

from typing import Any

import psycopg
import psycopg_pool
from flask import Flask, Response, g, make_response, render_template, request
from flask_babel import get_locale

from shared.db.members import Member
from shared.http import labels, moments
from shared.http.access import members, signed_in
from shared.http.assets import asset
from shared.http.web import NavItem, Web, web


def page(template: str, *, status: int = 200, **context: Any) -> Response:  # noqa: ANN401
    """Answer with a template, which extends "layout.html" or is a part of a page.

    `errors` ({field: [sentences]}) shows the error summary and starts the title with "Error:".
    """
    response = make_response(render_template(template, **context), status)
    response.headers["Content-Language"] = str(get_locale())
    return response


def set_up_templates(app: Flask) -> None:
    """Give the app's templates their globals, filters and the frame's context."""
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        label=labels.label,
        choices=labels.choices,
        asset=asset,
        status_kind=labels.status_kind,
        language_name=labels.language_name,
        clock_words=moments.clock,
    )
    app.jinja_env.filters.update(
        full_time=moments.full_time,
        short_time=moments.short_time,
        day=moments.day,
        ago=moments.ago,
        duration=moments.duration,
    )
    app.context_processor(_frame)


def add_navigation(app: Flask, *items: NavItem) -> None:
    """Add links to the header; each is shown to members who hold one of its roles."""
    with app.app_context():
        web().nav.extend(items)


def _frame() -> dict[str, object]:
    """Return what the layout shows around a page, an error page without a database included."""
    parts = web()
    roles = _roles()
    return {
        "site": parts.site,
        "demo": parts.settings.demo,
        "errors": {},
        "service": parts.service,
        "home": f"{request.script_root}/",
        "backend_away": bool(g.get("backend_away")),
        "idle_seconds": parts.settings.idle_minutes * 60 if roles is not None else 0,
        "reader": next(iter(roles or ()), None),
        "is_signed_in": roles is not None,
        "nav": _nav(parts, roles or []),
        "ops_pages": parts.ops.pages,
        "lang": str(get_locale() or "en"),
    }


def _roles() -> list[Member] | None:
    """Return the reader's roles, or None when nobody is signed in or the database is away."""
    if g.get("backend_away") or (request.endpoint or "").startswith("leaving."):
        return None
    try:
        return list(members()) if signed_in() else None
    except (psycopg.Error, psycopg_pool.PoolTimeout):
        g.backend_away = True
        return None


def _nav(parts: Web, roles: list[Member]) -> list[NavItem]:
    held = {member.role for member in roles}
    return [item for item in parts.nav if item.roles & held]
