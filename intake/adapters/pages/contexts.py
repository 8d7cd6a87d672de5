"""What each page of the form shows besides its fields: choices, cards, defaults."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from flask_babel import format_date
from flask_babel import gettext as _

from intake.adapters.pages import cards
from intake.adapters.pages.asking import Asking
from intake.adapters.pages.desk import Desk
from intake.adapters.pages.journey import Form, Stop
from intake.adapters.pages.questions import contact, happened, person, sharing
from intake.adapters.pages.said import Defaults, day_parts
from shared.contracts.codes import AGE_BANDS, NEEDS, REPORT_BACK_ITEMS
from shared.http.labels import choices, language_name

Context = dict[str, Any]


def context(desk: Desk, form: Form, stop: Stop) -> Context:
    """Return what the page's template needs."""
    build = _CONTEXTS.get(stop.page.name)
    return build(desk, form, stop) if build else {}


def defaults(form: Form, stop: Stop) -> Defaults:
    """Return what the page's fields start out with."""
    build = _DEFAULTS.get(stop.page.name)
    return build(form, stop) if build else {}


def yes_no(yes: str = "", no: str = "") -> list[tuple[str, str]]:
    """Return the two tiles of a question that is answered by yes or no."""
    return [("yes", yes or _("Yes")), ("no", no or _("No"))]


def _safety(_desk: Desk, _form: Form, _stop: Stop) -> Context:
    return {
        "danger_choices": [
            ("yes", _("Yes: show me the numbers and what to do")),
            ("no", _("No")),
        ],
        "safe_choices": [("yes", _("Yes, it is safe to talk")), ("no", _("No, not now"))],
    }


def _about(_desk: Desk, _form: Form, _stop: Stop) -> Context:
    return {"ages": choices("age-bands", AGE_BANDS), "yes_no": yes_no()}


def _language(_desk: Desk, form: Form, stop: Stop) -> Context:
    said = form.answers.typed.get(stop.key, {}).get("languages", ())
    tags = person.languages_shown(form.asking.site, said)
    return {"languages": [(tag, language_name(tag)) for tag in tags], "yes_no": yes_no()}


def _contact(_desk: Desk, _form: Form, _stop: Stop) -> Context:
    words = {
        "through-advocate": (
            _("Through me, the advocate"),
            _("The partner calls you, and you arrange the rest together. Nobody else calls."),
        ),
        "person-calls": (
            _("The person calls, with a code word"),
            _("The partner waits for the call and knows the person by the code word."),
        ),
        "partner-contacts": (
            _("The partner contacts the person"),
            _("Only in the ways that you name next, and only as you say is safe."),
        ),
    }
    return {"routes": [(code, *word) for code, word in words.items()]}


def _channels(_desk: Desk, _form: Form, _stop: Stop) -> Context:
    return {"channels": choices("channels")}


def _channel(_desk: Desk, _form: Form, stop: Stop) -> Context:
    return {
        "channel": stop.about,
        "where": contact.where_label(stop.about),
        "asks_message": stop.about in contact.LEAVES_MESSAGES,
        "yes_no": yes_no(),
    }


def _happened(_desk: Desk, _form: Form, _stop: Stop) -> Context:
    return {"roles": choices("roles", happened.ASKED_ROLES)}


def _involved(_desk: Desk, form: Form, _stop: Stop) -> Context:
    return {"agencies": list(form.asking.site.involved_agencies.items())}


def _not_told(_desk: Desk, form: Form, _stop: Stop) -> Context:
    return {"organizations": list(happened.may_be_barred(form.asking).items())}


def _needs(_desk: Desk, _form: Form, _stop: Stop) -> Context:
    return {"need_codes": NEEDS}


def _place(_desk: Desk, form: Form, _stop: Stop) -> Context:
    return {"counties": list(form.asking.site.counties.items())}


def _partners(desk: Desk, form: Form, _stop: Stop) -> Context:
    return {"board": cards.board(desk, form), "is_new_release": form.answers.is_new_release}


def _order(_desk: Desk, form: Form, _stop: Stop) -> Context:
    chosen = form.values("partners").get("partners", [])
    places = [_("First"), _("Second"), _("Third")][: len(chosen)]
    return {
        "chosen": [(key, form.asking.partner_name(key)) for key in chosen],
        "places": [(str(number), word) for number, word in enumerate(places, 1)],
    }


def _release(_desk: Desk, form: Form, stop: Stop) -> Context:
    return {
        **_partner(form, stop),
        "items": choices("release-items", sharing.items_offered(_with_needs(form))),
        "report_back": choices("report-back-items", REPORT_BACK_ITEMS),
        "last_day": format_date(sharing.last_day(form.asking), format="long"),
        "default_days": form.asking.site.release_default_days,
    }


def _partner(form: Form, stop: Stop) -> Context:
    chosen = form.chosen()
    return {
        "partner_id": stop.about,
        "partner": form.asking.partners[stop.about],
        "card": cards.card(form, stop.about),
        "place": chosen.index(stop.about) + 1,
        "of": len(chosen),
        "host": form.asking.site.host,
        "agency": form.asking.agency,
    }


def _sign(_desk: Desk, form: Form, stop: Stop) -> Context:
    return {
        **_partner(form, stop),
        "statement": form.statement(stop.about),
        "signed": form.is_signed(stop.about),
        "has_substance_use": "substance-use"
        in form.values("release", stop.about).get("items", []),
    }


def _release_defaults(form: Form, _stop: Stop) -> Defaults:
    route = form.values("contact").get("contact_route")
    items = ["needs", "facts", "name", *(["contact"] if route != "through-advocate" else [])]
    return {
        "items": items,
        **day_parts("until", sharing.first_until(form.asking)),
    }


def _order_defaults(form: Form, _stop: Stop) -> Defaults:
    chosen = form.values("partners").get("partners", [])
    return {f"place-{key}": [str(number)] for number, key in enumerate(chosen, 1)}


def _with_needs(form: Form) -> Asking:
    return replace(form.asking, earlier={"needs": form.values("needs")})


_CONTEXTS: Final[Mapping[str, Callable[[Desk, Form, Stop], Context]]] = {
    "safety": _safety,
    "about": _about,
    "language": _language,
    "contact": _contact,
    "channels": _channels,
    "channel": _channel,
    "happened": _happened,
    "involved": _involved,
    "not-told": _not_told,
    "needs": _needs,
    "place": _place,
    "partners": _partners,
    "order": _order,
    "release": _release,
    "sign": _sign,
}

_DEFAULTS: Final[Mapping[str, Callable[[Form, Stop], Defaults]]] = {
    "contact": lambda _form, _stop: {"contact_route": ["through-advocate"]},
    "order": _order_defaults,
    "release": _release_defaults,
}
