"""The match preview inside one process: an HTTP call into the own threads would starve them."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from intake.adapters.preview import fits_of
from intake.application.ports import Fit
from intake.domain.facts import Facts
from routing.adapters.desk import Desk
from routing.adapters.previewing import previewer
from shared.log import get_logger

_log = get_logger(__name__)


class LocalPreview:
    """Asks routing's rules directly; facts only, nothing is kept."""

    def __init__(self, desk: Desk) -> None:
        """Ask at routing's desk."""
        self._ask = previewer(desk)

    def preview(self, facts: Facts, barred: Sequence[UUID]) -> Sequence[Fit] | None:
        """Return a verdict for every partner, or None when the database does not answer."""
        try:
            return fits_of(self._ask(asdict(facts), barred))
        except (psycopg.Error, PoolTimeout) as failure:
            _log.warning("no-preview", exc_info=failure)
            return None
