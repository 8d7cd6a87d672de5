"""What a batch of events is about, read in one round trip before the first of them is applied."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from routing.adapters import sql
from routing.adapters.loading import Loaded, load_referrals
from routing.adapters.references import FREE, invented
from shared.db import Tx, together


@dataclass(frozen=True, slots=True)
class About:
    """What events are about, by what events tell that nobody has checked yet."""

    referrals: Collection[UUID]
    moving: Collection[UUID]
    """Those of the referrals that may take or free places."""
    partners: Collection[UUID]
    """Whom new releases name."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """The time of the transaction and the rows that its events will ask for."""

    now: datetime
    version: int | None
    """The directory's, None before the first import."""
    referrals: Iterable[Loaded]
    early: Iterable[Mapping[str, Any]]
    places: Iterable[Mapping[str, Any]]
    references: list[str]


def read_ahead(tx: Tx, site: str, about: About) -> Ahead:
    """Lock referrals by id, then their places by id, as everybody does; read the rest."""
    partners = {"partners": list(about.partners), "referrals": list(about.moving)}
    with together(tx):
        referrals = load_referrals(tx, sql.LOCK_REFERRALS, about.referrals)
        early = tx.execute(sql.EARLY, (list(about.referrals),))
        moment = tx.execute(_MOMENT, (site, invented(len(about.moving))))
        places = tx.execute(sql.LOCK_PLACES_OF, partners) if about.moving else ()
    row = moment.fetchall()[0]
    now = row["now"].astimezone(UTC)
    return Ahead(now, row["version"], referrals, early, places, row["references"])


_MOMENT: Final = f"""
select now() as now, ({sql.ACTIVE_VERSION}) as version, array({FREE}) as references
"""
