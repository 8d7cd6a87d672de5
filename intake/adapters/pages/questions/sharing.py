"""Who is asked, and what they may be told: the person's own choices (R-05, R-12, R-16)."""

from datetime import date, timedelta

from flask_babel import format_date
from flask_babel import gettext as _

from intake.adapters.pages.asking import Asking, Values
from intake.adapters.pages.reader import Reader
from intake.domain.releases import ALWAYS_ITEMS, MOST_PARTNERS
from shared.contracts.codes import PROTECTED_NEEDS, RELEASE_ITEMS, REPORT_BACK_ITEMS

SIGNING = ("drawn", "paper")


def partners(read: Reader, asking: Asking) -> Values:
    """Read up to three partners; without one the person gets an information sheet."""
    chosen = read.choices("partners", asking.open_partners())
    if len(chosen) > MOST_PARTNERS:
        read.refuse("partners", _("Choose at most three partners"))
    if not chosen:
        read.refuse(
            "partners", _("Choose at least one partner, or choose the information sheet below")
        )
    return {"partners": chosen}


def order(read: Reader, asking: Asking) -> Values:
    """Read whom to ask first, second, third."""
    chosen: list[str] = asking.earlier.get("partners", {}).get("partners", [])
    places = [str(place + 1) for place in range(len(chosen))]
    given = {
        partner: read.choice(
            f"place-{partner}",
            places,
            missing=_("Choose when to ask %(partner)s", partner=asking.partner_name(partner)),
        )
        for partner in chosen
    }
    if all(given.values()) and len(set(given.values())) < len(given):
        read.refuse(
            f"place-{chosen[-1]}", _("Two partners have the same place. Give each its own place")
        )
    return {"order": sorted(chosen, key=lambda partner: given[partner])}


def release(read: Reader, asking: Asking) -> Values:
    """Read what one partner may be told, what it may tell back, and until when."""
    until = read.day("until", _("Last day"), missing=_until_missing(asking))
    if until and not asking.today < until <= last_day(asking):
        read.refuse("until", _until_missing(asking))
    items = read.choices("items", items_offered(asking))
    for item in ALWAYS_ITEMS:
        if item not in items:
            read.refuse(
                "items",
                _(
                    "Tick the kind of help and the facts: without them the partner cannot answer."
                    " If the person does not want that, choose “Do not ask this partner”"
                ),
            )
    return {
        "items": items,
        "report_back": read.choices("report_back", REPORT_BACK_ITEMS),
        "until": until.isoformat() if until else "",
    }


def items_offered(asking: Asking) -> list[str]:
    """Return the items that this release can have; a protected need if there is one (R-20)."""
    needs = set(asking.earlier.get("needs", {}).get("needs", ()))
    return [item for item in RELEASE_ITEMS if item not in PROTECTED_NEEDS or item in needs]


def first_until(asking: Asking) -> date:
    """Return the last day that a new release starts out with."""
    return asking.today + timedelta(days=asking.site.release_default_days)


def last_day(asking: Asking) -> date:
    """Return the latest day that a release may end on (R-16)."""
    return asking.today + timedelta(days=asking.site.release_cap_days)


def _until_missing(asking: Asking) -> str:
    words: str = _(
        "Enter the date the release ends, after today and on or before %(day)s",
        day=format_date(last_day(asking), format="long"),
    )
    return words
