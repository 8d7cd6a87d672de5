"""Asks for a route as somebody, and says in one word what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from services.local.provider import Provider
from tests.integration.access.places import URL, Args, Place
from tests.support.web import expired_token, page_token, sign_in

Ask = Callable[[str, str, Args, Mapping[str, Any]], str]
NOBODY = "nobody"
_ENDING = ("/exit", "/timed-out", "/sign-out")
_TOKENS: Mapping[str, Callable[[Provider], str]] = {
    "own": lambda provider: provider.token("own_client", URL),
    "elsewhere": lambda provider: provider.token("other_client", URL),
    "removed": lambda provider: provider.token("removed_client", URL),
    "stranger": lambda provider: provider.token("unknown_client", URL),
    "person": lambda provider: provider.token("partner", URL),
    "audience": lambda provider: provider.token("own_client", f"{URL}/elsewhere"),
    "expired": lambda provider: expired_token(provider, "own_client", URL),
}


@dataclass
class Asking:
    """Everybody who asks one service: people in browsers, machines with tokens."""

    place: Place
    provider: Provider
    _browsers: dict[str, tuple[FlaskClient, str]] = field(default_factory=dict)

    def by_person(self, who: str, route: str, args: Args, form: Mapping[str, Any]) -> str:
        """Ask in a browser, with the form's token, as the page that holds the form would."""
        client, token = self._browser(who)
        method, path = self._address(route, args)
        data = {**form, "csrf_token": token} if method == "POST" else None
        response = client.open(path, method=method, data=data)
        if path in _ENDING:
            del self._browsers[who]
        return outcome(response)

    def without_token(self, who: str, route: str, args: Args) -> str:
        """Ask as a form that another site made up."""
        method, path = self._address(route, args)
        return outcome(self._browser(who)[0].open(path, method=method))

    def by_machine(self, who: str, route: str, args: Args, body: Mapping[str, Any]) -> str:
        """Ask with an access token; "cookie": with a person's sign-in instead."""
        method, path = self._address(route, args)
        headers = {"Idempotency-Key": f'"{uuid4()}"'}
        if who in _TOKENS:
            headers["Authorization"] = f"Bearer {_TOKENS[who](self.provider)}"
        client = self._browser("partner")[0] if who == "cookie" else self.place.app.test_client()
        json = body if method == "POST" else None
        return outcome(client.open(path, method=method, json=json, headers=headers))

    def _address(self, route: str, args: Args) -> tuple[str, str]:
        method, rule = route.split(" ", 1)
        found = next(r for r in self.place.app.url_map.iter_rules() if r.rule == rule)
        with self.place.app.test_request_context(base_url=URL):
            wanted = {name: value for name, value in args.items() if name in found.arguments}
            built = found.build(wanted)
        assert built is not None, f"{route}: no value for each of {found.arguments}"
        return method, built[1]

    def _browser(self, who: str) -> tuple[FlaskClient, str]:
        if who not in self._browsers:
            client, token = self.place.app.test_client(), ""
            if who != NOBODY:
                sign_in(client, who, issuer=self.provider.issuer)
                token = page_token(client)
            self._browsers[who] = client, token
        return self._browsers[who]


def outcome(response: TestResponse) -> str:
    """Return "ok", "in" for the way to sign-in, or the status."""
    target = urlsplit(response.headers.get("Location", ""))
    if response.status_code == 302 and target.path == "/sign-in":
        return "in"
    return "ok" if response.status_code < 400 else str(response.status_code)


def routes(app: Flask) -> set[str]:
    """Return "METHOD rule" for everything that the app answers."""
    return {f"{method} {rule.rule}" for rule in app.url_map.iter_rules() for method in _of(rule)}


def _of(rule: Rule) -> set[str]:
    return set(rule.methods or ()) - {"HEAD", "OPTIONS"}
