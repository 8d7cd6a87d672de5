"""My referrals: where each one is, and what the person can still decide."""

from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from intake.adapters.pages.answers import Answers
from intake.adapters.pages.room import Room
from intake.adapters.pages.timeline import lines
from shared.errors import Conflict, NotFound
from shared.http.access import current_member, requires
from shared.http.problems import told
from shared.http.render import page

_LAST_PAGE: Final = 10_000


def referrals(room: Room) -> Blueprint:
    """Build the advocate's list and the pages of one referral."""
    blueprint = Blueprint("referrals_pages", __name__)
    _add_list(blueprint, room)
    _add_one(blueprint, room)
    _add_decisions(blueprint, room)
    _add_more(blueprint, room)
    return blueprint


def _add_list(blueprint: Blueprint, room: Room) -> None:
    @blueprint.get("/referrals")
    @requires("advocate")
    def mine() -> ResponseReturnValue:
        return _list(room)

    @blueprint.post("/resume")
    @requires("advocate")
    def resume() -> ResponseReturnValue:
        code = request.form.get("code", "").strip()
        try:
            draft_id = room.desk.resume(current_member(), code)
        except NotFound:
            problem = _("Enter the code as it was given. A form is kept for 7 days")
            return _list(room, code=code[:20], problem=problem)
        return redirect(url_for("form.go_on", draft_id=draft_id))


def _add_one(blueprint: Blueprint, room: Room) -> None:
    @blueprint.get("/referrals/<uuid:referral_id>")
    @requires("advocate")
    def one(referral_id: UUID) -> ResponseReturnValue:
        return _one(room, referral_id)

    @blueprint.get("/referrals/<uuid:referral_id>/sent")
    @requires("advocate")
    def sent(referral_id: UUID) -> ResponseReturnValue:
        referral = room.desk.referral(current_member(), referral_id)
        return page(
            "intake/sent.html",
            referral=referral,
            added=request.args.get("added") == "yes",
            clocks=room.site.clocks,
            agency=room.agency,
        )


def _add_decisions(blueprint: Blueprint, room: Room) -> None:
    @blueprint.post("/referrals/<uuid:referral_id>/releases/<uuid:release_id>/revoke")
    @requires("advocate")
    def revoke(referral_id: UUID, release_id: UUID) -> ResponseReturnValue:
        room.desk.revoke(current_member(), referral_id, release_id)
        return redirect(url_for("referrals_pages.one", referral_id=referral_id, done="revoked"))

    @blueprint.post("/referrals/<uuid:referral_id>/withdraw")
    @requires("advocate")
    def withdraw(referral_id: UUID) -> ResponseReturnValue:
        try:
            room.desk.withdraw(current_member(), referral_id)
        except Conflict as refused:
            return _one(room, referral_id, problem=told(refused))
        return redirect(url_for("referrals_pages.one", referral_id=referral_id, done="withdrawn"))


def _add_more(blueprint: Blueprint, room: Room) -> None:
    @blueprint.post("/referrals/<uuid:referral_id>/another")
    @requires("advocate")
    def another(referral_id: UUID) -> ResponseReturnValue:
        return _go_on(room, room.desk.another(current_member(), referral_id))

    @blueprint.post("/referrals/<uuid:referral_id>/release")
    @requires("advocate")
    def new_release(referral_id: UUID) -> ResponseReturnValue:
        return _go_on(room, room.desk.more(current_member(), referral_id))


def _go_on(room: Room, answers: Answers) -> ResponseReturnValue:
    draft_id = room.desk.start(current_member(), answers)
    return redirect(url_for("form.go_on", draft_id=draft_id))


def _list(room: Room, *, code: str = "", problem: str = "") -> ResponseReturnValue:
    member = current_member()
    number = min(max(request.args.get("page", 1, type=int), 1), _LAST_PAGE)
    listed, has_more = room.desk.referrals(member, number)
    return page(
        "intake/referrals.html",
        status=422 if problem else 200,
        errors={"code": [problem]} if problem else {},
        code=code,
        referrals=listed,
        number=number,
        has_more=has_more,
        unfinished=room.desk.unfinished(member),
    )


def _one(room: Room, referral_id: UUID, *, problem: str = "") -> ResponseReturnValue:
    referral = room.desk.referral(current_member(), referral_id)
    return page(
        "intake/referral.html",
        status=409 if problem else 200,
        errors={"": [problem]} if problem else {},
        referral=referral,
        lines=lines(referral.timeline, room.agency.name),
        done=request.args.get("done", ""),
        agency=room.agency,
    )
