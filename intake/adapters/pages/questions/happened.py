"""What happened: as little as routing safely needs. No story, no report, no status (R-07)."""

from flask_babel import gettext as _

from intake.adapters.pages.asking import Asking, Values
from intake.adapters.pages.reader import Reader
from shared.contracts.codes import ROLES

ASKED_ROLES = tuple(role for role in ROLES if role != "officer")


def happened(read: Reader, asking: Asking) -> Values:
    """Read the person's part in it, and the day if they want to say."""
    day = read.day("happened_on", _("Date of the police encounter"))
    if day and day > asking.today:
        read.refuse("happened_on", _("Enter a date that is not in the future"))
    return {
        "role": read.choice(
            "role", ASKED_ROLES, missing=_("Choose the person's part in what happened")
        ),
        "happened_on": day.isoformat() if day else "",
    }


def involved(read: Reader, asking: Asking) -> Values:
    """Read the involved agencies: whoever is tied to one is never asked to help."""
    return {"involved": read.choices("involved", list(asking.site.involved_agencies))}


def not_told(read: Reader, asking: Asking) -> Values:
    """Read which organizations must not hear of the person."""
    return {"not_told": read.choices("not_told", list(may_be_barred(asking)))}


def may_be_barred(asking: Asking) -> dict[str, str]:
    """Return the names of whoever can be kept out: partners by id, then agencies by code."""
    partners = {key: asking.partner_name(key) for key in asking.partners}
    by_name = dict(sorted(partners.items(), key=lambda named: named[1]))
    return {**by_name, **asking.site.involved_agencies}
