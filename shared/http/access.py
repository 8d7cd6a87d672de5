"""Who asks: members behind sign-in for pages, clients behind bearer tokens for the API."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from flask import Response, g, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from shared.db.members import Member, find_member
from shared.db.pool import Tx, transaction
from shared.errors import NotAllowed
from shared.http.bearer import Client, InvalidToken
from shared.http.web import web

P = ParamSpec("P")
R = TypeVar("R")

ISSUER: Final = "issuer"
SUBJECT: Final = "subject"
OPERATOR: Final = "operator"
_CLIENT_ROLE: Final = "client"


def signed_in() -> bool:
    """Tell whether somebody is signed in, member or not."""
    return SUBJECT in session


def members() -> Sequence[Member]:
    """Return the active roles of whoever is signed in, read anew at each request."""
    if "members" not in g:
        g.members = _members() if signed_in() else []
    found: Sequence[Member] = g.members
    return found


def current_member() -> Member:
    """Return the member that the view was opened to.

    Raises:
        NotAllowed: nobody is signed in, or the person has no role here.

    """
    member: Member | None = g.get("member") or next(iter(members()), None)
    if member is None:
        raise NotAllowed(_("You are not signed in as a member of this service."))
    return member


def requires(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R | ResponseReturnValue]]:
    """Open a page only to members who hold one of the roles.

    Nobody signed in: to sign-in and back; after a form: a page that says that nothing was done
    (a form may not end at another origin). Signed in without the role: 403.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R | ResponseReturnValue]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | ResponseReturnValue:
            if not signed_in():
                return ask_to_sign_in()
            member = next((m for m in members() if m.role in roles), None)
            if member is None:
                raise NotAllowed(_("Your sign-in does not include this page."))
            g.member = member
            return view(*args, **kwargs)

        return guarded

    return decorate


def current_client() -> Client:
    """Return the machine client whose token came with the request.

    Raises:
        Unauthorized: no token, or one that does not hold.
        NotAllowed: the client is no active member of this service.

    """
    if "client" not in g:
        with transaction(web().pool) as tx:
            g.client = client_in(tx)
    found: Client = g.client
    return found


def client_in(tx: Tx) -> Client:
    """Return the machine client as `current_client` does, read in the caller's transaction."""
    claims = _claims()
    client_id = str(claims.get("client_id") or claims.get("azp") or "")
    rows = find_member(tx, str(claims["iss"]), client_id)
    member = next((row for row in rows if row.role == _CLIENT_ROLE), None)
    if member is None:
        raise NotAllowed(_("This client has no access here."))
    scopes = frozenset(str(claims.get("scope", "")).split())
    return Client(client_id, member.organization_id, scopes, member.member_id)


def require_token() -> None:
    """Refuse a request without a valid token; its view has `client_in` tell whose it is."""
    _claims()


def require_client() -> None:
    """Refuse a request without a valid token: `blueprint.before_request(require_client)`."""
    current_client()


def ask_to_sign_in() -> Response:
    """Lead somebody who is not signed in to sign-in, and back to the page that was asked for."""
    if request.headers.get("HX-Request"):
        return Response("", 401, {"HX-Redirect": url_for("leaving.timed_out")})
    here = request.full_path.rstrip("?")
    if request.method in {"GET", "HEAD"}:
        return Response("", 302, {"Location": url_for("signin.sign_in", next=here)})
    return Response(render_template("pages/sign_in_needed.html"), 401)


def _members() -> list[Member]:
    parts = web()
    with transaction(parts.pool) as tx:
        found = find_member(tx, session[ISSUER], session[SUBJECT])
    return [
        member
        for member in found
        if parts.organization in {None, member.organization_id} or member.role == OPERATOR
    ]


def _claims() -> dict[str, object]:
    kind, _space, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise _unauthorized()
    try:
        return web().tokens.claims(token.strip())
    except InvalidToken as wrong:
        raise _unauthorized(error="invalid_token") from wrong


def _unauthorized(**values: str | None) -> Unauthorized:
    return Unauthorized(
        _("A valid access token is needed."), www_authenticate=WWWAuthenticate("bearer", values)
    )
