"""Before anything else: is it safe now, and is this a referral that the form may take."""

from flask_babel import gettext as _

from intake.adapters.pages.asking import Asking, Values
from intake.adapters.pages.reader import Reader
from shared.contracts.codes import AGE_BANDS

YES_NO = ("yes", "no")


def safety(read: Reader, _asking: Asking) -> Values:
    """Read whether it is safe to talk and whether there is danger now (R-29, R-32)."""
    return {
        "danger": read.choice(
            "danger", YES_NO, missing=_("Choose whether anyone is in danger right now")
        ),
        "safe": read.choice(
            "safe", YES_NO, missing=_("Choose whether it is safe to talk right now")
        ),
    }


def about(read: Reader, _asking: Asking) -> Values:
    """Read whether it is an adult who decides for themselves, and is not an officer."""
    return {
        "age_band": read.choice("age_band", AGE_BANDS, missing=_("Choose the person's age")),
        "guardian": read.choice(
            "guardian",
            YES_NO,
            missing=_("Choose whether somebody else makes legal decisions for the person"),
        ),
        "officer": read.choice(
            "officer", YES_NO, missing=_("Choose whether the person works in law enforcement")
        ),
    }
