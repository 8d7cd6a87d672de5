"""What routing emits: the type of each happening, and a partner's public record."""

from collections.abc import Mapping
from typing import Any, Final

from routing.domain import happenings
from routing.domain.model import Partner, Service

EVENT_TYPES: Final[Mapping[type[Any], str]] = {
    happenings.Offered: "routing.referral.offered.v1",
    happenings.Accepted: "routing.referral.accepted.v1",
    happenings.Declined: "routing.referral.declined.v1",
    happenings.OfferExpired: "routing.referral.offer-expired.v1",
    happenings.Unmatched: "routing.referral.unmatched.v1",
    happenings.Escalated: "routing.referral.escalated.v1",
    happenings.EscalationCleared: "routing.referral.escalation-cleared.v1",
    happenings.Cancelled: "routing.referral.cancelled.v1",
    happenings.Contacted: "routing.referral.contacted.v1",
    happenings.ServiceStarted: "routing.referral.service-started.v1",
    happenings.Closed: "routing.referral.closed.v1",
    happenings.Ended: "routing.referral.ended.v1",
    happenings.Erased: "routing.referral.erased.v1",
}
PARTNER_PUBLISHED: Final = "routing.partner.published.v1"
PARTNER_WITHDRAWN: Final = "routing.partner.withdrawn.v1"

_PARTNER_FIELDS: Final = (
    "partner_id",
    "name",
    "description",
    "website",
    "phone",
    "advocate_type",
    "confidentiality",
    "recipient",
)
_SERVICE_FIELDS: Final = (
    "service_id",
    "name",
    "description",
    "needs",
    "languages",
    "minimum_age",
    "maximum_age",
    "counties",
    "remote",
    "hours_text",
    "first_contact_text",
)


def public_record(partner: Partner, site: str) -> dict[str, Any]:
    """Return what everybody may know of a partner; addresses are not part of it (R-54)."""
    return {
        **{name: getattr(partner, name) for name in _PARTNER_FIELDS},
        "site": site,
        "ties": [{"agency": tie.agency, "kind": tie.kind} for tie in partner.ties],
        "services": [_service(service) for service in partner.services if service.needs],
    }


def _service(service: Service) -> dict[str, Any]:
    record = {name: getattr(service, name) for name in _SERVICE_FIELDS}
    lists = ("needs", "languages", "counties")
    return {**record, **{name: list(record[name]) for name in lists}}
