"""Ids of a request, its line in the log and its place in the metrics: names, never addresses."""

import secrets
from time import perf_counter
from typing import Final

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from structlog.contextvars import bind_contextvars, reset_contextvars

from shared.contracts.trace import correlation_of, traceparent_of
from shared.http.assets import ENDPOINT
from shared.log import get_logger

_log = get_logger(__name__)

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
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

    def add(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._count.labels(endpoint, method, str(status)).inc()
        self._spent.labels(endpoint).observe(seconds)


def observe(app: Flask, registry: CollectorRegistry) -> None:
    """Give each request its ids, log it without path, query, body or client address, count it."""
    metrics = RequestMetrics(registry)

    def finish(response: Response) -> Response:
        seconds = perf_counter() - g.get("started", perf_counter())
        endpoint, method = request.endpoint or "none", _method()
        metrics.add(endpoint, method, response.status_code, seconds)
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if endpoint not in _QUIET:
            _log.info(
                "request",
                endpoint=endpoint,
                method=method,
                status=response.status_code,
                milliseconds=round(seconds * 1000, 1),
            )
        return response

    app.before_request(_begin)
    app.after_request(finish)
    app.teardown_request(_end)


def _begin() -> None:
    g.started = perf_counter()
    g.request_id = secrets.token_hex(8)
    headers = request.headers
    g.log_context = bind_contextvars(
        request_id=g.request_id,
        correlation_id=correlation_of(headers.get("X-Correlation-Id", "").lower()),
        traceparent=traceparent_of(headers.get("traceparent", "")),
    )


def _end(_error: BaseException | None) -> None:
    reset_contextvars(**g.pop("log_context", {}))


def _method() -> str:
    method = request.method
    return method if method in _METHODS else "other"
