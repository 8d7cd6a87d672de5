"""What the questions need to know besides what was typed: the site, the partners, the day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from shared.site import Agency, Site

Values = dict[str, Any]
"""The answers of one page, read: strings, booleans, dates and lists of codes."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The surroundings in which a page is asked and read.

    `partners` maps the id of every partner that may receive a referral to its name; `earlier`
    holds the answers of the pages before this one.
    """

    site: Site
    agency: Agency
    today: date
    partners: Mapping[str, str]
    earlier: Mapping[str, Values] = field(default_factory=dict)
    about: str = ""
