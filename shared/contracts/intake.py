"""Events of intake: what a person agreed to, as codes and opaque ids.

Schemas check shape only: a code that this reader does not know is a case for a person,
not a record to park. A field added later must not stop today's readers.
"""

from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import Length, Range


class EventData(Schema):
    """The data of an event: unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE


class FactsV1(EventData):
    """Released facts about the person's wishes: codes and ranges only."""

    needs = fields.List(fields.String(validate=Length(1, 64)), required=True, validate=Length(1))
    urgency = fields.String(required=True)
    age_band = fields.String(required=True)
    languages = fields.List(fields.String(validate=Length(1, 35)), required=True)
    interpreter = fields.Boolean(required=True)
    access_needs = fields.List(fields.String(), required=True)
    county = fields.String(required=True)
    preferences = fields.List(fields.String(), required=True)
    contact_route = fields.String(required=True)


class ReleaseV1(EventData):
    """One release of information to one partner (R-12)."""

    release_id = fields.UUID(required=True)
    partner_id = fields.UUID(required=True)
    rank = fields.Integer(required=True, validate=Range(1))
    expires_at = fields.AwareDateTime(required=True)
    items = fields.List(fields.String(), required=True)
    report_back = fields.List(fields.String(), required=True)


class ReferralSubmittedV1(EventData):
    """intake.referral.submitted.v1: a person agreed to be referred."""

    referral_id = fields.UUID(required=True)
    reference = fields.String(required=True, validate=Length(1, 16))
    site = fields.String(required=True)
    agency = fields.String(required=True)
    submitted_by = fields.UUID(required=True)
    facts = fields.Nested(FactsV1, required=True)
    releases = fields.List(fields.Nested(ReleaseV1), required=True, validate=Length(1))
    barred_partners = fields.List(fields.UUID(), required=True)


class ReleaseSignedV1(EventData):
    """intake.referral.release-signed.v1: one more partner may receive the referral."""

    referral_id = fields.UUID(required=True)
    release = fields.Nested(ReleaseV1, required=True)


class ReleaseRevokedV1(EventData):
    """intake.referral.release-revoked.v1: the partner may receive nothing more (R-15)."""

    referral_id = fields.UUID(required=True)
    release_id = fields.UUID(required=True)
    partner_id = fields.UUID(required=True)


class ReferralWithdrawnV1(EventData):
    """intake.referral.withdrawn.v1: the person takes the whole referral back."""

    referral_id = fields.UUID(required=True)


class ReferralErasedV1(EventData):
    """intake.referral.erased.v1: facts and decisions downstream must go (R-24)."""

    referral_id = fields.UUID(required=True)
