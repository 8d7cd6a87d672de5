"""How a ratio comes out of alternating pairs."""

from collections.abc import Mapping

import pytest

from bench.pairs import Bench, Pair, Result, alternate, table

THROUGHPUT = Bench("throughput", "events/s", must=0.35, aim=0.5, better="higher")
DELAY = Bench("delay", "ms", must=1.3, aim=1.05, better="lower")


def test_the_sides_are_measured_in_turn_and_the_median_of_the_pairs_ratios_counts() -> None:
    order: list[str] = []
    figures = iter([10.0, 20.0, 30.0, 20.0, 99.0, 20.0])

    def side(name: str) -> Mapping[str, float]:
        order.append(name)
        return {"throughput": next(figures)}

    [result] = alternate([THROUGHPUT], lambda: side("ours"), lambda: side("peer"), 3)

    assert order == ["ours", "peer"] * 3
    assert [pair.ratio for pair in result.pairs] == [0.5, 1.5, 99 / 20]
    assert result.ratio == 1.5


@pytest.mark.parametrize(
    ("bench", "ratio", "verdict"),
    [
        (THROUGHPUT, 0.5, "aim"),
        (THROUGHPUT, 0.49, "must"),
        (THROUGHPUT, 0.34, "missed"),
        (DELAY, 1.05, "aim"),
        (DELAY, 1.2, "must"),
        (DELAY, 1.31, "missed"),
        (Bench("scale", "events/s", must=None, aim=None, better="higher"), 2.0, ""),
    ],
)
def test_a_goal_is_reached_from_its_better_side(bench: Bench, ratio: float, verdict: str) -> None:
    assert Result(bench, [Pair(ratio)]).verdict() == verdict


def test_a_missed_goal_stays_in_the_table_with_its_spread() -> None:
    result = Result(THROUGHPUT, [Pair(1.0, 10.0), Pair(2.0, 10.0), Pair(3.0, 10.0)])

    row = table([result]).splitlines()[-1]

    assert [cell.strip() for cell in row.split("|")[1:9]] == [
        *("throughput", "2", "10", "events/s", "0.2"),
        *("0.1 to 0.3", "≥ 0.35", "≥ 0.5"),
    ]
    assert "missed" in row
