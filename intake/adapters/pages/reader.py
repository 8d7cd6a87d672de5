"""Reads what was typed on one page, and says what is missing in the words of the label."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from flask_babel import gettext as _

Typed = Mapping[str, Sequence[str]]
"""What a form sent: every value of every name, as typed."""

UNEXPECTED = ""
"""The name under which a page's own problem stands: an answer that it did not ask for."""


class Reader:
    """One page's input. `problems` maps the name of an answer to a sentence about it."""

    def __init__(self, typed: Typed) -> None:
        self._typed = typed
        self._asked: set[str] = set()
        self.problems: dict[str, str] = {}

    def text(self, name: str, label: str, *, most: int = 80, missing: str = "") -> str:
        """Return one line or paragraph; `missing` makes it required."""
        value = self._first(name).strip()
        if not value and missing:
            self.problems[name] = missing
        if len(value) > most:
            self.problems[name] = _(
                "%(label)s: write at most %(most)d characters", label=label, most=most
            )
        if any(ord(sign) < ord(" ") and sign not in "\r\n\t" for sign in value):
            self.problems[name] = _(
                "%(label)s: write it again with letters and numbers only", label=label
            )
        return value

    def choice(self, name: str, codes: Collection[str], *, missing: str = "") -> str:
        """Return one of the codes, or nothing where that is allowed."""
        value = self._first(name)
        if not value:
            if missing:
                self.problems[name] = missing
            return ""
        if value not in codes:
            self.problems[name] = missing or _("Choose one of the answers shown here")
            return ""
        return value

    def choices(
        self, name: str, codes: Sequence[str], *, missing: str = "", most: int = 0
    ) -> list[str]:
        """Return the ticked codes in the order of the page, each once."""
        ticked = dict.fromkeys(self._all(name))
        if not ticked and missing:
            self.problems[name] = missing
        if not ticked.keys() <= set(codes):
            self.problems[name] = missing or _("Choose from the answers shown here")
        if most and len(ticked) > most:
            self.problems[name] = _("Choose at most %(most)d", most=most)
        return [code for code in ticked if code in codes]

    def ticked(self, name: str) -> list[str]:
        """Return what was ticked, whether or not it may be."""
        return self._all(name)

    def tick(self, name: str, *, missing: str = "") -> bool:
        """Return whether the box was ticked; `missing` makes it required."""
        ticked = self._first(name) == "yes"
        if not ticked and missing:
            self.problems[name] = missing
        return ticked

    def day(self, name: str, label: str, *, missing: str = "") -> date | None:
        """Return a date typed as month, day and year, or None when all three are empty."""
        parts = [self._first(f"{name}_{part}").strip() for part in ("year", "month", "day")]
        if not any(parts):
            if missing:
                self.problems[name] = missing
            return None
        try:
            return date(*(int(part) for part in parts))
        except (OverflowError, ValueError):
            self.problems[name] = missing or _(
                "%(label)s: enter a real date, for example 9 14 2026", label=label
            )
            return None

    def refuse(self, name: str, problem: str) -> None:
        """Say what is wrong with an answer that only its page can judge."""
        self.problems.setdefault(name, problem)

    def unexpected(self) -> None:
        """Refuse whatever the page did not ask for."""
        if set(self._typed) - self._asked:
            self.problems[UNEXPECTED] = _(
                "This page was sent an answer that it does not ask for. Open the page again and"
                " fill it in once more."
            )

    def _all(self, name: str) -> list[str]:
        self._asked.add(name)
        return [value for value in self._typed.get(name, ()) if value]

    def _first(self, name: str) -> str:
        return next(iter(self._all(name)), "")
