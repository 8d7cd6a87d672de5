"""Events of intake: what a person agreed to, as codes and opaque ids.

Schemas check shape only: a code that this reader does not know is a case for a person,
not a record to park. A field added later must not stop today's readers. What has not the shape
of a code could be a name, so that it is neither sent nor taken (R-02).
"""

from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import Length, Range

from shared.contracts.shapes import code, county, language


class EventData(Schema):
    """The data of an event: unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE


class FactsV1(EventData):
    """Released facts about the person's wishes: codes and ranges only."""

    needs = fields.List(code(), required=True, validate=Length(1))
    urgency = code(required=True)
    age_band = code(required=True)
    languages = fields.List(language(), required=True)
    interpreter = fields.Boolean(required=True)
    access_needs = fields.List(code(), required=True)
    county = county(required=True)
    preferences = fields.List(code(), required=True)
    contact_route = code(required=True)


class ReleaseV1(EventData):
    """One release of information to one partner (R-12)."""

    release_id = fields.UUID(required=True)
    partner_id = fields.UUID(required=True)
    rank = fields.Integer(required=True, validate=Range(1))
    expires_at = fields.AwareDateTime(required=True)
    items = fields.List(code(), required=True)
    report_back = fields.List(code(), required=True)


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
