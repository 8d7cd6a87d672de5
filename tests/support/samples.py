"""Values of any dataclass, filled at random: what a producer might hold."""

import dataclasses
import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID, uuid4


def samples(kind: type[Any]) -> Iterator[Any]:
    """Give a value with everything set, and one with nothing that may be missing."""
    yield sample(kind, full=True)
    yield sample(kind, full=False)


def sample(kind: Any, *, full: bool) -> Any:
    """Return a value of an annotated type; `full` decides about what may be None."""
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        fields = [field.name for field in dataclasses.fields(kind) if field.init]
        values = {name: sample(hints[name], full=full) for name in fields}
        return kind(**{**values, **{name: _NAMED[name] for name in _NAMED if name in values}})  # type: ignore[operator]
    origin = get_origin(kind)
    if origin is None:
        return _PLAIN[kind]()
    return _generic(origin, get_args(kind), full=full)


def _generic(origin: Any, args: tuple[Any, ...], *, full: bool) -> Any:
    if origin in {Union, types.UnionType}:
        if not full and types.NoneType in args:
            return None
        return sample(next(arg for arg in args if arg is not types.NoneType), full=full)
    if issubclass(origin, Mapping):
        return {sample(args[0], full=full): sample(args[1], full=full)}
    made = [sample(args[0], full=full)]
    return tuple(made) if issubclass(origin, tuple | Sequence) else origin(made)


_NAMED = {"languages": ("es",), "county": "22033"}
_PLAIN: dict[Any, Any] = {
    UUID: uuid4,
    datetime: lambda: datetime.now(UTC),
    str: lambda: "some-code",
    int: lambda: 1,
    bool: lambda: True,
}
