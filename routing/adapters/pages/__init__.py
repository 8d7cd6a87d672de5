"""Pages of routing: the partner's inbox and the coordinator's console."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from routing.adapters.pages.console import ROLE, console
from routing.adapters.pages.inbox import ROLES, inbox
from routing.adapters.pages.parts import Parts
from routing.adapters.pages.tickets import Tickets, read_key
from shared.http import NavItem, add_navigation

__all__ = ["Parts", "Tickets", "add_pages", "read_key"]


def add_pages(app: Flask, parts: Parts) -> None:
    """Add the pages and their links in the header to routing's app."""
    app.register_blueprint(inbox(parts))
    app.register_blueprint(console(parts))
    add_navigation(
        app,
        NavItem(_l("Waiting for you"), "inbox.waiting", frozenset(ROLES)),
        NavItem(_l("Ended"), "inbox.ended", frozenset(ROLES)),
        NavItem(_l("Queues"), "console.queues", frozenset({ROLE})),
        NavItem(_l("Services"), "console.services", frozenset({ROLE})),
    )
