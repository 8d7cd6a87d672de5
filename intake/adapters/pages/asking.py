"""What the questions need to know besides what was typed: the site, the partners, the day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from intake.domain.partners import Partner
from shared.site import Agency, Site

Values = dict[str, Any]
"""The answers of one page, read: strings, booleans, dates and lists of codes."""


@dataclass(frozen=True, slots=True)
class Asking:
    """The surroundings in which a page is asked and read.

    `partners` maps the id of every partner that may receive a referral to its public record;
    `barred` are those that the person's answers rule out, `used` those that this referral was
    released to before; `earlier` holds answers of pages before this one.
    """

    site: Site
    agency: Agency
    today: date
    partners: Mapping[str, Partner]
    barred: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    earlier: Mapping[str, Values] = field(default_factory=dict)
    about: str = ""

    def partner_name(self, partner_id: str) -> str:
        """Return a partner's name; empty when it is no partner any more."""
        partner = self.partners.get(partner_id)
        return partner.name if partner else ""

    def open_partners(self) -> list[str]:
        """Return the partners that may be chosen, by name."""
        left = self.partners.keys() - self.barred - self.used
        return sorted(left, key=lambda partner_id: (self.partner_name(partner_id), partner_id))
