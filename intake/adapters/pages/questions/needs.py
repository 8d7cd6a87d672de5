"""What would help, how soon, and where."""

from flask_babel import gettext as _

from intake.adapters.pages.asking import Asking, Values
from intake.adapters.pages.reader import Reader
from shared.contracts.codes import NEEDS, PREFERENCES, URGENCIES


def needs(read: Reader, _asking: Asking) -> Values:
    """Read one bundle of needs that one partner can take over."""
    return {"needs": read.choices("needs", NEEDS, missing=_("Choose at least one kind of help"))}


def urgency(read: Reader, _asking: Asking) -> Values:
    """Read how soon somebody has to answer."""
    return {
        "urgency": read.choice("urgency", URGENCIES, missing=_("Choose how soon help is needed"))
    }


def place(read: Reader, asking: Asking) -> Values:
    """Read the county, never an address, and what the person would like."""
    return {
        "county": read.choice(
            "county", list(asking.site.counties), missing=_("Choose the area the person lives in")
        ),
        "preferences": read.choices("preferences", PREFERENCES),
    }
