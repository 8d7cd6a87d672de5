"""Charts are paths: a bar for what is known, a band for what is not."""

from shared.http.ops.charts import HEIGHT, WIDTH, draw


def test_the_highest_value_reaches_the_top_and_the_others_are_in_proportion() -> None:
    chart = draw([5, 10, 0])

    assert chart.bars == "M0.0 48v-24.0h64.0v24.0zM80.0 48v-48.0h64.0v48.0z"
    assert (chart.highest, chart.latest, chart.total, chart.missing) == (10, 0, 15, 0)


def test_one_of_many_is_still_seen() -> None:
    chart = draw([1, 100_000])

    assert "v-1.5h" in chart.bars


def test_what_was_not_measured_is_a_band_and_no_zero() -> None:
    chart = draw([None, 3])

    assert chart.gaps == f"M0.0 {HEIGHT}v-{HEIGHT}.0h{WIDTH / 2}v{HEIGHT}.0z"
    assert (chart.missing, chart.latest, chart.total) == (1, 3, 3)


def test_nothing_measured_at_all_is_no_number() -> None:
    chart = draw([None, None])

    assert (chart.bars, chart.latest, chart.missing) == ("", None, 2)
