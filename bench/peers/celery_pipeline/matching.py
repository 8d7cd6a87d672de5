"""Which partner gets an intake: the released one that fits, as in ours."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner with what it takes, and where its webhook is."""

    partner_id: str
    needs: frozenset[str]
    counties: frozenset[str]
    languages: frozenset[str]
    hook: str


def load(file: str) -> Sequence[Partner]:
    """Return the partners of a file."""
    return [
        Partner(
            entry["partner_id"],
            frozenset(entry["needs"]),
            frozenset(entry["counties"]),
            frozenset(entry["languages"]),
            entry["hook"],
        )
        for entry in json.loads(Path(file).read_text(encoding="utf-8"))
    ]


def choose(facts: Mapping[str, Any], partners: Sequence[Partner]) -> Partner | None:
    """Return the first of the person's partners that fits."""
    needs, languages = set(facts["needs"]), set(facts["languages"])
    fitting = [
        (facts["partners"][partner.partner_id], -len(needs & partner.needs), partner.partner_id)
        for partner in partners
        if partner.partner_id in facts["partners"]
        and needs & partner.needs
        and (not partner.counties or facts["county"] in partner.counties)
        and languages & partner.languages
    ]
    if not fitting:
        return None
    chosen = min(fitting)[2]
    return next(partner for partner in partners if partner.partner_id == chosen)
