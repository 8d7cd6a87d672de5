"""Whatever is sent to routing's API, its answers are those that it describes."""

from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from tests.integration.routing.conftest import Routing
from tests.integration.routing.test_api import app, of
from tests.support.databases import TestDatabase
from tests.unit.routing.builders import a_partner

__all__ = ["app"]

CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.parametrize(
    "path",
    [
        "/api/previews",
        "/api/offers",
        "/api/offers/{reference}",
        "/api/offers/{reference}/acceptance",
        "/api/offers/{reference}/decline",
        "/api/offers/{reference}/closure",
    ],
)
def test_no_request_gets_an_answer_that_is_not_described(
    routing: Routing, routing_db: TestDatabase, app: Flask, path: str
) -> None:
    partner = a_partner()
    routing.has_partners(partner)
    token = of(partner, routing_db)
    mounted = DispatcherMiddleware(Flask("root"), {"/app": app})
    schema = schemathesis.openapi.from_wsgi("/app/api/openapi.json", mounted)
    operations = [
        found.ok()
        for found in schema.include(path=path).get_all_operations()
        if isinstance(found, Ok)
    ]

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operations[0].as_strategy())
    def answers_as_described(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    assert len(operations) == 1
    answers_as_described()
