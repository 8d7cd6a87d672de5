"""The start of a service: the first page that the reader's role has there."""

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from shared.errors import NotAllowed
from shared.http.access import ask_to_sign_in, members, signed_in
from shared.http.web import web


def blueprint() -> Blueprint:
    """Return the page at the root of the app."""
    found = Blueprint("home", __name__)
    found.add_url_rule("/", "start", _start)
    return found


def _start() -> ResponseReturnValue:
    if not signed_in():
        return ask_to_sign_in()
    held = {member.role for member in members()}
    for item in web().nav:
        if item.roles & held:
            return redirect(url_for(item.endpoint))
    raise NotAllowed(_("You are signed in, but are no member of this service."))
