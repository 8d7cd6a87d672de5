"""Intake's JSON API, for the agency's own systems: submit, follow, take back.

Every request carries a client's access token. A referral of another agency is not here (404).
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_smorest import Blueprint
from werkzeug.exceptions import UnsupportedMediaType

from intake.adapters import schemas
from intake.adapters.units import Units
from intake.application.commands import SubmitReferral
from intake.application.ports import Work
from intake.application.queries import referral_timeline
from intake.application.submit import submit_referral
from intake.application.take_back import revoke_release, withdraw
from intake.domain.people import Story
from intake.domain.referrals import Note, Referral, first_note
from shared.db import Tx
from shared.db.idempotency import KeyedRequest, Overtaken, one_effect
from shared.errors import Conflict, NotAllowed, NotFound
from shared.http import client_in, client_of, current_bearer, described, require_token
from shared.http.api import given
from shared.http.bearer import Client

_KEY: Final = schemas.IdempotencyHeader()
_BODY: Final = schemas.ReferralBody()
_ANSWER: Final = schemas.ReferralAnswer()
_TASK: Final[Mapping[str, str]] = {
    "accepted": "accepted",
    "overdue": "accepted",
    "contacted": "in-progress",
    "introduced-live": "in-progress",
    "service-started": "in-progress",
    "closed": "completed",
    "withdrawn": "cancelled",
}
"""FHIR's Task status of each of our states; what still looks for a partner is "requested"."""


def referrals(units: Units) -> Blueprint:
    """Build the blueprint of an agency's referrals."""
    blueprint = Blueprint("referrals_api", __name__, url_prefix="/api/referrals")
    blueprint.before_request(require_token)
    blueprint.before_request(_require_json)
    _add_submitting(blueprint, units)
    _add_reading(blueprint, units)
    _add_taking_back(blueprint, units)
    return blueprint


def _add_submitting(blueprint: Blueprint, units: Units) -> None:
    @blueprint.post("")
    @described(
        blueprint.arguments(_KEY, location="headers", error_status_code=HTTPStatus.BAD_REQUEST),
        blueprint.arguments(_BODY),
        blueprint.response(HTTPStatus.ACCEPTED, _ANSWER),
    )
    def submit() -> ResponseReturnValue:
        """Refer a person: matching happens later, hence 202."""
        try:
            found = _submit(units)
        except Overtaken:
            found = _submit(units)
        location = url_for("referrals_api.show", referral_id=found["referral_id"])
        return _ANSWER.dump(found), HTTPStatus.ACCEPTED, {"Location": location}


def _submit(units: Units) -> dict[str, Any]:
    bearer, key = current_bearer(), request.headers.get("Idempotency-Key", "")
    asked = KeyedRequest(bearer.client_id, key.strip('"'), _fingerprint())
    with one_effect(), units.at_once({**bearer.names(), "key": asked.key}) as arrival:
        work = arrival.work
        by = _member(client_of(bearer, arrival.found), work)
        named = {"Idempotency-Key": key}
        given(_KEY, named, location="headers", refused=HTTPStatus.BAD_REQUEST)
        body = given(_BODY, request.get_json(silent=True), location="json")
        if asked.was_answered(arrival.found):
            return _found(_referral_of(arrival.found["answer"], work), work)
        referral = submit_referral(_command(by, body), work=work).referral
        asked.keep({"referral_id": str(referral.referral_id)}, arrival.writes)
        return _answer(referral, [first_note(referral)], work.now)


def _referral_of(answer: object, work: Work) -> UUID:
    """Return the referral that a key stands for.

    Raises:
        Conflict: the answer is none that we can read. A referral may be there, so none is made.

    """
    with suppress(ValueError):
        match answer:
            case {"referral_id": str(referral_id)}:
                return UUID(referral_id)
            case {"token": str(token)}:  # so it was kept until November 2026
                if found := work.referrals.claimed(UUID(token)):
                    return found
    raise Conflict("This Idempotency-Key was used before, and what it made cannot be told.")


def _add_reading(blueprint: Blueprint, units: Units) -> None:
    @blueprint.get("/<uuid:referral_id>")
    @blueprint.response(HTTPStatus.OK, schemas.ReferralAnswer())
    def show(referral_id: UUID) -> dict[str, Any]:
        """Return where a referral stands."""
        with units.opened() as (tx, work):
            _own_agency(tx, work)
            return _found(referral_id, work)


def _add_taking_back(blueprint: Blueprint, units: Units) -> None:
    @blueprint.post("/<uuid:referral_id>/releases/<uuid:release_id>/revocation")
    @blueprint.response(HTTPStatus.OK, schemas.ReferralAnswer())
    def revoke(referral_id: UUID, release_id: UUID) -> dict[str, Any]:
        """Take a release back, at once; a second time changes nothing (R-15)."""
        with units.opened() as (tx, work):
            revoke_release(referral_id, release_id, by=_own_agency(tx, work), work=work)
            return _found(referral_id, work)

    @blueprint.post("/<uuid:referral_id>/withdrawal")
    @blueprint.response(HTTPStatus.OK, schemas.ReferralAnswer())
    def take_back(referral_id: UUID) -> dict[str, Any]:
        """Take the whole referral back; a second time changes nothing."""
        with units.opened() as (tx, work):
            withdraw(referral_id, by=_own_agency(tx, work), work=work)
            return _found(referral_id, work)


def _require_json() -> None:
    """Refuse a body in another form, so that it is never read as an empty one."""
    if request.content_length and not request.is_json:
        raise UnsupportedMediaType


def _member(client: Client, work: Work) -> UUID:
    if client.organization_id != work.rules.organization_id:
        raise NotAllowed("This client is not of this agency.")
    return client.member_id


def _own_agency(tx: Tx, work: Work) -> UUID:
    """Return who asks.

    Raises:
        NotFound: another agency's client; nothing of its own is here.

    """
    client = client_in(tx)
    if client.organization_id != work.rules.organization_id:
        raise NotFound("There is no such referral.")
    return client.member_id


def _fingerprint() -> bytes:
    return hashlib.sha256(request.get_data()).digest()


def _command(by: UUID, body: Mapping[str, Any]) -> SubmitReferral:
    return SubmitReferral(
        token=None,
        by=by,
        story=Story(
            person=body["person"],
            contact=body["contact"],
            encounter=body["encounter"],
            wishes=body["wishes"],
        ),
        releases=tuple(body["releases"]),
    )


def _found(referral_id: UUID, work: Work) -> dict[str, Any]:
    return _answer(*referral_timeline(referral_id, work=work), work.now)


def _answer(referral: Referral, timeline: Sequence[Note], now: datetime) -> dict[str, Any]:
    return {
        "referral_id": referral.referral_id,
        "reference": referral.reference,
        "status": _TASK.get(referral.status, "requested"),
        "state": referral.status,
        "submitted_at": referral.submitted_at,
        "due": referral.due,
        "releases": [
            {
                **{name: getattr(release, name) for name in _RELEASE},
                "state": release.state(now),
            }
            for release in referral.releases
        ],
        "timeline": timeline,
    }


_RELEASE: Final = ("release_id", "partner_id", "rank", "items", "report_back", "expires_at")
