"""The answers as they are read back before sending: every one with the page that changes it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from flask_babel import format_date
from flask_babel import gettext as _
from markupsafe import Markup

from intake.adapters.pages.journey import PAGES, Form, Stop
from intake.adapters.pages.questions import happened
from intake.adapters.pages.questions.contact import where_label
from shared.http.labels import label, language_name


@dataclass(frozen=True, slots=True)
class Row:
    """One answer: its label, its words, the page that changes it."""

    term: str
    value: str
    stop: Stop


@dataclass(frozen=True, slots=True)
class Section:
    """The answers of one step."""

    title: str
    rows: tuple[Row, ...]


def sections(form: Form) -> list[Section]:
    """Return everything that will be sent or kept, in the order it was asked."""
    parts = [(_("Partners, in this order"), _partners(form))]
    if not form.answers.is_new_release:
        parts = [
            (_("The person"), _person(form)),
            (_("Contact"), _contact(form)),
            (_("What happened"), _happened(form)),
            (_("Help"), _help(form)),
            *parts,
        ]
    return [Section(title, tuple(rows)) for title, rows in parts]


def _person(form: Form) -> Iterator[Row]:
    about, name = form.values("about"), form.values("name")
    language, access = form.values("language"), form.values("access")
    yield Row(_("What to call the person"), name["called"], Stop(PAGES["name"]))
    yield Row(_("Name on papers"), name["legal_name"] or _not_given(), Stop(PAGES["name"]))
    yield Row(_("Age"), label("age-bands", about["age_band"]), Stop(PAGES["about"]))
    spoken = _listed(map(language_name, language["languages"]))
    yield Row(_("Languages"), spoken, Stop(PAGES["language"]))
    yield Row(_("Interpreter"), _yes_no(language["interpreter"]), Stop(PAGES["language"]))
    yield Row(
        _("To take part, the person needs"),
        _labels("access-needs", access["access_needs"]),
        Stop(PAGES["access"]),
    )


def _contact(form: Form) -> Iterator[Row]:
    route = form.values("contact")["contact_route"]
    yield Row(_("How contact is made"), label("contact-routes", route), Stop(PAGES["contact"]))
    if route == "person-calls":
        word = form.values("code-word")["code_word"]
        yield Row(_("Code word"), word, Stop(PAGES["code-word"]))
    if route == "partner-contacts":
        for channel in form.values("channels")["channels"]:
            yield _way(form, channel)


def _way(form: Form, channel: str) -> Row:
    answers = form.values("channel", channel)
    may_leave, may_name = answers["leave_message"] == "yes", answers["name_agency"] == "yes"
    words = [
        f"{where_label(channel)}: {answers['value']}",
        _("A message may be left") if may_leave else _("Never leave a message"),
        _("May say which organization it is") if may_name else _("Never say who is calling"),
        _("When: %(times)s", times=answers["times"] or _("any time")),
    ]
    if answers["who_may_answer"]:
        words.append(_("May answer: %(who)s", who=answers["who_may_answer"]))
    if answers["ask_for"]:
        words.append(_("Ask for: %(name)s", name=answers["ask_for"]))
    return Row(label("channels", channel), _lines(words), Stop(PAGES["channel"], channel))


def _happened(form: Form) -> Iterator[Row]:
    answers, asking = form.values("happened"), form.asking
    involved = [asking.site.involved_agencies[a] for a in form.values("involved")["involved"]]
    named = happened.may_be_barred(asking)
    barred = [named[key] for key in form.values("not-told")["not_told"]]
    day = answers["happened_on"]
    yield Row(_("The person"), label("roles", answers["role"]), Stop(PAGES["happened"]))
    yield Row(
        _("Date"),
        format_date(date.fromisoformat(day), format="long") if day else _not_given(),
        Stop(PAGES["happened"]),
    )
    yield Row(_("Involved agencies"), _listed(involved), Stop(PAGES["involved"]))
    yield Row(_("Must not be told"), _listed(barred), Stop(PAGES["not-told"]))


def _help(form: Form) -> Iterator[Row]:
    place, site = form.values("place"), form.asking.site
    urgency = label("urgencies", form.values("urgency")["urgency"])
    yield Row(_("Help"), _labels("needs", form.values("needs")["needs"]), Stop(PAGES["needs"]))
    yield Row(_("How soon"), urgency, Stop(PAGES["urgency"]))
    yield Row(_("Area"), site.counties[place["county"]], Stop(PAGES["place"]))
    yield Row(_("Wishes"), _labels("preferences", place["preferences"]), Stop(PAGES["place"]))


def _partners(form: Form) -> Iterator[Row]:
    for number, partner in enumerate(form.chosen(), 1):
        release = form.values("release", partner)
        until = format_date(date.fromisoformat(release["until"]), format="long")
        words = [
            _("May be told: %(items)s", items=_labels("release-items", release["items"])),
            _(
                "May tell back: %(items)s",
                items=_labels("report-back-items", release["report_back"]),
            ),
            _("Until %(until)s", until=until),
            _signed(form, partner),
        ]
        name = form.asking.partner_name(partner)
        yield Row(f"{number}. {name}", _lines(words), Stop(PAGES["release"], partner))


def _signed(form: Form, partner: str) -> str:
    signature = form.answers.signatures[partner]
    if signature.method == "paper":
        return _("Signed on paper before %(witness)s", witness=signature.witness)
    return _("Signed on this device")


def _lines(words: Iterable[str]) -> Markup:
    """Return the sentences one below the other."""
    return Markup("<br>").join(words)


def _labels(group: str, codes: Iterable[str]) -> str:
    return _listed(label(group, code) for code in codes)


def _listed(words: Iterable[str]) -> str:
    return "; ".join(words) or _("None")


def _yes_no(code: str) -> str:
    return _("Yes") if code == "yes" else _("No")


def _not_given() -> str:
    return _("Not given")
