"""The form's way: which pages these answers lead through, and where they end it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from intake.adapters.pages.answers import Answers
from intake.adapters.pages.asking import Asking, Values
from intake.adapters.pages.questions import contact, happened, needs, person, sharing, start
from intake.adapters.pages.reader import Reader, Typed
from intake.adapters.pages.statement import statement

STEPS: Final[tuple[LazyString, ...]] = (
    _l("Safety"),
    _l("The person"),
    _l("Contact"),
    _l("What happened"),
    _l("Help"),
    _l("Partners"),
    _l("Who may see what"),
    _l("Check and send"),
)

Read = Callable[[Reader, Asking], Values]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the form: its part of the address, its step (from 1), how it is read."""

    name: str
    step: int
    read: Read


@dataclass(frozen=True, slots=True)
class Stop:
    """A page on the way; `about` names the channel or the partner that it asks about."""

    page: Page
    about: str = ""

    @property
    def key(self) -> str:
        """The name under which the page's answers are kept."""
        return key_of(self.page.name, self.about)


def key_of(name: str, about: str = "") -> str:
    """Return the name under which a page's answers are kept."""
    return f"{name}/{about}" if about else name


def _nothing(_read: Reader, _asking: Asking) -> Values:
    return {}


PAGES: Final = {
    page.name: page
    for page in (
        Page("safety", 1, start.safety),
        Page("about", 2, start.about),
        Page("name", 2, person.name),
        Page("language", 2, person.language),
        Page("access", 2, person.access),
        Page("contact", 3, contact.route),
        Page("code-word", 3, contact.code_word),
        Page("channels", 3, contact.channels),
        Page("channel", 3, contact.channel),
        Page("happened", 4, happened.happened),
        Page("involved", 4, happened.involved),
        Page("not-told", 4, happened.not_told),
        Page("needs", 5, needs.needs),
        Page("urgency", 5, needs.urgency),
        Page("place", 5, needs.place),
        Page("partners", 6, sharing.partners),
        Page("order", 6, sharing.order),
        Page("release", 7, sharing.release),
        Page("sign", 7, _nothing),
        Page("check", 8, _nothing),
    )
}

EARLIER: Final[Mapping[str, tuple[str, ...]]] = {"order": ("partners",), "release": ("needs",)}
"""The pages whose answers another page's reading depends on."""

HAPPENED: Final = ("happened", "involved", "not-told", "needs", "urgency", "place")


class Form:
    """A draft seen against its site: what the answers say, and what is still to be asked."""

    def __init__(self, answers: Answers, asking: Asking) -> None:
        self.answers = answers
        self.asking = asking

    def values(self, name: str, about: str = "") -> Values:
        """Return what a page's answers say; nothing when it was not reached."""
        typed = self.answers.typed.get(key_of(name, about))
        return {} if typed is None else self.read(Stop(PAGES[name], about), typed)[0]

    def read(self, stop: Stop, typed: Typed) -> tuple[Values, dict[str, str]]:
        """Read one page's input: what it says, and what is wrong with it."""
        reader = Reader(typed)
        earlier = {name: self.values(name) for name in EARLIER.get(stop.page.name, ())}
        values = stop.page.read(reader, replace(self.asking, earlier=earlier, about=stop.about))
        reader.unexpected()
        return values, reader.problems

    def stops(self) -> list[Stop]:
        """Return the pages that these answers lead through, in order.

        A new release for a referral that was sent asks only whom to ask and what they may see.
        """
        if self.answers.is_new_release:
            return list(self._sharing())
        return [*self._person(), *_plain(*HAPPENED), *self._sharing()]

    def stop(self, name: str, about: str = "") -> Stop | None:
        """Return the page if these answers lead through it."""
        return next((s for s in self.stops() if (s.page.name, s.about) == (name, about)), None)

    def is_done(self, stop: Stop) -> bool:
        """Tell whether a page has been answered, and well."""
        if stop.page.name == "sign":
            return self.is_signed(stop.about)
        typed = self.answers.typed.get(stop.key)
        return typed is not None and not self.read(stop, typed)[1]

    def is_signed(self, partner: str) -> bool:
        """Tell whether the release as it reads now is what was signed."""
        signature = self.answers.signatures.get(partner)
        return signature is not None and signature.statement == self.statement(partner)

    def statement(self, partner: str) -> str:
        """Return the whole sentence that the person signs."""
        return statement(
            self.asking,
            partner=self.asking.partner_name(partner),
            called=self.values("name").get("called", ""),
            release=self.values("release", partner),
        )

    def first_open(self) -> Stop:
        """Return the first page that still has to be answered; the check page when none has."""
        every = self.stops()
        return next((stop for stop in every[:-1] if not self.is_done(stop)), every[-1])

    def before(self, stop: Stop) -> Stop | None:
        """Return the page that Back leads to."""
        every = self.stops()
        place = every.index(stop)
        return every[place - 1] if place else None

    def after(self, stop: Stop) -> Stop:
        """Return the page that Continue leads to."""
        every = self.stops()
        return every[min(every.index(stop) + 1, len(every) - 1)]

    def ending(self) -> str:
        """Return why the form ends here, or nothing: danger, not-safe, minor, guardian ..."""
        safety, about = self.values("safety"), self.values("about")
        ends = {
            "danger": safety.get("danger") == "yes",
            "not-safe": safety.get("safe") == "no",
            "minor": about.get("age_band") in {"0-12", "13-17"},
            "guardian": about.get("guardian") == "yes",
            "officer": about.get("officer") == "yes",
        }
        return next((why for why, is_so in ends.items() if is_so), "")

    def chosen(self) -> list[str]:
        """Return the chosen partners' ids in the person's order."""
        chosen: list[str] = self.values("partners").get("partners", [])
        ordered: list[str] = self.values("order").get("order", [])
        return ordered if set(ordered) == set(chosen) else chosen

    def _person(self) -> Iterator[Stop]:
        yield from _plain("safety", "about", "name", "language", "access", "contact")
        route = self.values("contact").get("contact_route")
        if route == "person-calls":
            yield from _plain("code-word")
        if route == "partner-contacts":
            yield from _plain("channels")
            for channel in self.values("channels").get("channels", ()):
                yield Stop(PAGES["channel"], channel)

    def _sharing(self) -> Iterator[Stop]:
        yield from _plain("partners")
        chosen = self.chosen()
        if len(chosen) > 1:
            yield from _plain("order")
        for partner in chosen:
            yield Stop(PAGES["release"], partner)
            yield Stop(PAGES["sign"], partner)
        yield from _plain("check")


def _plain(*names: str) -> Iterator[Stop]:
    return (Stop(PAGES[name]) for name in names)
