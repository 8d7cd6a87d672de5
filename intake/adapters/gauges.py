"""What intake's worker measures of its database: clocks, never whose."""

from typing import Final

from shared.worker import Measure
from shared.worker.metrics import CLOCKS_OVERDUE

_CLOCKS = """
select 'draft' as clock, count(*) as value from (
  select from draft where expires_at <= now() order by expires_at limit %(most)s) d
union all
select 'key-destruction', count(*) from (
  select from person where erased_at is not null and key_destroyed_at is null
  order by person_id limit %(most)s) k
"""
MEASURES: Final = (Measure(CLOCKS_OVERDUE, ("clock",), _CLOCKS),)
