"""Charts as paths of an SVG: bars, and bands where nothing was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 240
HEIGHT: Final = 48
_SMALLEST: Final = 1.5
"""The height of a bar that stands for one of many: never too small to be seen."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One series over one span; `missing` counts the points of which nothing is known."""

    bars: str
    gaps: str
    highest: int
    latest: int | None
    total: int
    missing: int


def draw(values: Sequence[int | None]) -> Chart:
    """Draw a bar for each value, from the left to the right; None was not measured."""
    known = [value for value in values if value is not None]
    highest = max(known, default=0)
    step = WIDTH / max(len(values), 1)
    bars = [
        _box(n * step, step * 0.8, max(value / highest * HEIGHT, _SMALLEST))
        for n, value in enumerate(values)
        if value
    ]
    gaps = [_box(n * step, step, HEIGHT) for n, value in enumerate(values) if value is None]
    return Chart(
        bars="".join(bars),
        gaps="".join(gaps),
        highest=highest,
        latest=known[-1] if known else None,
        total=sum(known),
        missing=len(values) - len(known),
    )


def _box(left: float, width: float, height: float) -> str:
    return f"M{left:.1f} {HEIGHT}v-{height:.1f}h{width:.1f}v{height:.1f}z"
