"""The sentence that a person signs, built from the choices and shown whole above the signature."""

from datetime import date

from flask_babel import format_date
from flask_babel import gettext as _

from intake.adapters.pages.asking import Asking, Values
from shared.http.labels import label


def statement(asking: Asking, *, partner: str, called: str, release: Values) -> str:
    """Return the release in the person's own voice (42 CFR 2.31, R-12, R-16).

    It names who tells, who is told, what, what for, through whom, until when, and that it can be
    taken back at any time.
    """
    parts = [
        _(
            "I, %(called)s, allow %(agency)s to give this to %(partner)s: %(items)s. It is given"
            " so that %(partner)s can answer this referral and help me, and for nothing else. It"
            " is passed on by %(host)s, which runs the referral system for %(site)s.",
            called=called,
            agency=asking.agency.name,
            partner=partner,
            items=_listed("release-items", release.get("items", [])),
            host=asking.site.host.name,
            site=asking.site.name,
        )
    ]
    if release.get("report_back"):
        parts.append(
            _(
                "I also allow %(partner)s to tell %(agency)s: %(items)s.",
                partner=partner,
                agency=asking.agency.name,
                items=_listed("report-back-items", release["report_back"]),
            )
        )
    parts.append(
        _(
            "This ends on %(until)s, and I can take it back at any time before that by telling"
            " any advocate of %(agency)s.",
            until=_day(release.get("until", "")),
            agency=asking.agency.name,
        )
    )
    return " ".join(parts)


def _listed(group: str, codes: list[str]) -> str:
    words = [label(group, code) for code in codes]
    return "; ".join(word[:1].lower() + word[1:] for word in words)


def _day(iso: str) -> str:
    return format_date(date.fromisoformat(iso), format="long") if iso else ""
