"""The topics of the bus: which there are, and which each service reads."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.bus import TopicSpec
from shared.contracts.catalogue import CATALOGUE

_COMPACTED = frozenset({"routing.partner"})
_AGENCY = "[a-z0-9-]+"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a service subscribes to: whole names, and patterns of names."""

    topics: tuple[str, ...]
    patterns: tuple[str, ...]


def all_topics(agencies: Iterable[str]) -> Mapping[str, TopicSpec]:
    """Return every topic of a system with these agencies."""
    return {
        name: TopicSpec(compacted=name in _COMPACTED)
        for stem in {event.topic for event in CATALOGUE.values()}
        for name in ([f"{stem}{agency}" for agency in agencies] if _by_agency(stem) else [stem])
    }


def read_by(service: str, agency: str | None = None) -> Reading:
    """Return what a service reads; `agency` narrows it to one agency's topics, as intake must."""
    stems = sorted({event.topic for event in CATALOGUE.values() if service in event.readers})
    topics = [stem for stem in stems if not _by_agency(stem)]
    of_agencies = [stem for stem in stems if _by_agency(stem)]
    if agency is None:
        return Reading(tuple(topics), tuple(re.escape(stem) + _AGENCY for stem in of_agencies))
    return Reading((*topics, *(f"{stem}{agency}" for stem in of_agencies)), ())


def _by_agency(stem: str) -> bool:
    return stem.endswith(".")
