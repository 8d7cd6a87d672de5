"""Check the answers, and send."""

from uuid import UUID

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from intake.adapters.pages.journey import STEPS, Form
from intake.adapters.pages.place import Place, address, find
from intake.adapters.pages.room import Room
from intake.adapters.pages.summary import sections
from shared.errors import Rejected
from shared.http.access import current_member, requires
from shared.http.problems import told
from shared.http.render import page


def check(room: Room) -> Blueprint:
    """Build the page before sending, and the sending itself."""
    blueprint = Blueprint("check", __name__)

    @blueprint.get("/drafts/<uuid:draft_id>/check")
    @requires("advocate")
    def show(draft_id: UUID) -> ResponseReturnValue:
        found = find(room, draft_id, "check", "")
        return _show(found) if isinstance(found, Place) else found

    @blueprint.post("/drafts/<uuid:draft_id>/check")
    @requires("advocate")
    def send(draft_id: UUID) -> ResponseReturnValue:
        found = find(room, draft_id, "check", "")
        return _send(found) if isinstance(found, Place) else found

    return blueprint


def _send(place: Place) -> ResponseReturnValue:
    try:
        referral_id = place.room.desk.send(current_member(), place.draft_id, place.form)
    except Rejected as refused:
        return _show(place, problem=told(refused))
    added = "yes" if place.form.answers.is_new_release else None
    return redirect(url_for("referrals_pages.sent", referral_id=referral_id, added=added))


def _show(place: Place, problem: str = "") -> ResponseReturnValue:
    form: Form = place.form
    before = form.before(place.stop)
    names = [form.asking.partner_name(key) for key in form.chosen()]
    return page(
        "intake/form/check.html",
        status=422 if problem else 200,
        errors={"": [problem]} if problem else {},
        sections=sections(form),
        change=lambda stop: address(place.draft_id, stop, then="check"),
        steps=[str(step) for step in STEPS],
        step=place.stop.page.step,
        draft_id=place.draft_id,
        back=address(place.draft_id, before) if before else "",
        names=names,
        is_new_release=form.answers.is_new_release,
        agency=place.room.agency,
    )
