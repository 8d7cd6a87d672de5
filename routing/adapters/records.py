"""Domain objects as JSON for the database, and back: ids and times as strings, tuples as lists."""

import dataclasses
import types
from collections.abc import Hashable, Mapping
from datetime import date, datetime, time
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

T = TypeVar("T")

_AS_IT_IS = frozenset({str, int, float, bool, types.NoneType})


def to_json(value: Any) -> Any:  # noqa: ANN401  (any domain value)
    """Return a domain value as what JSON holds."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind in {tuple, list}:
        return [to_json(item) for item in value]
    if kind is UUID:
        return str(value)
    if names := field_names(cast("Hashable", kind)):
        return {name: to_json(getattr(value, name)) for name in names}
    return _rarer_to_json(value)


def _rarer_to_json(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(to_json(item) for item in value)
    return value.isoformat() if isinstance(value, date | time) else value


@cache
def field_names(kind: Hashable) -> tuple[str, ...]:
    """Return the names of a dataclass's fields; none for another type."""
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return ()
    return tuple(field.name for field in dataclasses.fields(kind))


def columns(value: object) -> dict[str, Any]:
    """Return the fields of a dataclass's instance, as they are."""
    return {name: getattr(value, name) for name in field_names(cast("Hashable", type(value)))}


def from_json(kind: type[T], value: Any) -> T:  # noqa: ANN401  (any JSON)
    """Return the domain value of a dataclass from its JSON."""
    made: T = _read(kind, value)
    return made


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401
    if value is None:
        return None
    if dataclasses.is_dataclass(kind):
        return _read_object(kind, value)
    origin = get_origin(kind)
    if origin is not None:
        return _read_generic(origin, get_args(kind), value)
    if kind is UUID:
        return UUID(value)
    return kind.fromisoformat(value) if kind in {date, datetime, time} else value


def _read_object(kind: Any, value: Mapping[str, Any]) -> Any:  # noqa: ANN401
    hints = _hints(kind)
    return kind(**{name: _read(hints[name], item) for name, item in value.items()})


def _read_generic(origin: Any, args: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401
    if origin in {Union, types.UnionType}:
        return _read(next(arg for arg in args if arg is not types.NoneType), value)
    if origin is tuple:
        return tuple(_read(args[0], item) for item in value)
    if issubclass(origin, Mapping):
        return {_read(args[0], key): _read(args[1], item) for key, item in value.items()}
    return frozenset(_read(args[0], item) for item in value)


@cache
def _hints(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    return get_type_hints(kind)
