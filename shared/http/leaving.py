"""Leaving quickly, time-out and the crisis page: open to everybody, working without a backend."""

from flask import Blueprint, redirect, request, session
from flask.typing import ResponseReturnValue

from shared.http.render import page
from shared.http.sessions import DatabaseSession
from shared.http.web import web


def blueprint() -> Blueprint:
    """Build the pages."""
    views = Blueprint("leaving", __name__, template_folder="templates")
    views.add_url_rule("/exit", view_func=exit_now)
    views.add_url_rule("/exit/about", view_func=about_exit)
    views.add_url_rule("/timed-out", view_func=timed_out)
    views.add_url_rule("/signed-out", view_func=signed_out)
    views.add_url_rule("/crisis", view_func=crisis)
    return views


def exit_now() -> ResponseReturnValue:
    """End the session and go to a neutral page, the same for everybody (R-30).

    The one thing that acts on GET: it must work as a plain link, without JavaScript and without a
    form (a form may not post to another origin), and it ends nothing but the reader's own session.
    Drafts stay where they are saved.
    """
    _end()
    response = redirect(web().settings.exit_url, code=303)
    response.headers["Clear-Site-Data"] = '"cookies", "storage"'
    return response


def about_exit() -> ResponseReturnValue:
    """Tell what leaving quickly does, and that it does not erase the browser's history."""
    return page("pages/about_exit.html", target=web().settings.exit_url)


def timed_out() -> ResponseReturnValue:
    """End the session after the time-out, as `exit_now` does, and say how to go on."""
    _end()
    return page("pages/timed_out.html")


def signed_out() -> ResponseReturnValue:
    """Say that the sign-in has ended."""
    return page("pages/signed_out.html")


def crisis() -> ResponseReturnValue:
    """Show who to call and what to do in danger (R-31, R-32); nothing is asked."""
    return page("pages/crisis.html")


def _end() -> None:
    current = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    if isinstance(current, DatabaseSession) and current.token and request.method == "GET":
        current.end()
