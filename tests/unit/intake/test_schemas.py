"""A body that is taken in one pass is what the schema would have made of it."""

import base64
import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from intake.adapters.schemas import ReferralBody
from shared.contracts.compiled import NotPlain, loader
from tests.unit.shared.test_compiled import CUT, VALUES, change, places

PLAIN = loader(ReferralBody())
BODY: dict[str, Any] = {
    "person": {
        "pseudonym": "Jordan",
        "name": None,
        "age_band": "25-59",
        "languages": ["es", "vi"],
        "interpreter": True,
        "access_needs": ["step-free"],
    },
    "contact": {
        "route": "partner-contacts",
        "channels": [
            {
                "channel": "call",
                "address": "225-555-0142",
                "leave_message_ok": False,
                "identify_agency_ok": False,
            }
        ],
        "confirmed_at": "2026-11-25T12:00:00+00:00",
    },
    "encounter": {"role": "witness", "happened_on": "2026-11-20"},
    "wishes": {"needs": ["trauma-therapy"], "urgency": "routine", "county": "22033"},
    "releases": [
        {
            "partner_id": "84d3ad05-6756-4e37-b9af-ee19df591ee8",
            "rank": 1,
            "items": ["needs", "facts"],
            "expires_on": "2026-12-24",
            "statement": "I allow this.",
            "signature": {"method": "drawn", "content": base64.b64encode(b"picture").decode()},
        }
    ],
}


def by_schema(data: Any) -> Any:
    """Return what the schema alone makes of the data, or None when it refuses."""
    try:
        return Schema.load(ReferralBody(), data)
    except ValidationError:
        return None


@st.composite
def changed_bodies(draw: st.DrawFn) -> Any:
    data = copy.deepcopy(BODY)
    for _ in range(draw(st.integers(0, 2))):
        if found := sorted(places(data), key=repr):
            change(data, draw(st.sampled_from(found)), draw(st.just(CUT) | VALUES))
    if draw(st.booleans()):
        data["added"] = draw(VALUES)
    return data


@given(body=changed_bodies())
@settings(max_examples=400, deadline=None)
def test_what_is_taken_in_one_pass_the_schema_makes_the_same_of(body: Any) -> None:
    try:
        taken = PLAIN(copy.deepcopy(body))
    except NotPlain:
        return

    assert taken == by_schema(body)


def test_a_body_as_it_should_be_is_taken_in_one_pass() -> None:
    assert PLAIN(BODY) == by_schema(BODY)
