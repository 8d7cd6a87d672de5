"""A decision in words: each rule with the partner-side value that decided, as people read it."""

from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Final

from babel.dates import format_time, get_day_names
from flask_babel import format_date, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from routing.application.views import DecisionView, VerdictView
from routing.domain.matching import Check
from routing.domain.model import PROTECTED
from shared.http.labels import label, language_name
from shared.site import Site

RULES: Final = {
    "partner": _l("In the directory"),
    "recipient": _l("Takes referrals"),
    "data-agreement": _l("Data agreement"),
    "barred": _l("Not excluded by the agency"),
    "released": _l("Release"),
    "asked-before": _l("Not asked before"),
    "status": _l("In service"),
    "need": _l("Help offered"),
    "age": _l("Age"),
    "area": _l("Area"),
    "language": _l("Language"),
    "access": _l("Access needs"),
    "urgency": _l("Urgency"),
    "open-now": _l("Open now"),
    "paused": _l("Not paused"),
    "place": _l("Free place"),
}
"""What each rule is called on the page, in the order in which they are looked at."""

_HEALTH: Final = "health"
_INTERPRETER: Final = "+interpreter"


def rule_name(rule: str) -> str:
    """Return what a rule is called; a rule of a newer rule set reads as its code."""
    return str(RULES.get(rule, rule.replace("-", " ")))


def check_words(check: Check, site: Site) -> str:
    """Return the partner-side value of a rule in words, such as "serves ages 12 to 17"."""
    write = _WRITERS.get(check.rule)
    return write(check, site) if write else check.value


def need_name(code: str) -> str:
    """Return a need as a coordinator may read it: a protected one is "health" (R-20)."""
    return label("needs", _HEALTH if code == PROTECTED else code)


def service_name(verdict: VerdictView) -> str:
    """Return the service's name, unless the name alone would tell a protected need (R-20)."""
    needs = next((check.value for check in verdict.checks if check.rule == "need"), "")
    if {PROTECTED, _HEALTH} & set(needs.split(",")):
        return _("Health service")
    return verdict.service_name


def summary(decision: DecisionView, site: Site) -> str:
    """Return what a decision did and why, in one or two sentences."""
    chosen = next((verdict for verdict in decision.verdicts if verdict.chosen), None)
    if chosen is not None:
        return _(
            "Offered to %(name)s: the best place among the partners with a live release"
            " that every rule lets through.",
            name=chosen.partner_name,
        )
    reasons = [
        _("%(name)s: %(why)s", name=verdict.partner_name, why=failed_words(verdict, site))
        for verdict in decision.verdicts
        if verdict.released and verdict.excluded_by is not None
    ]
    nobody = _("Nobody was chosen.")
    if not reasons:
        return f"{nobody} {_('There is no partner with a live release to ask.')}"
    return f"{nobody} {'; '.join(reasons)}."


def failed_words(verdict: VerdictView, site: Site) -> str:
    """Return in words the rule that excluded a partner, or that all rules let it through."""
    check = verdict.excluded_by
    return check_words(check, site) if check else _("every rule lets it through")


def _partner(check: Check, _site: Site) -> str:
    return _("listed") if check.passed else _("no longer in the directory")


def _recipient(check: Check, _site: Site) -> str:
    return _("yes") if check.passed else _("never receives referrals")


def _agreement(check: Check, _site: Site) -> str:
    if check.value in {"", "none"}:
        return _("no data agreement")
    day = format_date(date.fromisoformat(check.value), "long")
    if check.passed:
        return _("until %(day)s", day=day)
    return _("data agreement ended on %(day)s", day=day)


def _barred(check: Check, _site: Site) -> str:
    return _("not excluded") if check.passed else _("excluded by the agency for this person")


def _released(check: Check, _site: Site) -> str:
    words = {
        "no": _("no release to this partner"),
        "revoked": _("the release was taken back"),
        "expired": _("the release has ended"),
        "tied": _("tied to one more agency since the release was signed"),
    }
    return words.get(check.value, _("released by the person"))


def _asked(check: Check, _site: Site) -> str:
    if check.passed:
        return _("not asked before")
    return _("asked before: %(state)s", state=label("statuses", check.value).lower())


def _status(check: Check, _site: Site) -> str:
    words = {
        "active": _("in service"),
        "inactive": _("not in service"),
        "defunct": _("no longer exists"),
        "temporarily closed": _("closed for a while"),
    }
    return words.get(check.value, check.value)


def _need(check: Check, _site: Site) -> str:
    if not check.value:
        return _("nothing listed")
    return _(
        "offers: %(needs)s",
        needs=", ".join(dict.fromkeys(need_name(code) for code in check.value.split(","))),
    )


def _age(check: Check, _site: Site) -> str:
    low, _dash, high = check.value.partition("-")
    if low and high:
        return _("serves ages %(low)s to %(high)s", low=low, high=high)
    if low:
        return _("serves ages %(low)s and over", low=low)
    return _("serves ages up to %(high)s", high=high) if high else _("serves all ages")


