"""Who asks: members behind sign-in for pages, clients behind bearer tokens for the API."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from flask import Response, g, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from shared.db.members import CLIENT, Member, find_member
from shared.db.pool import Tx, transaction
from shared.errors import NotAllowed
from shared.http.bearer import Bearer, Client, InvalidToken
from shared.http.web import web

P = ParamSpec("P")
R = TypeVar("R")

ISSUER: Final = "issuer"
SUBJECT: Final = "subject"
OPERATOR: Final = "operator"


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
    bearer = current_bearer()
    return client_of(bearer, tx.execute(CLIENT, bearer.names()).fetchone() or {})


def client_of(bearer: Bearer, found: Mapping[str, Any]) -> Client:
    """Return the machine client of a token and of what CLIENT found of it."""
    if found.get("member_id") is None:
        raise NotAllowed(_("This client has no access here."))
    return Client(bearer.client_id, found["organization_id"], bearer.scopes, found["member_id"])


def require_token() -> None:
    """Refuse a request without a valid token; its view has `client_in` tell whose it is."""
    current_bearer()


def current_bearer() -> Bearer:
    """Return whose token came with the request, a client that may be no member here.

    Raises:
        Unauthorized: no token, or one that does not hold.

    """
    if "bearer" not in g:
        g.bearer = _bearer()
    found: Bearer = g.bearer
    return found


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


def _bearer() -> Bearer:
    kind, _space, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise _unauthorized()
    try:
        claims = web().tokens.claims(token.strip())
    except InvalidToken as wrong:
        raise _unauthorized(error="invalid_token") from wrong
    return Bearer(
        issuer=str(claims["iss"]),
        client_id=str(claims.get("client_id") or claims.get("azp") or ""),
        scopes=frozenset(str(claims.get("scope", "")).split()),
    )


def _unauthorized(**values: str | None) -> Unauthorized:
    return Unauthorized(
        _("A valid access token is needed."), www_authenticate=WWWAuthenticate("bearer", values)
    )
