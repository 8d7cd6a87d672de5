"""Styles and scripts: built by `python -m shared.http.assets`, served with long caching.

Their addresses hold a hash of their content, so a new version is a new address.
"""

import json
from functools import cache
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, send_from_directory

FOLDER: Final = Path(__file__).parent
BUILD: Final = FOLDER / "build"
ENDPOINT: Final = "asset_file"
ROOT: Final = "/assets"
_YEAR: Final = 365 * 24 * 3600


class NotBuilt(Exception):
    """The assets are not there: `python -m shared.http.assets` makes them."""


@cache
def manifest() -> dict[str, str]:
    """Return the built file of each name.

    Raises:
        NotBuilt: there is none.

    """
    try:
        found: dict[str, str] = json.loads((BUILD / "manifest.json").read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise NotBuilt(
            "The pages' styles are missing: run python -m shared.http.assets."
        ) from missing
    return found


def asset(name: str) -> str:
    """Return the address of a style, script or picture."""
    return f"{ROOT}/{manifest()[name]}"


def blueprint() -> Blueprint:
    """Serve /assets; each app has it, and the app at the demo's root answers for all of them."""
    views = Blueprint("assets", __name__, url_prefix=ROOT)
    views.add_url_rule("/<path:name>", ENDPOINT, _file)
    return views


def _file(name: str) -> Response:
    if name not in manifest().values():
        name = "missing"
    response = send_from_directory(BUILD, name, max_age=_YEAR)
    response.cache_control.public = True
    response.cache_control.immutable = True
    return response
