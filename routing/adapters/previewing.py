"""The preview as plain values: for the API, and for an intake in the same process (the demo)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from routing.adapters.desk import Desk
from routing.adapters.events import facts_of
from routing.application.preview import preview

Previewer = Callable[[Mapping[str, Any], Sequence[UUID]], dict[str, Any]]


def previewer(desk: Desk) -> Previewer:
    """Return a function from facts and barred partners to the answer of POST /api/previews.

    The answer holds UUIDs and tuples, ready for schemas.PreviewAnswer. Nothing is stored or
    logged (R-05).
    """

    def answer(facts: Mapping[str, Any], barred: Sequence[UUID]) -> dict[str, Any]:
        with desk.look() as work:
            return asdict(preview(facts_of(facts), barred, work))

    return answer
