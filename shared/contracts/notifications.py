"""Events of notifications: what became of a message."""

from marshmallow import fields

from shared.contracts.intake import EventData


class DeliveryDataV1(EventData):
    """One message to one endpoint: no address, no text."""

    referral_id = fields.UUID(required=True)
    offer_id = fields.UUID(required=True, allow_none=True)
    delivery_id = fields.UUID(required=True)
    endpoint_id = fields.UUID(required=True)
    channel = fields.String(required=True)
    template = fields.String(required=True)


class DeliveredV1(DeliveryDataV1):
    """notifications.delivery.delivered.v1: the endpoint took the message."""


class ExhaustedV1(DeliveryDataV1):
    """notifications.delivery.exhausted.v1: given up; somebody has to call."""
