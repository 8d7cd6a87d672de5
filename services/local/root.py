"""What a demo serves beside the three services: a start page, caught mail, received webhooks."""

import json
import time
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from pathlib import Path

from flask import Flask, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from jinja2 import ChoiceLoader, FileSystemLoader, PackageLoader

from services.local import hooks, mail
from services.local.people import ready_users
from services.local.settings import Place
from shared.config import WebSettings
from shared.http import assets
from shared.site import Site

_SHOWN = 100
_LARGEST_HOOK = 64 * 1024
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_root(place: Place, site: Site) -> Flask:
    """Build the app at the top of the demo's address."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_HOOK
    app.jinja_loader = ChoiceLoader(
        [
            FileSystemLoader(Path(__file__).parent / "templates" / "root"),
            PackageLoader("shared.http"),
        ]
    )
    Babel(app)
    exit_url = WebSettings.__dataclass_fields__["exit_url"].default
    app.jinja_env.globals.update(site=site, exit_url=exit_url, asset=assets.asset)
    app.register_blueprint(assets.blueprint())
    _add_pages(app, place)
    _add_receiver(app, place)

    @app.errorhandler(HTTPStatus.NOT_FOUND)
    def missing(_: Exception) -> ResponseReturnValue:
        return render_template("missing.html"), HTTPStatus.NOT_FOUND

    @app.after_request
    def close(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app


def _add_pages(app: Flask, place: Place) -> None:
    folder = place.folder

    @app.get("/")
    def start() -> str:
        return render_template("start.html", users=ready_users(folder.site))

    @app.get("/mail")
    def mails() -> str:
        newest = mail.names(folder.mail)[:_SHOWN]
        return render_template("mails.html", mails=[mail.read(folder.mail, n) for n in newest])

    @app.get("/mail/<name>")
    def one_mail(name: str) -> str:
        found = mail.read(folder.mail, name) or abort(HTTPStatus.NOT_FOUND)
        return render_template("mail.html", mail=found)

    @app.get("/webhooks-received")
    def webhooks() -> str:
        return render_template("hooks.html", hooks=_shown_hooks(place))


def _shown_hooks(place: Place) -> list[dict[str, object]]:
    return [
        {
            "receiver": hook.receiver,
            "came": datetime.fromtimestamp(hook.at).astimezone().strftime("%b %-d, %H:%M:%S"),
            "webhook_id": hook.webhook_id,
            "lines": json.dumps(json.loads(hook.body), indent=1).splitlines(),
        }
        for hook in islice(hooks.received(place.folder.hooks), _SHOWN)
    ]


def _add_receiver(app: Flask, place: Place) -> None:
    secrets = hooks.endpoint_secrets(place.folder.site)

    @app.post("/hooks/<receiver>")
    def receive(receiver: str) -> ResponseReturnValue:
        secret = secrets.get(receiver) or abort(HTTPStatus.NOT_FOUND)
        body = request.get_data()
        if not hooks.is_signed(secret, request.headers, body, now=time.time()):
            return {"title": "The signature is wrong."}, HTTPStatus.UNAUTHORIZED
        hooks.keep(place.folder.hooks, receiver, request.headers["webhook-id"], body)
        return "", HTTPStatus.NO_CONTENT
