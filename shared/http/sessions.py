"""Sessions in the service's database: the cookie holds a random token and nothing else.

The row's key is the token's hash and its data are sealed with a key made from the token, so that
a copy of the table opens nothing.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
import psycopg_pool
from flask import Flask, Request, Response, g
from flask.sessions import SessionInterface, SessionMixin

from shared.config import WebSettings
from shared.crypto import decrypt, encrypt
from shared.db.pool import Pool, transaction
from shared.log import get_logger

_log = get_logger(__name__)

BACKGROUND_HEADER: Final = "X-Background"
"""Sent by the script with requests that nobody asked for: they do not count as use."""

_TOUCH: Final = timedelta(seconds=30)
_LIFETIME: Final = timedelta(hours=12)
_EXIT_SECONDS: Final = 1.0
_AAD: Final = b"session"
_INSERT: Final = "insert into session (data, id_hash) values (%s, %s)"
# Never an upsert: a request in flight must not bring back a session that was just ended.
_UPDATE: Final = "update session set data = %s, last_seen_at = now() where id_hash = %s"


class DatabaseSession(SessionMixin):
    """A session that asks the database only once something is read or written."""

    def __init__(self, store: "DatabaseSessions", token: str) -> None:
        self._store = store
        self._data: dict[str, Any] | None = None
        self.stored = False
        self._stale = False
        self.token = token
        self.presented = bool(token)
        self.modified = False
        self.accessed = False
        self.ended = False
        self.used = True

    def rotate(self) -> None:
        """Continue under a new token; the old one opens nothing any more."""
        self._load()
        self._store.delete(self.token)
        self.token = ""
        self.stored = False
        self.modified = True

    def end(self) -> None:
        """Forget everything, here and in the database."""
        self._data = {}
        self.ended = True
        self.modified = True

    @property
    def stale(self) -> bool:
        """Whether the time of last use should be written again."""
        return self.stored and self._stale

    @property
    def loaded(self) -> dict[str, Any] | None:
        """The data, or None when nobody has asked for them."""
        return self._data

    def _load(self) -> dict[str, Any]:
        self.accessed = True
        if self._data is None:
            self._data = {}
            if self.token:
                found, self._stale = self._store.read(self.token)
                self.stored = found is not None
                self._data = found or {}
        return self._data

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401
        """Return a value."""
        return self._load()[key]

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401
        """Keep a value."""
        self._load()[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        """Forget a value."""
        del self._load()[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._load())

    def __len__(self) -> int:
        """Return how many values there are."""
        return len(self._load())


class DatabaseSessions(SessionInterface):
    """Flask's sessions on the table `session`."""

    session_class = DatabaseSession

    def __init__(self, pool: Pool, *, idle: timedelta) -> None:
        self._pool = pool
        self._idle = idle

    def open_session(self, app: Flask, request: Request) -> DatabaseSession:
        """Give the request its session, without asking the database yet."""
        session = DatabaseSession(self, request.cookies.get(self.get_cookie_name(app), ""))
        session.used = BACKGROUND_HEADER not in request.headers
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write what changed, the time of last use now and then, or the end of it."""
        if not isinstance(session, DatabaseSession) or g.get("backend_away"):
            return
        if session.accessed:
            response.vary.add("Cookie")
        if session.ended or (session.modified and not session.loaded):
            self._finish(app, session, response)
        elif session.modified:
            self._write(app, session, response)
        elif session.stale and session.used:
            self._touch(session.token)

    def read(self, token: str) -> tuple[dict[str, Any] | None, bool]:
        """Return the data of a live session and whether its last use is worth writing again."""
        with transaction(self._pool) as tx:
            row = tx.execute(
                "select data, last_seen_at < now() - %s as stale from session where id_hash = %s"
                " and last_seen_at > now() - %s and created_at > now() - %s",
                (_TOUCH, _hash(token), self._idle, _LIFETIME),
            ).fetchone()
        if row is None:
            return None, False
        data = json.loads(decrypt(_key(token), bytes(row["data"]), aad=_AAD))
        return data, row["stale"]

    def delete(self, token: str, *, wait_seconds: float | None = None) -> None:
        """Remove a session."""
        if token:
            with self._pool.connection(timeout=wait_seconds) as tx:
                tx.execute("delete from session where id_hash = %s", (_hash(token),))

    def _write(self, app: Flask, session: DatabaseSession, response: Response) -> None:
        token = session.token if session.stored else secrets.token_urlsafe(32)
        sealed = encrypt(
            _key(token), json.dumps(session.loaded).encode(), key_name="session", aad=_AAD
        )
        with transaction(self._pool) as tx:
            tx.execute(_UPDATE if session.stored else _INSERT, (sealed, _hash(token)))
        if not session.stored:
            response.set_cookie(self.get_cookie_name(app), token, **_cookie(self, app))

    def _touch(self, token: str) -> None:
        with transaction(self._pool) as tx:
            tx.execute(
                "update session set last_seen_at = now() where id_hash = %s", (_hash(token),)
            )

    def _finish(self, app: Flask, session: DatabaseSession, response: Response) -> None:
        """Forget the session; the browser loses its cookie even while the database is away."""
        if not session.presented:
            return
        try:
            self.delete(session.token, wait_seconds=_EXIT_SECONDS)
        except (psycopg.Error, psycopg_pool.PoolTimeout) as away:
            _log.warning("session-not-deleted", exc_info=away)
        response.delete_cookie(self.get_cookie_name(app), **_cookie(self, app))


def use_database_sessions(app: Flask, service: str, settings: WebSettings, pool: Pool) -> None:
    """Give the app its sessions; the cookie is `__Host-` bound wherever https allows it."""
    address = urlsplit(settings.public_url)
    secure = address.scheme == "https"
    root = address.path.rstrip("/") or "/"
    bound = secure and root == "/"
    app.config.update(
        SESSION_COOKIE_NAME=f"__Host-wh-{service}" if bound else f"wh-{service}",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH=root,
    )
    app.session_interface = DatabaseSessions(pool, idle=timedelta(minutes=settings.idle_minutes))


def _cookie(interface: SessionInterface, app: Flask) -> dict[str, Any]:
    return {
        "path": interface.get_cookie_path(app),
        "secure": interface.get_cookie_secure(app),
        "httponly": True,
        "samesite": interface.get_cookie_samesite(app),
    }


def _hash(token: str) -> bytes:
    return hashlib.sha256(b"id:" + token.encode()).digest()


def _key(token: str) -> bytes:
    return hashlib.sha256(b"key:" + token.encode()).digest()
