"""Bodies and answers of intake's API. Unknown fields are refused."""

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, post_load
from marshmallow.types import StrSequenceOrSet, UnknownOption
from marshmallow.validate import Length, OneOf, Range, Regexp

from intake.domain.people import Channel, Encounter, Person, SafeContact, Wishes
from intake.domain.releases import MOST_PARTNERS, PNG, Drawn, OnPaper, ReleaseRequest, Signature
from shared.contracts import codes, shapes
from shared.contracts.compiled import Dump, Load, NotPlain, dumper, loader

_MANY: Final = 50
_NAME: Final = 80
_LINE: Final = 200
_STATEMENT: Final = 4000
_KEY: Final = 255
_QUOTED_OR_PLAIN: Final = r'^("[\x20-\x21\x23-\x5b\x5d-\x7e]+"|[\x21\x23-\x7e]+)$'


class PlainFirst(Schema):
    """A schema that goes by its plain functions as far as they go."""

    def load(
        self,
        data: Any,  # noqa: ANN401  (what JSON holds)
        *,
        many: bool | None = None,
        partial: bool | StrSequenceOrSet | None = None,
        unknown: UnknownOption | None = None,
    ) -> Any:  # noqa: ANN401  (as marshmallow has it)
        """Load data that are what they should be in one pass; the schema judges any other."""
        if not (many or partial or unknown):
            with suppress(NotPlain):
                return self._load_plain(data)
        return super().load(data, many=many, partial=partial, unknown=unknown)

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:  # noqa: ANN401  (as above)
        """Dump one object in one pass."""
        return super().dump(obj, many=many) if many else self._dump_plain(obj)

    @cached_property
    def _load_plain(self) -> Load:
        return loader(self)

    @cached_property
    def _dump_plain(self) -> Dump:
        return dumper(self)


class Body(Schema):
    """A request body: what it does not declare is an error."""

    class Meta:
        unknown = RAISE


class Base64(fields.String):
    """Bytes as base64 text."""

    def _deserialize(
        self,
        value: object,
        attr: str | None,
        data: Mapping[str, Any] | None,
        **kwargs: object,
    ) -> Any:  # noqa: ANN401  (bytes; the base class promises text)
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as wrong:
            raise ValidationError("Not base64.") from wrong

    def load_plain(self, value: object) -> bytes:
        """Return the bytes, as a plain function of the schema does."""
        if type(value) is not str:
            raise NotPlain
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as wrong:
            raise NotPlain from wrong


def _codes(known: tuple[str, ...], **more: Any) -> "fields.List[Any]":  # noqa: ANN401
    return fields.List(
        fields.String(validate=OneOf(known)), **{"validate": Length(0, _MANY), **more}
    )


class PersonBody(Body):
    """Who is helped; a pseudonym is enough (R-34)."""

    pseudonym = fields.String(required=True, validate=Length(1, _NAME))
    name = fields.String(load_default=None, allow_none=True, validate=Length(1, _NAME))
    age_band = fields.String(required=True, validate=OneOf(codes.AGE_BANDS))
    languages = fields.List(
        shapes.language(),
        required=True,
        validate=Length(1, _MANY),
        metadata={"description": "BCP 47 tags"},
    )
    interpreter = fields.Boolean(required=True)
    access_needs = _codes(codes.ACCESS_NEEDS, load_default=list)
    under_guardianship = fields.Boolean(load_default=False)
    works_in_law_enforcement = fields.Boolean(load_default=False)

    @post_load
    def make(self, found: dict[str, Any], **_: object) -> Person:
        """Return the person."""
        return Person(**_tuples(found))


class ChannelBody(Body):
    """One safe way of contact with its rules (R-27)."""

    channel = fields.String(required=True, validate=OneOf(codes.CHANNELS))
    address = fields.String(required=True, validate=Length(1, _LINE))
    leave_message_ok = fields.Boolean(required=True)
    identify_agency_ok = fields.Boolean(required=True)
    when = fields.String(load_default="", validate=Length(0, _LINE))
    who_may_answer = fields.String(load_default="", validate=Length(0, _LINE))
    ask_for = fields.String(load_default="", validate=Length(0, _LINE))

    @post_load
    def make(self, found: dict[str, Any], **_: object) -> Channel:
        """Return the channel."""
        return Channel(**found)


class ContactBody(Body):
    """How contact is made; through the advocate unless the person says otherwise."""

    route = fields.String(required=True, validate=OneOf(codes.CONTACT_ROUTES))
    code_word = fields.String(load_default="", validate=Length(0, 40))
    channels = fields.List(
        fields.Nested(ChannelBody), load_default=list, validate=Length(0, len(codes.CHANNELS))
    )
    confirmed_at = fields.AwareDateTime(load_default=None, allow_none=True)

    @post_load
    def make(self, found: dict[str, Any], **_: object) -> SafeContact:
        """Return the safe contact."""
        return SafeContact(**_tuples(found))


