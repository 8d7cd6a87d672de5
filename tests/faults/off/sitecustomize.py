"""Puts a process's clock HOURS_OFF hours off: Python imports this first from its PYTHONPATH.

Only the clock on the wall: what is slept and what is measured stay right.
"""

import os
from datetime import UTC, datetime, timedelta

import time_machine

off = timedelta(hours=float(os.environ["HOURS_OFF"]))
time_machine.travel(datetime.now(UTC) + off, tick=True).start()
