"""Errors as people and machines see them: a page, or RFC 9457 problem+json below /api."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from flask import Flask, Response, g, json, make_response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from shared.db.pool import AWAY as DATABASE_AWAY
from shared.errors import Conflict, DomainError, NotAllowed, NotFound, Rejected, TransientError
from shared.http.access import ask_to_sign_in, signed_in
from shared.http.render import page
from shared.log import get_logger

_log = get_logger(__name__)

_STATUS: Final[Sequence[tuple[type[DomainError], int]]] = (
    (NotFound, 404),
    (NotAllowed, 403),
    (Conflict, 409),
    (Rejected, 422),
)
_TEXTS: Final[Mapping[int, tuple[Any, Any]]] = {
    400: (
        _l("This could not be understood"),
        _l("Something in the request is missing or has the wrong form. Go back and try again."),
    ),
    401: (_l("Please sign in"), _l("Sign in to see this page.")),
    403: (
        _l("This is not open to you"),
        _l("Your sign-in does not include this. If it should, ask whoever manages your account."),
    ),
    404: (
        _l("There is nothing here"),
        _l("The page does not exist, or it belongs to somebody else."),
    ),
    405: (_l("This cannot be done here"), _l("Go back and use the buttons on the page.")),
    406: (_l("This form is not available"), _l("The answer cannot be given in the form asked.")),
    409: (
        _l("Something changed meanwhile"),
        _l("Look at the newest state, then decide what to do."),
    ),
    413: (_l("This is too large"), _l("Send something smaller. Your earlier answers are kept.")),
    415: (_l("This kind of content is not accepted"), _l("Send application/json.")),
    422: (_l("Some answers need another look"), _l("See below what to change.")),
    429: (_l("Too many requests"), _l("Wait a minute, then try again.")),
    500: (
        _l("Something went wrong on our side"),
        _l("It has been noted. What you saved is kept. Try again in a few minutes."),
    ),
    503: (
        _l("This is not working right now"),
        _l("What you saved is kept. Try again in a few minutes. The numbers below always work."),
    ),
}
_AWAY = (TransientError, *DATABASE_AWAY)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is told about an error, whatever the form."""

    status: int
    code: str
    title: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def is_api() -> bool:
    """Tell whether a machine asks: everything below /api."""
    return request.path == "/api" or request.path.startswith("/api/")


def handle_errors(app: Flask) -> None:
    """Answer every error of the app as a problem or as a page, never with an exception's text."""
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, _http)
    for away in _AWAY:
        app.register_error_handler(away, _away)
    app.register_error_handler(Exception, _unknown)


def told(error: DomainError) -> str:
    """Return what a rule says, in the reader's language: rules themselves know only English."""
    return _(str(error))


def answer(problem: Problem) -> Response:
    """Render a problem in the form that the request asks for."""
    return _as_json(problem) if is_api() else _as_page(problem)


def _domain(error: DomainError) -> Response:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 409)
    extra: dict[str, Any] = {}
    if isinstance(error, Conflict) and error.state is not None:
        extra["state"] = error.state
    if isinstance(error, Rejected) and error.fields:
        extra["errors"] = {name: list(map(_, texts)) for name, texts in error.fields.items()}
    return answer(Problem(status, error.code, _title(status), told(error), extra))


def _http(error: HTTPException) -> Response:
    if error.response is not None or (
        error.code is not None and error.code < HTTPStatus.BAD_REQUEST
    ):
        return make_response(error.get_response())
    if isinstance(getattr(error, "original_exception", None), _AWAY):
        return _away(error)
    status = error.code or 500
    problem = Problem(
        status,
        HTTPStatus(status).phrase.lower().replace(" ", "-"),
        _title(status),
        _detail(status),
        _fields(error),
        {name: value for name, value in error.get_headers() if name in _KEPT},
    )
    return answer(problem)


_KEPT = frozenset({"Allow", "Retry-After", "WWW-Authenticate"})


def _csrf(error: CSRFError) -> Response:
    _log.info("form-token-refused", code=error.name)
    if not signed_in():
        return ask_to_sign_in()
    detail = _("This page was open for too long. Go back, reload the page and send it again.")
    return answer(Problem(400, "form-expired", _("This form is no longer valid"), detail))


def _away(error: Exception) -> Response:
    g.backend_away = True
    _log.warning("backend-away", exc_info=error)
    return answer(
        Problem(503, "unavailable", _title(503), _detail(503), headers={"Retry-After": "30"})
    )


def _unknown(error: Exception) -> Response:
    _log.error("request-failed", exc_info=error)
    return answer(Problem(500, "internal-error", _title(500), _detail(500)))


def _fields(error: HTTPException) -> dict[str, Any]:
    """Return what a body's schema found wrong, as {path: [sentences]} (flask-smorest, webargs)."""
    data = getattr(error, "data", None) or {}
    messages = data.get("messages")
    if not isinstance(messages, Mapping):
        return {}
    found: dict[str, list[str]] = {}
    for place in messages.values():
        _flatten("", place, found)
    return {"errors": found}


def _flatten(path: str, messages: object, found: dict[str, list[str]]) -> None:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            _flatten(f"{path}.{name}" if path else str(name), inner, found)
    elif isinstance(messages, (list, tuple)):
        found.setdefault(path or "body", []).extend(str(text) for text in messages)
    else:
        found.setdefault(path or "body", []).append(str(messages))


def _title(status: int) -> str:
    return str(
        _TEXTS.get(status, _TEXTS[500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400])[0]
    )


def _detail(status: int) -> str:
    return str(
        _TEXTS.get(status, _TEXTS[500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400])[1]
    )


def _as_json(problem: Problem) -> Response:
    body = {
        "type": f"urn:warm-handoff:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": g.get("request_id", ""),
        **problem.extra,
    }
    return Response(
        json.dumps(body), problem.status, problem.headers, content_type="application/problem+json"
    )


def _as_page(problem: Problem) -> Response:
    response = page(
        "error.html",
        status=problem.status,
        problem=problem,
        errors=problem.extra.get("errors", {}),
        request_id=g.get("request_id", ""),
    )
    response.headers.extend(problem.headers)
    return response
