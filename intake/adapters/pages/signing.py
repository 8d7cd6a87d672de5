"""Signing a release: drawn on this device, or on paper with a witness and a scan."""

import base64
import binascii
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from intake.adapters.pages.answers import Signature
from intake.adapters.pages.form import finish_later, typed_here
from intake.adapters.pages.journey import Form
from intake.adapters.pages.place import Place, address, find
from intake.adapters.pages.questions.sharing import SIGNING
from intake.adapters.pages.reader import Reader
from intake.adapters.pages.room import Room
from intake.domain.releases import MOST_PICTURE_BYTES
from shared.http.access import requires
from shared.http.app import BODY_LIMIT, allow_upload

_DATA_URL: Final = "data:image/png;base64,"
_BLANK_BYTES: Final = 200
_KINDS: Final[Mapping[bytes, str]] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"%PDF-": "application/pdf",
}


def signing(room: Room) -> Blueprint:
    """Build the pages on which a release is signed, or a partner is not asked after all."""
    blueprint = Blueprint("signing", __name__)

    @blueprint.url_value_preprocessor
    def allow_a_scan(_endpoint: str | None, _values: dict[str, object] | None) -> None:
        allow_upload(MOST_PICTURE_BYTES + BODY_LIMIT)

    @blueprint.post("/drafts/<uuid:draft_id>/sign/<about>")
    @requires("advocate")
    def sign(draft_id: UUID, about: str) -> ResponseReturnValue:
        found = find(room, draft_id, "sign", about)
        return _sign(found) if isinstance(found, Place) else found

    @blueprint.post("/drafts/<uuid:draft_id>/skip/<about>")
    @requires("advocate")
    def skip(draft_id: UUID, about: str) -> ResponseReturnValue:
        found = find(room, draft_id, "release", about)
        return _skip(found) if isinstance(found, Place) else found

    return blueprint


def _sign(place: Place) -> ResponseReturnValue:
    if request.form.get("action") == "later":
        return finish_later(place.room, place.draft_id)
    reader = Reader(typed_here())
    signature = _read_signature(reader, place)
    if signature is None or reader.problems:
        kept = {key: values for key, values in typed_here().items() if key != "signature"}
        return place.show(typed=kept, problems=reader.problems)
    new = Form(place.form.answers.with_signature(place.stop.about, signature), place.form.asking)
    place.save(new)
    return place.onward(new)


def _skip(place: Place) -> ResponseReturnValue:
    """Take the partner from the choice; without any left, back to choosing."""
    left = [key for key in place.form.chosen() if key != place.stop.about]
    answers = place.form.answers.without("partners").without("order")
    if left:
        answers = answers.with_typed("partners", {"partners": left})
    if len(left) > 1:
        order = {f"place-{key}": [str(number)] for number, key in enumerate(left, 1)}
        answers = answers.with_typed("order", order)
    new = Form(answers, place.form.asking)
    place.save(new)
    return redirect(address(place.draft_id, new.first_open()))


def _read_signature(reader: Reader, place: Place) -> Signature | None:
    reader.tick(
        "voluntary",
        missing=_("Tick the box when the person knows that they do not have to sign"),
    )
    method = reader.choice(
        "method", SIGNING, missing=_("Choose how the person signs: here, or on paper")
    )
    drawn = reader.text("signature", _("Signature"), most=300_000)
    witness = reader.text("witness", _("Witness"), most=80)
    reader.unexpected()
    if method == "drawn":
        return _drawn(reader, drawn, place)
    return _paper(reader, witness, place) if method == "paper" else None


def _drawn(reader: Reader, drawn: str, place: Place) -> Signature | None:
    picture = _png(drawn)
    if picture is None:
        reader.refuse("signature", _("Sign in the box, or choose paper"))
        return None
    return _signature(place, "drawn", picture, "image/png")


def _paper(reader: Reader, witness: str, place: Place) -> Signature | None:
    if not witness:
        reader.refuse("witness", _("Enter the name of the person who saw the paper signed"))
    scan, kind = _scan(request.files.get("scan"))
    if not kind:
        reader.refuse(
            "scan",
            _("Add a scan or photo of the signed paper: a PDF, JPEG or PNG of at most 3 MB"),
        )
    return _signature(place, "paper", scan, kind, witness) if witness and kind else None


def _signature(
    place: Place, method: str, picture: bytes, media_type: str, witness: str = ""
) -> Signature:
    return Signature(
        statement=place.form.statement(place.stop.about),
        method=method,
        signed_at=place.room.now().isoformat(),
        picture=base64.b64encode(picture).decode(),
        media_type=media_type,
        witness=witness,
    )


def _png(drawn: str) -> bytes | None:
    if not drawn.startswith(_DATA_URL):
        return None
    try:
        picture = base64.b64decode(drawn.removeprefix(_DATA_URL), validate=True)
    except binascii.Error:
        return None
    return picture if _kind(picture) == "image/png" and len(picture) > _BLANK_BYTES else None


def _scan(upload: FileStorage | None) -> tuple[bytes, str]:
    if upload is None:
        return b"", ""
    content = upload.stream.read(MOST_PICTURE_BYTES + 1)
    return content, "" if len(content) > MOST_PICTURE_BYTES else _kind(content)


def _kind(content: bytes) -> str:
    """Return the media type by what the file begins with, not by what it is called."""
    return next((kind for start, kind in _KINDS.items() if content.startswith(start)), "")
