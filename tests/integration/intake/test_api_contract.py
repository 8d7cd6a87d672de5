"""Whatever is sent to intake's API, its answers are those that it describes."""

from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from tests.integration.intake.test_api import app, client

__all__ = ["app", "client"]

CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize(
    "path",
    [
        "/api/referrals",
        "/api/referrals/{referral_id}",
        "/api/referrals/{referral_id}/releases/{release_id}/revocation",
        "/api/referrals/{referral_id}/withdrawal",
    ],
)
def test_no_request_gets_an_answer_that_is_not_described(
    app: Flask, client: FlaskClient, path: str
) -> None:
    mounted = DispatcherMiddleware(Flask("root"), {"/app": app})
    schema = schemathesis.openapi.from_wsgi("/app/api/openapi.json", mounted)
    found = schema.include(path=path).get_all_operations()
    operations = [operation.ok() for operation in found if isinstance(operation, Ok)]

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operations[0].as_strategy())
    def answers_as_described(case: "schemathesis.Case[Any]") -> None:
        headers = {"Authorization": "Bearer agency-system"}
        case.call_and_validate(headers=headers, checks=CHECKS)

    assert len(operations) == 1
    answers_as_described()
