"""The form: one subject a page, saved at every Continue; Back keeps what was typed."""

from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from intake.adapters.pages.answers import Answers
from intake.adapters.pages.journey import Form
from intake.adapters.pages.place import Place, address, find
from intake.adapters.pages.reader import Typed
from intake.adapters.pages.room import Room
from shared.http.access import current_member, requires
from shared.http.render import page

CONTROLS = frozenset({"csrf_token", "action", "then"})
"""What a form sends beside answers."""


SHEET_REASONS = {
    "no-release": "no-release",
    "minor": "minor",
    "guardian": "guardianship",
    "officer": "officer",
}
"""Endings that give the person an information sheet, as they are counted."""


def form(room: Room) -> Blueprint:
    """Build the form's pages around what they need."""
    blueprint = Blueprint("form", __name__, template_folder="../templates")
    _add_start(blueprint, room)
    _add_pages(blueprint, room)
    _add_ends(blueprint, room)
    _add_pauses(blueprint, room)
    return blueprint


def _add_start(blueprint: Blueprint, room: Room) -> None:
    @blueprint.get("/new")
    @requires("advocate")
    def start() -> ResponseReturnValue:
        return page("intake/start.html", agency=room.agency)

    @blueprint.post("/new")
    @requires("advocate")
    def begin() -> ResponseReturnValue:
        draft_id = room.desk.start(current_member(), Answers())
        return redirect(url_for("form.show", draft_id=draft_id, name="safety"))


def _add_pages(blueprint: Blueprint, room: Room) -> None:
    @blueprint.get("/drafts/<uuid:draft_id>/<name>")
    @blueprint.get("/drafts/<uuid:draft_id>/<name>/<about>")
    @requires("advocate")
    def show(draft_id: UUID, name: str, about: str = "") -> ResponseReturnValue:
        found = find(room, draft_id, name, about)
        return found.show() if isinstance(found, Place) else found

    @blueprint.post("/drafts/<uuid:draft_id>/<name>")
    @blueprint.post("/drafts/<uuid:draft_id>/<name>/<about>")
    @requires("advocate")
    def answer(draft_id: UUID, name: str, about: str = "") -> ResponseReturnValue:
        found = find(room, draft_id, name, about)
        return _answer(found) if isinstance(found, Place) else found


def _add_ends(blueprint: Blueprint, room: Room) -> None:
    @blueprint.get("/drafts/<uuid:draft_id>")
    @requires("advocate")
    def go_on(draft_id: UUID) -> ResponseReturnValue:
        found = room.open(current_member(), draft_id)
        return (
            redirect(address(draft_id, found.first_open())) if isinstance(found, Form) else found
        )

    @blueprint.get("/drafts/<uuid:draft_id>/ends")
    @requires("advocate")
    def ends(draft_id: UUID) -> ResponseReturnValue:
        found = room.open(current_member(), draft_id)
        if not isinstance(found, Form):
            return found
        why = found.ending() or "no-release"
        return page("intake/ends.html", why=why, draft_id=draft_id, agency=room.agency)


def _add_pauses(blueprint: Blueprint, room: Room) -> None:
    @blueprint.post("/drafts/<uuid:draft_id>/later")
    @requires("advocate")
    def pause(draft_id: UUID) -> ResponseReturnValue:
        return finish_later(room, draft_id)

    @blueprint.post("/drafts/<uuid:draft_id>/discard")
    @requires("advocate")
    def discard(draft_id: UUID) -> ResponseReturnValue:
        found = room.open(current_member(), draft_id)
        if isinstance(found, Form):
            reason = SHEET_REASONS.get(found.ending() or "no-release", "")
            room.desk.discard(current_member(), draft_id, reason)
        return redirect(url_for("referrals_pages.mine"))


def finish_later(room: Room, draft_id: UUID) -> ResponseReturnValue:
    """Answer with the code by which the draft can be taken up again (R-29)."""
    code = room.desk.pause(current_member(), draft_id)
    return page("intake/later.html", draft_id=draft_id, code=code)


def typed_here() -> Typed:
    """Return what the form on this request sent, without its controls."""
    return {name: request.form.getlist(name) for name in request.form if name not in CONTROLS}


def _answer(place: Place) -> ResponseReturnValue:
    typed = typed_here()
    values, problems = place.form.read(place.stop, typed)
    if values.get("danger") == "yes":
        return redirect(url_for("leaving.crisis"))
    new = Form(place.form.answers.with_typed(place.stop.key, typed), place.form.asking)
    if request.form.get("action") == "later":
        place.save(new)
        return finish_later(place.room, place.draft_id)
    if problems:
        return place.show(typed=typed, problems=problems)
    place.save(new)
    return place.onward(new)
