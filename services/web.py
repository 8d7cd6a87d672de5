"""What web processes share."""

from urllib.parse import urlsplit

from flask import Flask
from prometheus_client import start_http_server

from shared.config import WebSettings
from shared.http.web import web


def metrics(app: Flask, settings: WebSettings) -> None:
    """Give the app's metrics at a port of their own, if the settings name one."""
    if settings.metrics_port:
        with app.app_context():
            start_http_server(settings.metrics_port, registry=web().registry)


def origin(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
