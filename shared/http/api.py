"""JSON APIs: flask-smorest with our errors, described by OpenAPI 3.1 at /api/openapi.json."""

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, TypeVar

from flask import Flask, request
from flask_smorest import Api, Blueprint
from marshmallow import Schema, ValidationError, fields

View = TypeVar("View", bound=Callable[..., Any])

PREFIX: Final = "/api"


class ProblemSchema(Schema):
    """An error (RFC 9457)."""

    type = fields.String(required=True, metadata={"description": "Names the kind of error"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(metadata={"description": "What to do about it"})
    code = fields.String(required=True, metadata={"description": "Short form of type"})
    request_id = fields.String(metadata={"description": "Say this when you report the error"})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "What is wrong, by the path of the field"},
    )
    state = fields.String(metadata={"description": "The state that it is in (409)"})


class _Api(Api):  # type: ignore[misc]  # flask-smorest is untyped
    """Flask-smorest, which leaves errors to the app: it would answer errors of pages as JSON."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        pass

    def _register_responses(self) -> None:
        """Describe every error as a problem, in its own media type (RFC 9457)."""
        errors = {
            status.name: status.phrase for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST
        }
        for name, phrase in {**errors, "DEFAULT_ERROR": "Any other error"}.items():
            content = {"application/problem+json": {"schema": self.ERROR_SCHEMA}}
            response = {"description": phrase, "content": content}
            self.spec.components.response(name, response, lazy=True)


def json_api(app: Flask, title: str) -> Any:  # noqa: ANN401  (flask-smorest is untyped)
    """Give the app a JSON API; on what is returned, register blueprints with a prefix below /api.

    A blueprint starts with `blueprint.before_request(require_client)`, so that 401 comes first.
    """
    app.config.update(
        API_TITLE=title,
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "servers": [{"url": app.config["APPLICATION_ROOT"]}],
            "security": [{"token": []}],
        },
    )
    api = _Api(app)
    api.spec.components.security_scheme(
        "token",
        {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "Access token of the identity provider (client credentials, RFC 9068)",
        },
    )
    return api


def described(*decorators: Any) -> Callable[[View], View]:  # noqa: ANN401  (as above)
    """Describe a view as these decorators of its blueprint do, and do nothing at its requests.

    For a view whose requests are many: it takes its arguments by `given` and dumps its answer.
    """

    def decorate(view: View) -> View:
        whole: Any = view
        for decorator in reversed(decorators):
            whole = decorator(whole)
        view.__dict__["_apidoc"] = whole._apidoc  # noqa: SLF001  (flask-smorest's own)
        return view

    return decorate


def given(
    schema: Schema,
    value: Any,  # noqa: ANN401  (what JSON or a header holds)
    *,
    location: str,
    refused: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY,
) -> Any:  # noqa: ANN401  (what the schema makes)
    """Return what the request holds at a location (webargs) as the schema loads it.

    Raises:
        HTTPException: it does not load, in the same words as from a view that is decorated.

    """
    with suppress(ValidationError):
        return schema.load(value)
    return Blueprint.ARGUMENTS_PARSER.parse(
        schema, request, location=location, error_status_code=refused
    )
