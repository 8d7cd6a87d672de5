"""Errors that every layer may raise: people read their texts, so no personal data in them."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A rule says no. `code` names the rule; the text says what to do about it."""

    code = "error"


class NotFound(DomainError):
    """It is not there, or it is somebody else's: both read the same."""

    code = "not-found"


class NotAllowed(DomainError):
    """The signed-in person's role does not include this."""

    code = "not-allowed"


class Conflict(DomainError):
    """It is in another state than this needs."""

    code = "conflict"

    def __init__(self, detail: str, *, state: str | None = None) -> None:
        super().__init__(detail)
        self.state = state


class Rejected(DomainError):
    """The input breaks a rule; `fields` maps a field's path to what is wrong with it."""

    code = "rejected"

    def __init__(self, detail: str, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(detail)
        self.fields = dict(fields or {})


class InvalidEvent(Exception):
    """This record can never be applied; `code` says why and holds nothing of its content."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class TransientError(Exception):
    """Something we depend on is away: the same call may work later, and is not counted."""
