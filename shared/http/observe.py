"""Ids of a request, its line in the log and its place in the metrics: names, never addresses."""

import secrets
from contextlib import ExitStack
from time import perf_counter
from typing import Final

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from structlog.contextvars import bound_contextvars

from shared.contracts.trace import correlation_of, traceparent_of
from shared.http.assets import ENDPOINT
from shared.log import context, get_logger

_log = get_logger(__name__)

_QUIET: Final = frozenset(
    {f"assets.{ENDPOINT}", "health.healthz", "health.readyz", "health.metrics"}
)


class RequestMetrics:
    """What is counted of requests, by the name of the view."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Count in the registry of one app."""
        names = ["endpoint", "method", "status"]
        self._count = Counter("wh_http_requests", "Requests answered", names, registry=registry)
        self._spent = Histogram(
            "wh_http_request_seconds", "Time to answer", ["endpoint"], registry=registry
        )

    def add(self, endpoint: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._count.labels(endpoint, _method(), str(status)).inc()
        self._spent.labels(endpoint).observe(seconds)


def observe(app: Flask, registry: CollectorRegistry) -> None:
    """Give each request its ids, log it without path, query, body or client address, count it."""
    metrics = RequestMetrics(registry)

    def finish(response: Response) -> Response:
        seconds = perf_counter() - g.get("started", perf_counter())
        metrics.add(request.endpoint or "none", response.status_code, seconds)
        response.headers["X-Request-Id"] = g.get("request_id", "")
        _write_line(response.status_code, seconds)
        return response

    app.before_request(_begin)
    app.after_request(finish)
    app.teardown_request(_end)


def _begin() -> None:
    g.started = perf_counter()
    g.request_id = secrets.token_hex(8)
    g.log_context = ExitStack()
    g.log_context.enter_context(bound_contextvars(request_id=g.request_id))
    g.log_context.enter_context(
        context(
            correlation_id=correlation_of(request.headers.get("X-Correlation-Id", "").lower()),
            traceparent=traceparent_of(request.headers.get("traceparent", "")),
        )
    )


def _write_line(status: int, seconds: float) -> None:
    endpoint = request.endpoint or "none"
    if endpoint not in _QUIET:
        milliseconds = round(seconds * 1000, 1)
        _log.info(
            "request",
            endpoint=endpoint,
            method=_method(),
            status=status,
            milliseconds=milliseconds,
        )


def _end(_error: BaseException | None) -> None:
    stack: ExitStack | None = g.pop("log_context", None)
    if stack is not None:
        stack.close()


def _method() -> str:
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return request.method if request.method in known else "other"