def _area(check: Check, site: Site) -> str:
    if not check.value:
        return _("serves the whole site")
    codes = check.value.split(",")
    if set(codes) >= set(site.counties):
        return _("serves the whole site")
    names = ", ".join(site.counties.get(code, code) for code in codes)
    return _("serves %(names)s", names=names)


def _language(check: Check, _site: Site) -> str:
    tags = [tag for tag in check.value.removesuffix(_INTERPRETER).split(",") if tag]
    names = ", ".join(language_name(tag) for tag in tags) or _("no language listed")
    if check.value.endswith(_INTERPRETER):
        return _("speaks %(names)s; has interpreters", names=names)
    return _("speaks %(names)s", names=names)


def _access(check: Check, _site: Site) -> str:
    if not check.value:
        return _("nothing listed")
    names = (label("access-needs", code) for code in check.value.split(","))
    return _("has: %(names)s", names=", ".join(names))


def _urgency(check: Check, _site: Site) -> str:
    words = {
        "emergency": _("takes emergencies"),
        "urgent": _("takes urgent referrals, no emergencies"),
        "routine": _("takes no urgent referrals"),
    }
    return words.get(check.value, check.value)


def _open_now(check: Check, _site: Site) -> str:
    if check.value == "open":
        return _("open now")
    weekday, _space, clock = check.value.removeprefix("closed until ").partition(" ")
    if not clock:
        return _("closed")
    locale = get_locale() or "en"
    day = get_day_names("wide", locale=locale)[int(weekday)]
    at = format_time(time.fromisoformat(clock), "short", locale=locale)
    return _("closed until %(day)s %(time)s", day=day, time=at)


def _paused(check: Check, _site: Site) -> str:
    if check.passed:
        return _("not paused")
    return _("paused: %(reason)s", reason=label("pause-reasons", check.value).lower())


def _place(check: Check, _site: Site) -> str:
    taken, _slash, limit = check.value.partition("/")
    if not limit:
        return _("no limit set")
    if limit == "0":
        return _("takes nobody at the moment")
    if check.passed:
        return _("%(taken)s of %(limit)s places taken", taken=taken, limit=limit)
    return _("full: %(taken)s of %(limit)s places taken", taken=taken, limit=limit)


_WRITERS: Final[Mapping[str, Callable[[Check, Site], str]]] = {
    "partner": _partner,
    "recipient": _recipient,
    "data-agreement": _agreement,
    "barred": _barred,
    "released": _released,
    "asked-before": _asked,
    "status": _status,
    "need": _need,
    "age": _age,
    "area": _area,
    "language": _language,
    "access": _access,
    "urgency": _urgency,
    "open-now": _open_now,
    "paused": _paused,
    "place": _place,
}

EVENTS: Final = {
    "submitted": _l("Referral received"),
    "matched": _l("Another partner chosen"),
    "release-signed": _l("A release was signed"),
    "release-revoked": _l("A release was taken back"),
    "withdrawn": _l("Withdrawn by the person"),
    "offered": _l("Offered"),
    "accepted": _l("Accepted"),
    "declined": _l("Declined"),
    "offer-expired": _l("Not answered in time"),
    "unmatched": _l("Nobody to offer it to"),
    "escalated": _l("A person has to look"),
    "escalation-cleared": _l("Looked at and cleared"),
    "cancelled": _l("Offer taken back"),
    "stop-confirmed": _l("The partner confirmed that it stopped"),
    "contacted": _l("First contact made"),
    "service-started": _l("Service started"),
    "closed": _l("Closed"),
    "delivered": _l("The partner was told"),
    "delivery-exhausted": _l("The partner could not be told"),
}
"""What each line of a timeline says."""

_CODE_GROUPS: Final = {
    "declined": "decline-reasons",
    "unmatched": "queues",
    "matched": "coordinator-reasons",
    "escalated": "escalations",
    "escalation-cleared": "clear-overdue-reasons",
    "cancelled": "cancel-reasons",
    "contacted": "contact-kinds",
    "closed": "outcomes",
    "delivered": "delivery-channels",
    "delivery-exhausted": "delivery-channels",
}


def event_name(kind: str) -> str:
    """Return what happened, in words."""
    return str(EVENTS.get(kind, kind.replace("-", " ")))


def event_code(kind: str, code: str) -> str:
    """Return the coded reason of what happened, in words; empty where there is none."""
    return label(_CODE_GROUPS.get(kind, "statuses"), code) if code else ""


ACTORS: Final = {
    "intake": _l("The agency"),
    "partner": _l("The partner"),
    "coordinator": _l("The coordinator"),
    "clock": _l("The clock"),
    "notifications": _l("Messages"),
    "routing": _l("Matching"),
}


def actor_name(who: str) -> str:
    """Return who did it: a role, never a person."""
    return str(ACTORS.get(who, who))


def clock_name(state: str) -> str:
    """Return what the clock of a referral in this state is about."""
    words = {"offered": _("answer"), "accepted": _("first contact")}
    return words.get(state, _("confirmation of the stop"))
