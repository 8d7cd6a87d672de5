"""The AsyncAPI 3 document of the event catalogue."""

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from services.topics import is_by_agency
from shared.contracts.catalogue import CATALOGUE, EventType

VERSION = "3.0.0"
_HEADERS = {
    "ce_id": "UUID of the event",
    "ce_source": "who emitted it: /intake/<agency>, /routing/<site> or /notifications/<site>",
    "ce_type": "its type, the major version included",
    "ce_subject": "its key",
    "ce_time": "when it happened, RFC 3339",
    "ce_specversion": "1.0",
    "ce_sequence": "its number within source and key: 1, 2, 3 without a gap",
    "ce_correlationid": "what ties together all that one request caused",
    "traceparent": "W3C trace context",
    "content-type": "application/json",
}


def document() -> dict[str, Any]:
    """Return the document: every topic, who sends what there and who reads it."""
    spec = APISpec("events", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    messages = {event.type: _message(spec, event) for event in CATALOGUE.values()}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Warm Handoff events",
            "version": "1",
            "description": "CloudEvents 1.0 in Kafka's binary mode. No event holds an identity:"
            " facts are codes and ranges, ids are random.",
        },
        "defaultContentType": "application/json",
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": messages, "schemas": spec.to_dict()["components"]["schemas"]},
    }


def _message(spec: APISpec, event: EventType) -> dict[str, Any]:
    name = type(event.schema).__name__
    if name not in spec.components.schemas:
        spec.components.schema(name, schema=event.schema)
    return {
        "name": event.type,
        "title": (type(event.schema).__doc__ or event.type).split("\n", 1)[0],
        "headers": {
            "type": "object",
            "required": list(_HEADERS),
            "properties": {
                header: {"type": "string", "description": what}
                for header, what in _HEADERS.items()
            },
        },
        "payload": {"$ref": f"#/components/schemas/{name}"},
        "examples": [{"payload": event.example}],
    }


def _channels() -> dict[str, Any]:
    channels: dict[str, Any] = {}
    for event in CATALOGUE.values():
        channel = channels.setdefault(_channel(event), _empty_channel(event))
        channel["messages"][event.type] = {"$ref": f"#/components/messages/{event.type}"}
    return channels


def _empty_channel(event: EventType) -> dict[str, Any]:
    if not is_by_agency(event.topic):
        return {"address": event.topic, "messages": {}}
    agency = {"description": "Code of the agency, which alone has this topic"}
    return {
        "address": f"{event.topic}{{agency}}",
        "parameters": {"agency": agency},
        "messages": {},
    }


def _operations() -> dict[str, Any]:
    operations: dict[str, Any] = {}
    for event in CATALOGUE.values():
        for service, action in ((event.owner, "send"), *((r, "receive") for r in event.readers)):
            name = f"{service}.{action}.{_channel(event)}"
            channel = f"#/channels/{_channel(event)}"
            operation = operations.setdefault(
                name, {"action": action, "channel": {"$ref": channel}, "messages": []}
            )
            operation["messages"].append({"$ref": f"{channel}/messages/{event.type}"})
    return operations


def _channel(event: EventType) -> str:
    return event.topic.rstrip(".")
