"""The words of a mail: neutral for whoever else may read it (R-28)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final

from babel import Locale
from babel.dates import format_date, format_time
from babel.support import NullTranslations, Translations
from jinja2 import Environment, PackageLoader, StrictUndefined

from notifications.adapters.message import Message
from notifications.domain.notices import Owner
from shared.site import Site

_FOLDER: Final = "templates/notifications"
_NARROW_SPACE: Final = "\u202f"


@dataclass(frozen=True, slots=True)
class Text:
    """The subject and the plain text of a mail."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """Where people sign in: at routing, or at their agency's intake. No id is in the address."""

    routing_url: str
    intake_urls: Mapping[str, str]

    def of(self, message: Message) -> str:
        """Return the sign-in page of whom the message is for."""
        url = self.routing_url
        if message.owner in {Owner.MEMBER, Owner.AGENCY}:
            url = self.intake_urls[message.agency]
        return f"{url.rstrip('/')}/sign-in"


class Texts:
    """Renders messages in the site's language and time."""

    def __init__(self, site: Site, sign_in: SignIn) -> None:
        self._site = site
        self._sign_in = sign_in
        self._locale = site.languages[0].replace("-", "_")
        self._environment = Environment(
            loader=PackageLoader("notifications.adapters", _FOLDER),
            extensions=["jinja2.ext.i18n"],
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701  (plain text)
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.install_gettext_translations(  # type: ignore[attr-defined]
            _translations(self._locale), newstyle=True
        )

    def of(self, message: Message) -> Text:
        """Return the words of a message."""
        rendered = self._environment.get_template(f"{message.template}.txt").render(
            reference=message.reference,
            answer_by=message.answer_by and self._moment(message.answer_by),
            sign_in=self._sign_in.of(message),
        )
        subject, _, body = rendered.strip().partition("\n\n")
        return Text(" ".join(subject.split()), body + "\n")

    def _moment(self, moment: datetime) -> str:
        local = self._site.local(moment)
        day = format_date(local, _day_pattern(self._locale), locale=self._locale)
        time = format_time(local, "short", locale=self._locale)
        return f"{day}, {time}".replace(_NARROW_SPACE, " ")


def _translations(locale: str) -> NullTranslations:
    folder = files("notifications.adapters") / "translations"
    return Translations.load(str(folder), [locale])


def _day_pattern(language: str) -> str:
    """Return the pattern of "Tuesday, November 24" in a language: all in words, no year."""
    known = Locale.parse(language).datetime_skeletons
    short = known["MMMMEd"] if "MMMMEd" in known else known["MMMEd"]
    months = re.sub("MMM+", "MMMM", short.pattern)
    return re.sub("E+", "EEEE", months)
