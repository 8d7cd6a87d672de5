"""How contact is made: never in a way that the person has not said is safe (R-27)."""

from flask_babel import gettext as _

from intake.adapters.pages.asking import Asking, Values
from intake.adapters.pages.questions.start import YES_NO
from intake.adapters.pages.reader import Reader
from shared.contracts.codes import CHANNELS, CONTACT_ROUTES

LEAVES_MESSAGES = frozenset({"call", "text", "email", "post"})


def route(read: Reader, _asking: Asking) -> Values:
    """Read who makes contact: through the advocate unless the person says otherwise."""
    return {
        "contact_route": read.choice(
            "contact_route", CONTACT_ROUTES, missing=_("Choose how contact is made")
        )
    }


def code_word(read: Reader, _asking: Asking) -> Values:
    """Read the word by which a partner knows that it is this person who calls."""
    return {
        "code_word": read.text(
            "code_word",
            _("Code word"),
            most=40,
            missing=_("Enter a code word that the person will remember"),
        )
    }


def channels(read: Reader, _asking: Asking) -> Values:
    """Read which ways are safe; each is asked about on a page of its own."""
    return {
        "channels": read.choices(
            "channels", CHANNELS, missing=_("Choose at least one way that is safe")
        )
    }


def channel(read: Reader, asking: Asking) -> Values:
    """Read one way: where, when, and what may be said."""
    asks = asking.about in LEAVES_MESSAGES
    return {
        "value": read.text(
            "value", where_label(asking.about), most=200, missing=where_missing(asking.about)
        ),
        "leave_message": read.choice(
            "leave_message",
            YES_NO,
            missing=_("Choose whether a message may be left") if asks else "",
        ),
        "name_agency": read.choice(
            "name_agency",
            YES_NO,
            missing=_("Choose whether the caller may say which organization it is"),
        ),
        "times": read.text("times", _("Safe days and times"), most=200),
        "who_may_answer": read.text("who_may_answer", _("Who else may answer"), most=100),
        "ask_for": read.text("ask_for", _("Name to ask for"), most=80),
    }


def where_label(code: str) -> str:
    """Return what the field for a channel's address is called."""
    words: dict[str, str] = {
        "call": _("Phone number to call"),
        "text": _("Phone number for text messages"),
        "email": _("E-mail address"),
        "post": _("Address for letters"),
        "in-person": _("Where to meet"),
    }
    return words[code]


def where_missing(code: str) -> str:
    """Return what to do when the channel's address was left empty."""
    words: dict[str, str] = {
        "call": _("Enter the phone number to call"),
        "text": _("Enter the phone number for text messages"),
        "email": _("Enter the e-mail address"),
        "post": _("Enter the address for letters"),
        "in-person": _("Enter where it is safe to meet"),
    }
    return words[code]
