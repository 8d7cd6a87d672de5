"""A schema as a plain function says what the schema says, of whatever data."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import RAISE, Schema, ValidationError, fields, pre_load

from shared.contracts.catalogue import CATALOGUE
from shared.contracts.compiled import NotPlain, dumper, loader

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.uuids().map(str)
    | st.sampled_from(["2099-01-01", "2099-01-01T00:00:00", "2099-01-01T00:00:00Z", "{}", "on"])
    | st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
CUT = object()
TYPES = sorted(CATALOGUE)


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of everything in the data but the whole."""
    inside: Iterable[tuple[Any, Any]] = ()
    if isinstance(data, dict):
        inside = data.items()
    elif isinstance(data, list):
        inside = enumerate(data)
    for key, value in inside:
        yield (*path, key)
        yield from places(value, (*path, key))


@st.composite
def changed_examples(draw: st.DrawFn, type_: str) -> Any:
    """Draw the example of a type, changed, cut or added to in some places."""
    data = copy.deepcopy(CATALOGUE[type_].example)
    for _ in range(draw(st.integers(0, 2))):
        if found := sorted(places(data), key=repr):
            change(data, draw(st.sampled_from(found)), draw(st.just(CUT) | VALUES))
    if draw(st.booleans()):
        data["added"] = draw(VALUES)
    return data


def change(data: Any, path: tuple[Any, ...], value: Any) -> None:
    """Put a value at a place of the data, or cut the place out."""
    for step in path[:-1]:
        data = data[step]
    if value is CUT:
        del data[path[-1]]
    else:
        data[path[-1]] = value


def verdict(schema: Schema, data: Any) -> Any:
    """Return what the schema loads, or None when it refuses."""
    try:
        return schema.load(data)
    except ValidationError:
        return None


@pytest.mark.parametrize("type_", TYPES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_taken_as_plain_the_schema_loads_to_the_same(
    type_: str, data: st.DataObject
) -> None:
    changed = data.draw(changed_examples(type_))

    try:
        loaded = CATALOGUE[type_].load_plain(changed)
    except NotPlain:
        return

    assert loaded == verdict(CATALOGUE[type_].schema, changed)


@pytest.mark.parametrize("type_", TYPES)
def test_every_committed_example_is_plain_and_is_dumped_as_the_schema_does(type_: str) -> None:
    event = CATALOGUE[type_]

    loaded = event.load_plain(event.example)

    assert loaded == event.schema.load(event.example)
    assert event.dump_plain(loaded) == event.schema.dump(loaded)


class Strict(Schema):
    """Refuses what it does not know, and gives what is absent."""

    class Meta:
        unknown = RAISE

    name = fields.String(required=True, data_key="called")
    rank = fields.Integer(load_default=1)
    tags = fields.List(fields.String(), load_default=list)
    note = fields.String()


@pytest.mark.parametrize(
    "data",
    [
        {"called": "a"},
        {"called": "a", "rank": 3, "tags": ["x"], "note": "n"},
        {"called": "a", "rank": "3"},
        {"called": "a", "rank": True},
        {"called": "a", "other": 1},
        {"rank": 1},
        [],
        None,
    ],
)
def test_absent_and_unknown_fields_are_the_schemas_case(data: Any) -> None:
    try:
        loaded = loader(Strict())(data)
    except NotPlain:
        return

    assert loaded == verdict(Strict(), data)


def test_a_schema_with_a_hook_or_an_unknown_field_is_refused() -> None:
    class Hooked(Schema):
        @pre_load
        def change(self, data: Any, **_: Any) -> Any:
            return data

    class Odd(Schema):
        price = fields.Decimal()

    with pytest.raises(TypeError):
        loader(Hooked())
    with pytest.raises((TypeError, KeyError)):
        loader(Odd())
    with pytest.raises((TypeError, KeyError)):
        dumper(Odd())
