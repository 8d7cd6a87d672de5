"""Bodies and answers of routing's API. Unknown fields are refused."""

from marshmallow import RAISE, Schema, fields
from marshmallow.validate import Length, OneOf

from shared.contracts import codes, shapes

_MANY = 50


class Body(Schema):
    """A request body: what it does not declare is an error."""

    class Meta:
        unknown = RAISE


class FactsBody(Body):
    """What the person released about their wishes: codes and ranges only."""

    needs = fields.List(
        fields.String(validate=OneOf(codes.NEEDS)), required=True, validate=Length(1, _MANY)
    )
    urgency = fields.String(required=True, validate=OneOf(codes.URGENCIES))
    age_band = fields.String(required=True, validate=OneOf(codes.AGE_BANDS))
    languages = fields.List(shapes.language(), required=True, validate=Length(1, _MANY))
    interpreter = fields.Boolean(required=True)
    access_needs = fields.List(
        fields.String(validate=OneOf(codes.ACCESS_NEEDS)), required=True, validate=Length(0, _MANY)
    )
    county = shapes.county(required=True, metadata={"description": "FIPS code"})
    preferences = fields.List(
        fields.String(validate=OneOf(codes.PREFERENCES)), required=True, validate=Length(0, _MANY)
    )
    contact_route = fields.String(required=True, validate=OneOf(codes.CONTACT_ROUTES))


class PreviewBody(Body):
    """Facts, and the partners that the agency bars for this person."""

    facts = fields.Nested(FactsBody, required=True)
    barred_partners = fields.List(fields.UUID(), load_default=list, validate=Length(0, 1000))


class CheckAnswer(Schema):
    """One rule on one partner, with the partner-side value that decided."""

    rule = fields.String(required=True)
    passed = fields.Boolean(required=True)
    value = fields.String(required=True)


class PreviewedPartnerAnswer(Schema):
    """How one partner stands to the facts."""

    partner_id = fields.UUID(required=True)
    fits = fields.Boolean(required=True)
    rank = fields.Integer(required=True, allow_none=True)
    reasons = fields.List(fields.Nested(CheckAnswer), required=True)
    services = fields.List(fields.UUID(), required=True)
    expected_first_contact = fields.String(required=True)


class PreviewAnswer(Schema):
    """Every partner of the site, those that fit first."""

    directory_version = fields.Integer(required=True)
    rule_set = fields.String(required=True)
    partners = fields.List(fields.Nested(PreviewedPartnerAnswer), required=True)


class DeclineBody(Body):
    """Why the partner does not take it (R-46)."""

    reason = fields.String(required=True, validate=OneOf(codes.DECLINE_REASONS))


class ContactBody(Body):
    """How first contact was made."""

    kind = fields.String(required=True, validate=OneOf(codes.CONTACT_KINDS))


class ClosureBody(Body):
    """How it ended; needed where the person released the outcome."""

    outcome = fields.String(load_default=None, allow_none=True, validate=OneOf(codes.OUTCOMES))


class FactsAnswer(Schema):
    """The released facts; what is not released is empty."""

    needs = fields.List(fields.String(), required=True)
    urgency = fields.String(required=True)
    age_band = fields.String(required=True)
    languages = fields.List(fields.String(), required=True)
    interpreter = fields.Boolean(required=True)
    access_needs = fields.List(fields.String(), required=True)
    county = fields.String(required=True)
    preferences = fields.List(fields.String(), required=True)
    contact_route = fields.String(required=True)


class OfferAnswer(Schema):
    """One offer. `status` is FHIR's Task status."""

    reference = fields.String(required=True)
    status = fields.String(required=True)
    state = fields.String(required=True)
    offered_at = fields.AwareDateTime(required=True)
    answer_by = fields.AwareDateTime(required=True)
    first_contact_by = fields.AwareDateTime(required=True, allow_none=True)
    contacted_at = fields.AwareDateTime(required=True, allow_none=True)
    service_started_at = fields.AwareDateTime(required=True, allow_none=True)
    must_stop = fields.Boolean(required=True)
    confirm_by = fields.AwareDateTime(required=True, allow_none=True)
    overdue = fields.Boolean(required=True)


class OfferDetailAnswer(OfferAnswer):
    """One offer with what its release lets the partner see and do."""

    service_name = fields.String(required=True)
    facts = fields.Nested(FactsAnswer, required=True, allow_none=True)
    items = fields.List(fields.String(), required=True)
    report_back = fields.List(fields.String(), required=True)
    release_expires_at = fields.AwareDateTime(required=True)
    can = fields.List(fields.String(), required=True)


class OffersAnswer(Schema):
    """The organization's offers that wait for something, by their clock."""

    offers = fields.List(fields.Nested(OfferAnswer), required=True)