class EncounterBody(Body):
    """What happened: no narrative, no report number (R-07). It never leaves the agency."""

    role = fields.String(required=True, validate=OneOf(codes.ROLES))
    involved_agencies = fields.List(
        fields.String(validate=Length(1, 64)), load_default=list, validate=Length(0, _MANY)
    )
    do_not_tell = fields.List(
        fields.String(validate=Length(1, 64)),
        load_default=list,
        validate=Length(0, _MANY),
        metadata={"description": "Ids of partners and codes of agencies"},
    )
    happened_on = fields.Date(load_default=None, allow_none=True)

    @post_load
    def make(self, found: dict[str, Any], **_: object) -> Encounter:
        """Return what happened; a partner's id is read however it is written."""
        found["do_not_tell"] = [_as_stored(name) for name in found["do_not_tell"]]
        return Encounter(**_tuples(found))


class WishesBody(Body):
    """One bundle of needs that one partner can take over."""

    needs = _codes(codes.NEEDS, required=True, validate=Length(1, _MANY))
    urgency = fields.String(required=True, validate=OneOf(codes.URGENCIES))
    county = shapes.county(required=True, metadata={"description": "FIPS code"})
    preferences = _codes(codes.PREFERENCES, load_default=list)

    @post_load
    def make(self, found: dict[str, Any], **_: object) -> Wishes:
        """Return the wishes."""
        return Wishes(**_tuples(found))


class SignatureBody(Body):
    """The evidence: a drawing (PNG), or a scan of paper (PNG, JPEG, PDF) with its witness."""

    method = fields.String(required=True, validate=OneOf(("drawn", "paper")))
    media_type = fields.String(
        load_default=PNG, validate=OneOf((PNG, "image/jpeg", "application/pdf"))
    )
    content = Base64(required=True, metadata={"format": "byte"})
    witness = fields.String(load_default="", validate=Length(0, _NAME))

    @post_load
    def make(self, found: dict[str, Any], **_: object) -> Signature:
        """Return the signature."""
        if found["method"] == "drawn":
            return Drawn(found["content"])
        return OnPaper(found["content"], found["media_type"], found["witness"])


class ReleaseBody(Body):
    """A release to one partner, as the person signed it (R-12, R-16)."""

    partner_id = fields.UUID(required=True)
    rank = fields.Integer(required=True, strict=True, validate=Range(1, MOST_PARTNERS))
    items = _codes(codes.RELEASE_ITEMS, required=True, validate=Length(1, _MANY))
    report_back = _codes(codes.REPORT_BACK_ITEMS, load_default=list)
    purpose = fields.String(load_default="referral", validate=OneOf(("referral",)))
    expires_on = fields.Date(
        required=True, metadata={"description": "The last day on which it holds, at the site"}
    )
    statement = fields.String(
        required=True,
        validate=Length(1, _STATEMENT),
        metadata={"description": "The very words above the signature"},
    )
    signature = fields.Nested(SignatureBody, required=True)

    @post_load
    def make(self, found: dict[str, Any], **_: object) -> ReleaseRequest:
        """Return the release."""
        return ReleaseRequest(**_tuples(found))


class ReferralBody(PlainFirst, Body):
    """One referral of one person, with the evidence of each release."""

    person = fields.Nested(PersonBody, required=True)
    contact = fields.Nested(ContactBody, required=True)
    encounter = fields.Nested(EncounterBody, required=True)
    wishes = fields.Nested(WishesBody, required=True)
    releases = fields.List(
        fields.Nested(ReleaseBody), required=True, validate=Length(1, MOST_PARTNERS)
    )


class IdempotencyHeader(PlainFirst):
    """The client's own name for this request: the same one sent again has one effect."""

    class Meta:
        unknown = EXCLUDE

    key = fields.String(
        data_key="Idempotency-Key",
        required=True,
        validate=(Length(1, _KEY), Regexp(_QUOTED_OR_PLAIN)),
        metadata={"description": 'A quoted string, such as "8e03978e"; kept for 7 days'},
    )


class ReleaseAnswer(Schema):
    """A release as it stands: live, revoked or expired."""

    release_id = fields.UUID(required=True)
    partner_id = fields.UUID(required=True)
    rank = fields.Integer(required=True)
    items = fields.List(fields.String(), required=True)
    report_back = fields.List(fields.String(), required=True)
    expires_at = fields.AwareDateTime(required=True)
    state = fields.String(required=True)


class HappeningAnswer(Schema):
    """One line of the timeline: codes only."""

    at = fields.AwareDateTime(required=True)
    what = fields.String(required=True)
    partner_id = fields.UUID(required=True, allow_none=True)
    detail = fields.String(required=True)
    due = fields.AwareDateTime(required=True, allow_none=True)


class ReferralAnswer(PlainFirst):
    """Where a referral stands. `status` is FHIR's Task status; nothing of the person is told."""

    referral_id = fields.UUID(required=True)
    reference = fields.String(required=True)
    status = fields.String(required=True)
    state = fields.String(required=True)
    submitted_at = fields.AwareDateTime(required=True)
    due = fields.AwareDateTime(required=True, allow_none=True)
    releases = fields.List(fields.Nested(ReleaseAnswer), required=True)
    timeline = fields.List(fields.Nested(HappeningAnswer), required=True)


def _as_stored(name: str) -> str:
    with suppress(ValueError):
        return str(UUID(name))
    return name


def _tuples(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in found.items()
    }
