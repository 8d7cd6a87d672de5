"""What a site and its agency set, as the rules of intake need it; and how problems are told."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.errors import Rejected

DRAFT_LIFE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rules:
    """One agency at one site.

    `codes` maps a group (needs, urgencies, age-bands, roles, access-needs, preferences,
    contact-routes, channels, counties, involved-agencies, release-items, report-back-items) to
    the codes that it knows; `language_tag` is the shape of a language.
    """

    site: str
    agency: str
    organization_id: UUID
    zone: ZoneInfo
    codes: Mapping[str, frozenset[str]]
    language_tag: re.Pattern[str]
    release_default_days: int = 30
    release_cap_days: int = 90


@dataclass(slots=True)
class Problems:
    """What is wrong with an input: sentences by the path of the field."""

    fields: dict[str, list[str]] = field(default_factory=dict)

    def add(self, path: str, sentence: str) -> None:
        """Note one problem."""
        self.fields.setdefault(path, []).append(sentence)

    def refuse(self) -> None:
        """Refuse the input if anything was noted.

        Raises:
            Rejected: with every field that has a problem.

        """
        if self.fields:
            raise Rejected("Some answers need another look.", self.fields)
