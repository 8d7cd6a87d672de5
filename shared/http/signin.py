"""Sign-in by OpenID Connect: code flow with PKCE (S256), state and nonce; it always asks again."""

import re
from typing import Final

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, Response, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError

from shared.config import WebSettings
from shared.errors import TransientError
from shared.http.access import ISSUER, SUBJECT, members, signed_in
from shared.http.render import page
from shared.http.sessions import DatabaseSession
from shared.http.web import web
from shared.log import get_logger

_log = get_logger(__name__)

GUEST: Final = "guest"
"""In a session: another service vouches for somebody who is no member; the view checks it."""

_NEXT: Final = "next"
_RELATIVE: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_SECONDS: Final = 5


def provider(app: Flask, settings: WebSettings) -> OAuth:
    """Register the identity provider; nothing is fetched from it before the first sign-in."""
    oauth = OAuth(app)
    oauth.register(  # type: ignore[no-untyped-call]  # Authlib
        "oidc",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid",
            "code_challenge_method": "S256",
            "default_timeout": _SECONDS,
        },
    )
    return oauth


def blueprint() -> Blueprint:
    """Build sign-in, sign-out and "stay signed in"."""
    views = Blueprint("signin", __name__)
    views.add_url_rule("/sign-in", view_func=sign_in)
    views.add_url_rule("/sign-in/callback", view_func=callback)
    views.add_url_rule("/sign-out", view_func=sign_out, methods=["POST"])
    views.add_url_rule("/keep", view_func=keep, methods=["POST"])
    return views


def safe_next(target: str) -> str:
    """Return where to go after sign-in: a path of this app, or its start page."""
    return target if _RELATIVE.fullmatch(target) else "/"


def sign_in() -> ResponseReturnValue:
    """Send the person to the identity provider, which asks anew even if it remembers them."""
    session[_NEXT] = safe_next(request.args.get("next", "/"))
    try:
        answer: Response = web().oauth.oidc.authorize_redirect(_callback_url(), prompt="login")
    except (requests.RequestException, AuthlibBaseError) as away:
        raise TransientError("The identity provider does not answer.") from away
    return answer


def callback() -> ResponseReturnValue:
    """Take the provider's answer; somebody who is no member here is told so, and signed out."""
    try:
        claims = web().oauth.oidc.authorize_access_token()["userinfo"]
    except requests.RequestException as away:
        raise TransientError("The identity provider does not answer.") from away
    except (AuthlibBaseError, JoseError, KeyError, ValueError) as wrong:
        _log.info("sign-in-failed", kind=type(wrong).__name__)
        return page("pages/sign_in_failed.html", status=400)
    target = _begin(str(claims["iss"]), str(claims["sub"]))
    if not members() and GUEST not in session:
        _session().end()
        return page("pages/not_a_member.html", status=403)
    return redirect(f"{request.script_root}{target}")


def sign_out() -> ResponseReturnValue:
    """End the session."""
    _session().end()
    return redirect(url_for("leaving.signed_out"), code=303)


def keep() -> ResponseReturnValue:
    """Count as use, so that the sign-in goes on; 401 once it has ended."""
    return ("", 204) if signed_in() else ("", 401)


def fresh_session() -> None:
    """Begin an empty session under a new token: nothing that somebody left in it goes on."""
    session.clear()
    _session().rotate()


def _begin(issuer: str, subject: str) -> str:
    """Start the signed-in session under a new token, without what somebody else left in it."""
    target = safe_next(str(session.pop(_NEXT, "/")))
    if session.get(SUBJECT, subject) != subject or session.get(ISSUER, issuer) != issuer:
        session.clear()
    _session().rotate()
    session[ISSUER] = issuer
    session[SUBJECT] = subject
    return target


def _callback_url() -> str:
    return f"{web().settings.public_url.rstrip('/')}{_path('signin.callback')}"


def _path(endpoint: str) -> str:
    """Return an endpoint's path below the app's mount."""
    return str(current_app.url_map.bind("").build(endpoint))


def _session() -> DatabaseSession:
    current = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    if not isinstance(current, DatabaseSession):
        raise TypeError
    return current
