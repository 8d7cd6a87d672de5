"""Documents generated from the code."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask

from intake.adapters.api import referrals
from routing.adapters.api import offers, previews
from shared.config import PREFIX, PROCESSES
from shared.http.api import json_api

_APIS: Mapping[str, tuple[Callable[[Any], Any], ...]] = {
    "intake": (referrals,),
    "routing": (previews, offers),
}
SERVICES_WITH_API = tuple(_APIS)


def openapi(service: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a service's API, paths from the service's address."""
    api = json_api(Flask(service), service.capitalize())
    for blueprint in _APIS[service]:
        api.register_blueprint(blueprint(None))  # nothing is called, only described
    document: dict[str, Any] = api.spec.to_dict()
    return document


def settings_table() -> str:
    """Return every setting with the processes that read it and its default, in Markdown."""
    readers: dict[str, list[str]] = {}
    fields: dict[str, dataclasses.Field[object]] = {}
    for process, settings in reversed(
        list(PROCESSES.items())
    ):  # set-up, the odd one, is the first
        for field in dataclasses.fields(settings):
            readers.setdefault(field.name, []).append(process.replace("_", " "))
            fields.setdefault(field.name, field)
    lines = ["| setting | what | default | read by |", "|---|---|---|---|"]
    for name, field in sorted(fields.items()):
        what = str(field.metadata["what"])
        lines.append(
            f"| `{PREFIX}{name.upper()}` | {what} | {_default(field)} | {_who(readers[name])} |"
        )
    return "\n".join(lines)


def _default(field: dataclasses.Field[object]) -> str:
    if field.default is dataclasses.MISSING:
        return "must be given"
    return f"`{str(field.default).lower()}`" if field.default not in {"", None} else "empty"


def _who(processes: list[str]) -> str:
    if len(processes) == len(PROCESSES):
        return "all"
    return ", ".join(processes)
