"""Intake's JSON API, for the agency's own systems: submit, follow, take back.

Every request carries a client's access token. A referral of another agency is not here (404).
"""

import hashlib
from collections.abc import Mapping, Sequence
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
from shared.db import Tx, idempotency
from shared.errors import NotAllowed, NotFound
from shared.http import client_in, require_token
from shared.http.bearer import Client

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
    @blueprint.arguments(schemas.IdempotencyHeader(), location="headers", error_status_code=400)
    @blueprint.arguments(schemas.ReferralBody())
    @blueprint.response(HTTPStatus.ACCEPTED, schemas.ReferralAnswer())
    def submit(header: dict[str, str], body: dict[str, Any]) -> ResponseReturnValue:
        """Refer a person: matching happens later, hence 202."""
        with units.opened() as (tx, work):
            client, key = _client(tx, work), header["key"].strip('"')
            token = idempotency.token_of(
                tx, client=client.client_id, key=key, fingerprint=_fingerprint()
            )
            sent = submit_referral(_command(token, client.member_id, body), work=work)
            found = _new(sent.referral, work) if sent.is_new else _found(sent.referral_id, work)
        location = url_for("referrals_api.show", referral_id=sent.referral_id)
        return found, HTTPStatus.ACCEPTED, {"Location": location}


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


def _client(tx: Tx, work: Work) -> Client:
    client = client_in(tx)
    if client.organization_id != work.rules.organization_id:
        raise NotAllowed("This client is not of this agency.")
    return client


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


def _command(token: UUID, by: UUID, body: dict[str, Any]) -> SubmitReferral:
    return SubmitReferral(
        token=token,
        by=by,
        story=Story(
            person=body["person"],
            contact=body["contact"],
            encounter=body["encounter"],
            wishes=body["wishes"],
        ),
        releases=tuple(body["releases"]),
    )


def _new(referral: Referral, work: Work) -> dict[str, Any]:
    return _answer(referral, [first_note(referral)], work.now)


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
