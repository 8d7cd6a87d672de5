"""The person: what to call them, and what makes talking and meeting work for them."""

import re
from collections.abc import Iterable

from babel import Locale
from flask_babel import get_locale
from flask_babel import gettext as _

from intake.adapters.pages.asking import Asking, Values
from intake.adapters.pages.questions.start import YES_NO
from intake.adapters.pages.reader import Reader
from shared.contracts.codes import ACCESS_NEEDS
from shared.contracts.shapes import LANGUAGE
from shared.site import Site


def name(read: Reader, _asking: Asking) -> Values:
    """Read the names: one to go by is enough, the legal one is optional (R-34)."""
    return {
        "called": read.text(
            "called",
            _("What to call the person"),
            missing=_("Enter what to call the person. Any name will do"),
        ),
        "legal_name": read.text("legal_name", _("Name on papers")),
    }


def language(read: Reader, asking: Asking) -> Values:
    """Read the languages as BCP 47 tags, and whether an interpreter is needed."""
    shown = languages_shown(asking.site, read.ticked("languages"))
    other = read.text("other_language", _("Another language"), most=40)
    tag = language_tag(other)
    if other and not tag:
        read.refuse(
            "other_language", _("Enter the name of one language, for example Haitian Creole")
        )
    missing = "" if other else _("Choose at least one language the person is at ease in")
    chosen = read.choices("languages", shown, missing=missing)
    return {
        "languages": [*chosen, *([tag] if tag and tag not in chosen else [])],
        "interpreter": read.choice(
            "interpreter", YES_NO, missing=_("Choose whether an interpreter is needed")
        ),
    }


def languages_shown(site: Site, said: Iterable[str]) -> list[str]:
    """Return the tags that can be ticked: the site's, and what the person said elsewhere."""
    also = (tag for tag in said if re.fullmatch(LANGUAGE, tag))
    return list(dict.fromkeys([*site.languages, *also]))


def access(read: Reader, _asking: Asking) -> Values:
    """Read what a partner has to have ready (R-33); all of it optional."""
    return {"access_needs": read.choices("access_needs", ACCESS_NEEDS)}


def language_tag(typed: str) -> str:
    """Return the tag of a language written by its name, or nothing."""
    wanted = typed.casefold()
    for locale in {str(get_locale() or "en"), "en"}:
        for tag, label in Locale.parse(locale).languages.items():
            if wanted and label.casefold() == wanted:
                return str(tag).replace("_", "-")
    return ""
