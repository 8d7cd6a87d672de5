"""A referral's timeline in plain words."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask_babel import gettext as _

from intake.adapters.pages.views import Happening
from shared.http.labels import label


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when, what in a sentence, who of us did it, its reference and clock."""

    at: datetime
    code: str
    text: str
    who: str
    reference: str
    due: datetime | None
    due_what: str


def lines(timeline: Iterable[Happening], agency: str) -> list[Line]:
    """Return the timeline as sentences, in the order it happened."""
    return [_line(happening, agency) for happening in timeline]


def _line(happening: Happening, agency: str) -> Line:
    words = _WORDS.get(happening.what)
    text = words(happening) if words else label("statuses", happening.what)
    is_offer = happening.what == "offered"
    return Line(
        at=happening.at,
        code=happening.what,
        text=text,
        who=_who(happening, agency),
        reference=happening.reference,
        due=happening.due,
        due_what=_("answer") if is_offer else _("first contact"),
    )


def _who(happening: Happening, agency: str) -> str:
    if happening.what in {"submitted", "release-signed", "release-revoked", "withdrawn"}:
        return agency
    return ""


def _declined(happening: Happening) -> str:
    if not happening.detail:
        return _("%(partner)s said no.", partner=happening.partner)
    return _(
        "%(partner)s said no: %(reason)s.",
        partner=happening.partner,
        reason=label("decline-reasons", happening.detail),
    )


def _unmatched(happening: Happening) -> str:
    return {
        "waiting-for-place": _("No partner has a place free now. It is tried again by itself."),
        "needs-new-release": _(
            "No partner is left to ask. The person can sign a release to another one."
        ),
    }.get(happening.detail, _("A person at the site's office looks at it."))


def _contacted(happening: Happening) -> str:
    if happening.detail == "introduced-live":
        return _("%(partner)s was introduced to the person live.", partner=happening.partner)
    return _("%(partner)s made first contact.", partner=happening.partner)


def _closed(happening: Happening) -> str:
    if not happening.detail:
        return _("%(partner)s closed the referral.", partner=happening.partner)
    return _(
        "%(partner)s closed the referral: %(outcome)s.",
        partner=happening.partner,
        outcome=label("outcomes", happening.detail),
    )


def _escalated(happening: Happening) -> str:
    return _("Needs attention: %(reason)s.", reason=label("escalations", happening.detail))


def _cancelled(happening: Happening) -> str:
    return _(
        "The offer to %(partner)s was taken back: %(reason)s.",
        partner=happening.partner,
        reason=label("cancel-reasons", happening.detail),
    )


def _ended(happening: Happening) -> str:
    return _(
        "The coordinator ended the referral: %(reason)s.",
        reason=label("cancel-reasons", happening.detail),
    )


_WORDS: Final[Mapping[str, Callable[[Happening], str]]] = {
    "submitted": lambda _h: _("Sent."),
    "offered": lambda h: _("%(partner)s was asked.", partner=h.partner),
    "accepted": lambda h: _("%(partner)s said yes.", partner=h.partner),
    "accepted-after-revocation": lambda h: _(
        "%(partner)s said yes after the release was taken back. It sees nothing.",
        partner=h.partner,
    ),
    "declined": _declined,
    "offer-expired": lambda h: _("%(partner)s did not answer in time.", partner=h.partner),
    "unmatched": _unmatched,
    "escalated": _escalated,
    "escalation-cleared": lambda _h: _("What needed attention is settled."),
    "cancelled": _cancelled,
    "contacted": _contacted,
    "service-started": lambda h: _("%(partner)s started its service.", partner=h.partner),
    "closed": _closed,
    "ended": _ended,
    "release-signed": lambda h: _("A release to %(partner)s was signed.", partner=h.partner),
    "release-revoked": lambda h: _(
        "The release to %(partner)s was taken back.", partner=h.partner
    ),
    "withdrawn": lambda _h: _("Withdrawn by the person."),
    "delivered": lambda _h: _("A notice was delivered."),
    "exhausted": lambda _h: _("A notice could not be delivered."),
    "disclosed": lambda h: _("%(partner)s read how to make contact.", partner=h.partner),
}
