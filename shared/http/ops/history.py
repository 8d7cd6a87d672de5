"""The last hour and the last day of a pipeline, from the samples that its worker keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.db.pool import Tx
from shared.http.ops.charts import Chart, draw

SERIES: Final = ("events_out", "events_in", "leaving", "reading", "held", "parked")
FLOWS: Final = ("events_out", "events_in")
"""Counted in each span of time; the others are the most that waited in it."""


@dataclass(frozen=True, slots=True)
class History:
    """One span in equal steps: the rows of its table, and a chart for each series."""

    step_minutes: int
    rows: Sequence[Mapping[str, Any]]
    charts: Mapping[str, Chart]


def read_history(tx: Tx) -> tuple[History, History]:
    """Return the last hour by the minute and the last day by the quarter of an hour."""
    return _read(tx, 1, 60), _read(tx, 15, 96)


def _read(tx: Tx, step_minutes: int, steps: int) -> History:
    rows = tx.execute(_SAMPLES, {"step": step_minutes, "steps": steps}).fetchall()
    charts = {name: draw([row[name] for row in rows]) for name in SERIES}
    return History(step_minutes, rows, charts)


_SAMPLES: Final = """
with step as (select make_interval(mins => %(step)s) as span),
last as (select date_bin(span, now(), 'epoch') as at from step)
select begins, sum(s.events_out)::bigint as events_out, sum(s.events_in)::bigint as events_in,
  max(s.leaving) as leaving, max(s.reading) as reading, max(s.held) as held,
  max(s.parked) as parked
from step, last, generate_series(at - (%(steps)s - 1) * span, at, span) as begins
left join pipeline_sample s on s.minute >= begins and s.minute < begins + (select span from step)
group by begins order by begins
"""
