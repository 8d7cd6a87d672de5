"""References: what people say on the phone, WH-7K3F-92."""

from collections.abc import Callable
from typing import Final

LETTERS: Final = "ACDEFGHJKMNPQRTUVWXYZ2345679"
"""Without those that are mistaken for another when read aloud or written by hand."""

DIGITS: Final = "2345679"


def new_reference(pick: Callable[[str], str]) -> str:
    """Return a reference; `pick` chooses one sign of a text at random."""
    return f"WH-{_some(pick, LETTERS, 4)}-{_some(pick, DIGITS, 2)}"


def new_resume_code(pick: Callable[[str], str]) -> str:
    """Return a code that opens a draft again: 12 signs, more than 57 bits (R-29)."""
    return "-".join(_some(pick, LETTERS, 4) for _ in range(3))


def plain_code(typed: str) -> str:
    """Return a resume code as it was given out, however it was typed."""
    signs = [sign for sign in typed.upper() if sign.isalnum()]
    return "-".join("".join(signs[start : start + 4]) for start in range(0, len(signs), 4))


def _some(pick: Callable[[str], str], signs: str, count: int) -> str:
    return "".join(pick(signs) for _ in range(count))
