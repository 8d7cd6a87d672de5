"""The AsyncAPI 3 document of the bus, made from the catalogue."""

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from shared.contracts.catalogue import CATALOGUE, EventType
from shared.contracts.event import CONTENT_TYPE

_HEADERS = {
    "ce_specversion": "1.0",
    "ce_id": "UUID of the event",
    "ce_source": "/intake/<agency>, /routing/<site> or /notifications/<site>",
    "ce_type": "the event's type",
    "ce_subject": "the record's key",
    "ce_time": "RFC 3339, UTC",
    "ce_sequence": "gapless from 1 for each source and key",
    "ce_correlationid": "the request that it goes back to",
    "traceparent": "W3C Trace Context",
    "content-type": CONTENT_TYPE,
}


def document() -> dict[str, Any]:
    """Return the document: channels, messages with schemas and examples, who sends and reads."""
    schemas = _schemas()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Warm Handoff events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka's binary mode. Codes and opaque ids only.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "schemas": schemas,
            "messageTraits": {"cloudEvent": {"headers": _headers()}},
            "messages": {type_: _message(kind) for type_, kind in CATALOGUE.items()},
        },
    }


def _schemas() -> dict[str, Any]:
    spec = APISpec(
        title="events", version="1", openapi_version="3.1.0", plugins=[MarshmallowPlugin()]
    )
    for kind in CATALOGUE.values():
        spec.components.schema(_schema_name(kind), schema=kind.schema)
    schemas: dict[str, Any] = spec.to_dict()["components"]["schemas"]
    return schemas


def _schema_name(kind: EventType) -> str:
    return type(kind.schema).__module__.rsplit(".", 1)[-1] + "." + type(kind.schema).__name__


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "required": sorted(_HEADERS),
        "properties": {
            name: {"type": "string", "description": what} for name, what in _HEADERS.items()
        },
    }


def _message(kind: EventType) -> dict[str, Any]:
    return {
        "name": kind.type,
        "summary": (type(kind.schema).__doc__ or "").strip(),
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": {"$ref": f"#/components/schemas/{_schema_name(kind)}"},
        "examples": [{"payload": kind.example}],
    }


def _channel_name(kind: EventType) -> str:
    return kind.topic.rstrip(".")


def _channels() -> dict[str, Any]:
    channels: dict[str, Any] = {}
    for kind in CATALOGUE.values():
        parameters = {"agency": {"description": "code of the agency"}}
        address = f"{kind.topic}{{agency}}" if kind.topic.endswith(".") else kind.topic
        channel = channels.setdefault(_channel_name(kind), {"address": address, "messages": {}})
        if "{agency}" in address:
            channel["parameters"] = parameters
        channel["messages"][kind.type] = {"$ref": f"#/components/messages/{kind.type}"}
    return channels


def _operations() -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for kind in CATALOGUE.values():
        for service, action in ((kind.owner, "send"), *((r, "receive") for r in kind.readers)):
            name = _channel_name(kind)
            operation = operations.setdefault(
                f"{service}.{action}.{name}",
                {"action": action, "channel": {"$ref": f"#/channels/{name}"}, "messages": []},
            )
            operation["messages"].append({"$ref": f"#/channels/{name}/messages/{kind.type}"})
    return operations
