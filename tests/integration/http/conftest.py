# mypy: disable-error-code="untyped-decorator"
"""An app on a real database, with two pages and an API of its own, and a real sign-in provider."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from marshmallow.validate import Length
from werkzeug.serving import make_server

from services.local.provider import Provider
from shared.config import WebSettings
from shared.db.pool import Pool, open_pool
from shared.errors import Conflict, Rejected
from shared.http import (
    create_app,
    current_client,
    current_member,
    json_api,
    require_client,
    requires,
)
from tests.support.databases import TestDatabase
from tests.support.web import a_provider, a_site, web_settings


class Body(Schema):
    name = fields.String(required=True, validate=Length(max=10))


def build(settings: WebSettings, pool: Pool) -> Flask:  # noqa: C901  (small views)
    app = create_app("tests", service="sample", settings=settings, pool=pool, site=a_site())

    @app.get("/")
    def home() -> str:
        return "home"

    @app.route("/mine", methods=["GET", "POST"])
    @requires("advocate")
    def mine() -> str:
        return current_member().name

    @app.get("/conflict")
    def conflict() -> str:
        raise Conflict("It was answered already.", state="declined")

    @app.get("/rejected")
    def rejected() -> str:
        raise Rejected("Some answers need another look.", {"name": ["Enter the name."]})

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("secret text of an exception")

    api = json_api(app, "Sample")
    blueprint = Blueprint("things", __name__, url_prefix="/api/things")
    blueprint.before_request(require_client)

    @blueprint.post("")
    @blueprint.arguments(Body)
    @blueprint.response(200)
    def create(body: dict[str, str]) -> dict[str, str]:
        return {"by": current_client().client_id}

    api.register_blueprint(blueprint)
    return app


@pytest.fixture
def pool(base_db: TestDatabase) -> Iterator[Pool]:
    found = open_pool(base_db.owner, name="test")
    yield found
    found.close()


@pytest.fixture
def app(pool: Pool) -> Flask:
    return build(web_settings(), pool)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with a_provider(tmp_path_factory.mktemp("provider")) as found:
        yield found


@pytest.fixture
def provided_app(pool: Pool, provider: Provider) -> Flask:
    return build(web_settings(oidc_issuer=provider.issuer), pool)


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """Serve the app at the root of its host; return the address."""
    app.config["APPLICATION_ROOT"] = "/"
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    server.server_close()
