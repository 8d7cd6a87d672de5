"""The web app that every service builds its own pages and API upon."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, current_app, request
from flask_babel import Babel
from flask_wtf import CSRFProtect
from prometheus_client import CollectorRegistry, ProcessCollector
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from shared.config import WebSettings
from shared.db.pool import Pool
from shared.http import assets, health, home, leaving, signin
from shared.http.bearer import Tokens
from shared.http.headers import protect
from shared.http.observe import observe
from shared.http.ops import add_ops
from shared.http.ops.numbers import PipelineNumbers
from shared.http.problems import handle_errors, is_api
from shared.http.render import set_up_templates
from shared.http.sessions import use_database_sessions
from shared.http.web import OpsOptions, Web, attach, web
from shared.site import Site

BODY_LIMIT: Final = 256 * 1024
PAGE_LIMIT: Final = 5 * 1024 * 1024
TRANSLATIONS: Final = Path(__file__).parent / "translations"
_EXEMPT: Final = "WARM_HANDOFF_WITHOUT_FORM_TOKEN"
_NUL: Final = rb"\u0000"
"""As JSON spells it."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def create_app(  # noqa: PLR0913  (what an app is made of, all by name)
    import_name: str,
    *,
    service: str,
    settings: WebSettings,
    pool: Pool,
    site: Site,
    ops: OpsOptions | None = None,
    form_origins: Sequence[str] = (),
    organization: UUID | None = None,
) -> Flask:
    """Build a service's app with all that is the same everywhere; the caller adds its own pages.

    Problems, request ids, headers, sessions, sign-in, quick exit, CSRF tokens, layout, crisis
    page, health, metrics and the operator's page. `form_origins` are the other origins that a
    form of this service posts to. With an `organization` the app is that one's alone: whoever is
    of another is no member here, but for operators (R-59).
    """
    app = Flask(import_name, static_folder=None)
    parts = Web(
        service=service,
        settings=settings,
        pool=pool,
        site=site,
        ops=ops or OpsOptions(),
        csrf=CSRFProtect(),
        oauth=signin.provider(app, settings),
        tokens=Tokens(settings.oidc_issuer, settings.public_url.rstrip("/")),
        registry=CollectorRegistry(),
        organization=organization,
    )
    _configure(app, settings)
    attach(app, parts)
    use_database_sessions(app, service, settings, pool)
    ProcessCollector(registry=parts.registry)
    observe(app, parts.registry)
    protect(app, form_origins=form_origins, secure=settings.public_url.startswith("https:"))
    handle_errors(app)
    parts.csrf.init_app(app)
    app.before_request(_check_request)
    app.before_request(_refuse_nul)
    Babel(app, locale_selector=lambda: _locale(site))
    set_up_templates(app)
    for blueprint in (assets, health, home, leaving, signin):
        app.register_blueprint(blueprint.blueprint())
    add_ops(app)
    parts.registry.register(PipelineNumbers(pool))
    return app


def _configure(app: Flask, settings: WebSettings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        APPLICATION_ROOT=urlsplit(settings.public_url).path.rstrip("/") or "/",
        MAX_CONTENT_LENGTH=BODY_LIMIT,
        MAX_FORM_MEMORY_SIZE=BODY_LIMIT,
        MAX_FORM_PARTS=500,
        # Our check below: the API is left out, and a page tells why (no Referer: R-30).
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_DEFAULT_LOCALE="en",
        BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS),
    )


def allow_upload(limit: int = PAGE_LIMIT) -> None:
    """Let this request's body be larger.

    Call it from a blueprint's url_value_preprocessor: the form's token is read before the view.
    """
    request.max_content_length = limit


def without_form_token(app: Flask, *endpoints: str) -> None:
    """Name views that take a form of another app of ours and check its proof themselves."""
    app.config.setdefault(_EXEMPT, set()).update(endpoints)


def _check_request() -> None:
    if request.method in _SAFE:
        return
    if (request.content_length or 0) > (request.max_content_length or BODY_LIMIT):
        raise RequestEntityTooLarge  # here, as a view that needs no body would not read it
    if is_api():
        if request.content_length and request.mimetype != "application/json":
            raise UnsupportedMediaType
    elif request.endpoint not in current_app.config.get(_EXEMPT, ()):
        web().csrf.protect()


def _refuse_nul() -> None:
    """Refuse the one sign that PostgreSQL holds in no text, and that nobody types."""
    pairs = (*request.args.items(multi=True), *request.form.items(multi=True))
    texts = chain([request.path], *pairs)
    if any("\0" in text for text in texts) or (is_api() and _NUL in request.get_data()):
        raise BadRequest


def _locale(site: Site) -> str:
    """Return the reader's best language among the site's that the pages are translated to."""
    spoken = [tag.replace("-", "_") for tag in site.languages]
    there = [tag for tag in spoken if (TRANSLATIONS / tag).is_dir()]
    return request.accept_languages.best_match(["en", *there], default="en")
