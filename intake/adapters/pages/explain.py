"""Matching in plain words: why a partner fits, and which rule says no about another."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import time
from typing import Final

from babel.dates import format_time, get_day_names
from flask_babel import get_locale
from flask_babel import gettext as _

from intake.application.ports import Reason
from intake.domain.partners import Tie
from shared.http.labels import label, language_name
from shared.site import Site


def why_it_fits(reasons: Iterable[Reason], facts: Mapping[str, object], site: Site) -> str:
    """Return in one line what of the person's wishes this partner meets."""
    passed = {reason.rule: reason.value for reason in reasons if reason.passed}
    words = (
        _spoken(passed.get("language", ""), facts),
        _served(passed.get("area", ""), facts, site),
        _opens(passed.get("open-now", "")),
    )
    return "; ".join(word for word in words if word)


def why_not(reasons: Sequence[Reason], site: Site) -> str:
    """Return the first rule that said no, as a sentence."""
    failed = next((reason for reason in reasons if not reason.passed), None)
    if failed is None:
        return ""
    return _WORDS.get(failed.rule, _unknown)(failed.value, site)


def tie_sentences(partner: str, ties: Iterable[Tie], site: Site) -> list[str]:
    """Return each tie of a partner to law enforcement as a sentence (R-10, R-11)."""
    return [
        _(
            "%(partner)s is %(tie)s %(agency)s.",
            partner=partner,
            tie=_tie(tie.kind),
            agency=site.involved_agencies.get(tie.agency, tie.agency),
        )
        if tie.kind != "employs"
        else _(
            "%(partner)s has staff who work for %(agency)s.",
            partner=partner,
            agency=site.involved_agencies.get(tie.agency, tie.agency),
        )
        for tie in ties
    ]


def _tie(kind: str) -> str:
    return {
        "run-by": _("run by"),
        "funded-by": _("paid by"),
        "co-located": _("in the same building as"),
    }.get(kind, kind)


def _spoken(value: str, facts: Mapping[str, object]) -> str:
    tags = value.removesuffix("+interpreter").split(",")
    wanted = facts.get("languages", [])
    spoken = [tag for tag in wanted if tag in tags] if isinstance(wanted, list) else []
    if spoken:
        return _("speaks %(language)s", language=_listed(map(language_name, spoken)))
    return _("works with an interpreter") if value.endswith("+interpreter") else ""


def _served(value: str, facts: Mapping[str, object], site: Site) -> str:
    county = str(facts.get("county", ""))
    if not value:
        return _("serves every area")
    return _("serves %(area)s", area=site.counties.get(county, county))


def _opens(value: str) -> str:
    if value == "open":
        return _("open now")
    return _closed(value) if value.startswith("closed") else ""


def _closed(value: str) -> str:
    parts = value.removeprefix("closed").split()
    if len(parts) != 3:  # noqa: PLR2004 - "until", weekday, time
        return _("closed now")
    locale = str(get_locale() or "en")
    days = get_day_names("wide", locale=locale)
    hour = format_time(time.fromisoformat(parts[2]), "short", locale=locale)
    return _("closed until %(day)s %(hour)s", day=days[int(parts[1])], hour=hour)


def _need(value: str, _site: Site) -> str:
    words = _listed(label("needs", code) for code in value.split(",") if code)
    if not words:
        return _("It offers no service now.")
    return _("It offers other help: %(needs)s.", needs=words)


def _age(value: str, _site: Site) -> str:
    low, _dash, high = value.partition("-")
    if low and high:
        return _("It serves ages %(low)s to %(high)s.", low=low, high=high)
    return (
        _("It serves ages %(low)s and over.", low=low)
        if low
        else _("It serves ages up to %(high)s.", high=high)
    )


def _area(value: str, site: Site) -> str:
    areas = _listed(site.counties.get(code, code) for code in value.split(","))
    return _("It serves %(areas)s only.", areas=areas)


def _language(value: str, _site: Site) -> str:
    tags = [tag for tag in value.removesuffix("+interpreter").split(",") if tag]
    spoken = _listed(map(language_name, tags))
    if value.endswith("+interpreter"):
        return _(
            "It speaks %(languages)s, and works with an interpreter only when one is asked for.",
            languages=spoken,
        )
    return _("It speaks %(languages)s and has no interpreter.", languages=spoken)


def _access(value: str, _site: Site) -> str:
    has = _listed(label("access-needs", code) for code in value.split(",") if code)
    if not has:
        return _("It does not offer what the person needs to take part.")
    return _("Of what the person needs to take part, it offers only: %(has)s.", has=has)


def _urgency(value: str, _site: Site) -> str:
    return _(
        "It cannot answer as fast as needed. The most it takes: %(urgency)s.",
        urgency=label("urgencies", value),
    )


def _open_now(value: str, _site: Site) -> str:
    return _("It is %(closed)s.", closed=_closed(value))


def _unknown(_value: str, _site: Site) -> str:
    return _("It cannot take this referral now.")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


_WORDS: Final[Mapping[str, Callable[[str, Site], str]]] = {
    "partner": lambda _v, _s: _("It is not a partner of this site."),
    "recipient": lambda _v, _s: _("It does not take referrals from people."),
    "data-agreement": lambda _v, _s: _("Its agreement to protect what it is told has ended."),
    "barred": lambda _v, _s: _(
        "It is tied to an agency you named, or you said that it must not be told."
    ),
    "released": lambda _v, _s: _("The person has not signed a release for it."),
    "asked-before": lambda _v, _s: _("It was asked before."),
    "status": lambda _v, _s: _("Its service is not offered any more."),
    "need": _need,
    "age": _age,
    "area": _area,
    "language": _language,
    "access": _access,
    "urgency": _urgency,
    "open-now": _open_now,
    "paused": lambda _v, _s: _("It is not taking referrals for now."),
    "place": lambda _v, _s: _("It has no place free now."),
}
