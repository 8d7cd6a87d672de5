"""The topics of the bus: which there are, which each service reads, and which it writes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.bus import TopicSpec
from shared.contracts.catalogue import CATALOGUE

_COMPACTED = frozenset({"routing.partner"})
_AGENCY = "[a-z0-9-]+"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a group subscribes to: whole names, and stems that an agency's code follows."""

    group: str
    topics: tuple[str, ...]
    stems: tuple[str, ...]

    @property
    def patterns(self) -> tuple[str, ...]:
        """The stems as regular expressions of whole names."""
        return tuple(re.escape(stem) + _AGENCY for stem in self.stems)


def all_topics(agencies: Iterable[str]) -> Mapping[str, TopicSpec]:
    """Return every topic of a system with these agencies."""
    stems, codes = {event.topic for event in CATALOGUE.values()}, tuple(agencies)
    names = {name for stem in stems for name in _named(stem, codes)}
    return {name: TopicSpec(compacted=name in _COMPACTED) for name in sorted(names)}


def read_by(service: str, agency: str | None = None) -> Reading:
    """Return what a service reads; `agency` narrows it to one agency's topics, as intake must."""
    stems = sorted({event.topic for event in CATALOGUE.values() if service in event.readers})
    whole = [stem for stem in stems if not is_by_agency(stem)]
    of_agencies = [stem for stem in stems if is_by_agency(stem)]
    if agency is None:
        return Reading(client_of(service), tuple(whole), tuple(of_agencies))
    own = [f"{stem}{agency}" for stem in of_agencies]
    return Reading(client_of(service, agency), (*whole, *own), ())


def written_by(service: str, agency: str | None = None) -> list[str]:
    """Return the topics, or stems of topics, that a service writes."""
    stems = sorted({event.topic for event in CATALOGUE.values() if event.owner == service})
    return [f"{stem}{agency}" if agency and is_by_agency(stem) else stem for stem in stems]


def client_of(service: str, agency: str | None = None) -> str:
    """Return a service's user and group at the bus; an intake's name holds its agency's."""
    return f"{service}-{agency}" if agency else service


def is_by_agency(stem: str) -> bool:
    """Tell whether each agency has a topic of its own there."""
    return stem.endswith(".")


def _named(stem: str, agencies: Iterable[str]) -> list[str]:
    return [f"{stem}{agency}" for agency in agencies] if is_by_agency(stem) else [stem]
