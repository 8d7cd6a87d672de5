"""Schemas as plain functions, for data that is what it should be.

marshmallow stays the source of truth: a function is built from a schema's own fields and
validators, accepts only what the schema would load to the same data, and leaves everything else
to the schema, which then loads it in its own way or says what is wrong with it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields, missing
from marshmallow.decorators import POST_LOAD

Load = Callable[[Any], Any]
"""Returns the loaded value, or raises NotPlain."""
Dump = Callable[[Any], Any]


class NotPlain(Exception):
    """The value is for the schema itself to judge."""


def loader(schema: Schema) -> Load:
    """Return what loads plain data of this schema.

    Raises:
        TypeError: the schema has a field or a hook that there is no plain function for.

    """
    makers = _makers(schema)
    steps = [
        _Step(field.data_key or name, field.attribute or name, _loader_of(field), _default(field))
        for name, field in schema.load_fields.items()
    ]
    known = frozenset(step.key for step in steps) if schema.unknown == RAISE else None
    load = _object(steps, known)
    for make in makers:
        load = _made(load, make)
    return load


def _makers(schema: Schema) -> list[Load]:
    """Return what makes the schema's object of the loaded data: its `post_load`."""
    hooks = dict(schema._hooks)  # noqa: SLF001  (nothing public tells)
    makers = hooks.pop(POST_LOAD, [])
    if any(hooks.values()) or any(many or how["pass_original"] for _, many, how in makers):
        raise TypeError(f"{schema}: it has hooks that look at more than what was loaded")
    return [getattr(schema, name) for name, _, _ in makers]


def _made(load: Load, make: Load) -> Load:
    return lambda value: make(load(value))


class _Step(NamedTuple):
    """How one field is loaded; `default` gives what stands for an absent one, or is missing."""

    key: str
    name: str
    load: Load
    default: Any


def dumper(schema: Schema) -> Dump:
    """Return what dumps the data of this schema, a mapping or an object, as plain JSON values.

    Raises:
        TypeError: the schema has a field that there is no plain function for.

    """
    steps = [
        (name, field.data_key or name, _dumper_of(field))
        for name, field in schema.dump_fields.items()
    ]

    def dump(value: Any) -> dict[str, Any]:  # noqa: ANN401  (a mapping, or an object)
        if isinstance(value, Mapping):
            present = [step for step in steps if step[0] in value]
            return {key: dump_field(value[name]) for name, key, dump_field in present}
        return {key: dump_field(getattr(value, name)) for name, key, dump_field in steps}

    return dump


def _default(field: fields.Field[Any]) -> Any:  # noqa: ANN401  (a schema's own)
    default = field.load_default
    if field.required:
        return _refuse
    return default if default is missing or callable(default) else lambda: default


def _refuse() -> Any:  # noqa: ANN401  (it gives nothing)
    raise NotPlain


def _loader_of(field: fields.Field[Any]) -> Load:
    if isinstance(field, fields.List):
        load = _list(_loader_of(field.inner))
    elif isinstance(field, fields.Nested) and not field.many:
        load = loader(field.schema)
    else:
        load = getattr(field, "load_plain", None) or _LOADERS[type(field)]
    if field.validators:
        load = _validated(load, field)
    return _nullable(load) if field.allow_none else load


def _dumper_of(field: fields.Field[Any]) -> Dump:
    if isinstance(field, fields.List):
        dump_one = _dumper_of(field.inner)
        dump: Dump = lambda value: [dump_one(one) for one in value]  # noqa: E731  (as the others)
    elif isinstance(field, fields.Nested) and not field.many:
        dump = dumper(field.schema)
    else:
        dump = _DUMPERS[type(field)]
    return lambda value: None if value is None else dump(value)


def _object(steps: Sequence[_Step], known: frozenset[str] | None) -> Load:
    def load(value: Any) -> dict[str, Any]:  # noqa: ANN401  (what JSON holds)
        if type(value) is not dict or (known is not None and not known.issuperset(value)):
            raise NotPlain
        loaded = {}
        for key, name, load_field, default in steps:
            if key in value:
                loaded[name] = load_field(value[key])
            elif default is not missing:
                loaded[name] = default()
        return loaded

    return load


def _list(load_one: Load) -> Load:
    def load(value: Any) -> list[Any]:  # noqa: ANN401
        if type(value) is not list:
            raise NotPlain
        return [load_one(one) for one in value]

    return load


def _validated(load: Load, field: fields.Field[Any]) -> Load:
    validators = tuple(field.validators)

    def load_and_check(value: Any) -> Any:  # noqa: ANN401
        loaded = load(value)
        try:
            for validate in validators:
                validate(loaded)
        except ValidationError as wrong:
            raise NotPlain from wrong
        return loaded

    return load_and_check


def _nullable(load: Load) -> Load:
    return lambda value: None if value is None else load(value)


def _exactly(kind: type) -> Load:
    def load(value: Any) -> Any:  # noqa: ANN401
        if type(value) is not kind:
            raise NotPlain
        return value

    return load


def _parsed(parse: Callable[[str], Any]) -> Load:
    def load(value: Any) -> Any:  # noqa: ANN401
        if type(value) is not str:
            raise NotPlain
        try:
            return parse(value)
        except ValueError as wrong:
            raise NotPlain from wrong

    return load


def _aware(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise NotPlain
    return moment


_LOADERS: Mapping[type, Load] = {
    fields.String: _exactly(str),
    fields.Boolean: _exactly(bool),
    fields.Integer: _exactly(int),
    fields.UUID: _parsed(UUID),
    fields.Date: _parsed(date.fromisoformat),
    fields.AwareDateTime: _parsed(_aware),
}
_DUMPERS: Mapping[type, Dump] = {
    fields.String: str,
    fields.Boolean: bool,
    fields.Integer: int,
    fields.UUID: str,
    fields.AwareDateTime: datetime.isoformat,
}
