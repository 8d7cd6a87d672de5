"""Events of routing: what became of a referral, and the public record of each partner."""

from marshmallow import fields
from marshmallow.validate import Length

from shared.contracts.intake import EventData
from shared.contracts.shapes import code


class ReferralData(EventData):
    """What every routing.referral event carries. `submitted_by` is a staff member's opaque id."""

    referral_id = fields.UUID(required=True)
    agency = fields.String(required=True)
    submitted_by = fields.UUID(required=True)


class OfferData(ReferralData):
    """An event about one offer to one partner."""

    offer_id = fields.UUID(required=True)
    partner_id = fields.UUID(required=True)


class OfferedV1(OfferData):
    """routing.referral.offered.v1: the partner has until `answer_by` to answer."""

    offer_reference = fields.String(required=True)
    answer_by = fields.AwareDateTime(required=True)


class AcceptedV1(OfferData):
    """routing.referral.accepted.v1: the partner took it; contact is due by `first_contact_by`."""

    offer_reference = fields.String(required=True)
    first_contact_by = fields.AwareDateTime(required=True)


class DeclinedV1(OfferData):
    """routing.referral.declined.v1: `reason` is null unless it may be reported back."""

    reason = code(required=True, allow_none=True)


class OfferExpiredV1(OfferData):
    """routing.referral.offer-expired.v1: no answer in time."""


class UnmatchedV1(ReferralData):
    """routing.referral.unmatched.v1: nobody to offer to now; `queue` says who acts next."""

    queue = code(required=True)


class EscalatedV1(ReferralData):
    """routing.referral.escalated.v1: a person has to look at it."""

    reason = code(required=True)
    offer_id = fields.UUID(required=True, allow_none=True)
    offer_reference = fields.String(required=True, allow_none=True)


class EscalationClearedV1(ReferralData):
    """routing.referral.escalation-cleared.v1: one such thing is over, and where it stands now.

    `status`: a queue, or how far the open offer has come; `due`: the clock that runs, if one does.
    """

    status = code(required=True)
    due = fields.AwareDateTime(required=True, allow_none=True)


class CancelledV1(OfferData):
    """routing.referral.cancelled.v1: the offer is taken back; `stop` if it was accepted."""

    offer_reference = fields.String(required=True)
    reason = code(required=True)
    stop = fields.Boolean(required=True)
    confirm_by = fields.AwareDateTime(required=True, allow_none=True)


class ContactedV1(OfferData):
    """routing.referral.contacted.v1: the partner reports first contact."""

    kind = code(required=True)


class ServiceStartedV1(OfferData):
    """routing.referral.service-started.v1: the partner reports that service began."""


class ClosedV1(OfferData):
    """routing.referral.closed.v1: finished; `outcome` is null unless it may be reported back."""

    outcome = code(required=True, allow_none=True)


class EndedV1(ReferralData):
    """routing.referral.ended.v1: the coordinator ended it; the advocate is told and why."""

    reason = code(required=True)


class ErasedV1(ReferralData):
    """routing.referral.erased.v1: routing forgot it, so does every reader (R-24)."""


class TieV1(EventData):
    """One tie of a partner to an involved agency (R-10, R-11)."""

    agency = fields.String(required=True)
    kind = fields.String(required=True)


class ServiceV1(EventData):
    """The public record of one service."""

    service_id = fields.UUID(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    needs = fields.List(fields.String(), required=True)
    languages = fields.List(fields.String(), required=True)
    minimum_age = fields.Integer(required=True, allow_none=True)
    maximum_age = fields.Integer(required=True, allow_none=True)
    counties = fields.List(fields.String(), required=True)
    remote = fields.Boolean(required=True)
    hours_text = fields.String(required=True)
    first_contact_text = fields.String(required=True)


class PartnerPublishedV1(EventData):
    """routing.partner.published.v1: the whole public record; the highest sequence wins."""

    partner_id = fields.UUID(required=True)
    site = fields.String(required=True)
    name = fields.String(required=True, validate=Length(1, 200))
    description = fields.String(required=True)
    website = fields.String(required=True)
    phone = fields.String(required=True)
    advocate_type = fields.String(required=True)
    confidentiality = fields.String(required=True)
    ties = fields.List(fields.Nested(TieV1), required=True)
    recipient = fields.Boolean(required=True)
    services = fields.List(fields.Nested(ServiceV1), required=True)


class PartnerWithdrawnV1(EventData):
    """routing.partner.withdrawn.v1: the organization is no longer a partner."""

    partner_id = fields.UUID(required=True)
