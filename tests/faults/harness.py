"""A whole run: load and faults together, then rest, then the checks."""

import random
import time
from dataclasses import dataclass

from tests.faults.acts import stuck
from tests.faults.checks import Verdicts, check
from tests.faults.evidence import gather
from tests.faults.load import Load
from tests.faults.plan import draw
from tests.faults.report import table
from tests.faults.run import Run
from tests.faults.settling import settle
from tests.faults.system import a_system

_TICK = 0.05


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is: for some seconds, or until `referrals` have come in, `rate` a second."""

    seconds: float
    kills: int
    rate: float
    referrals: int | None = None


def carry_out(seed: int, size: Size) -> tuple[str, Verdicts]:
    """Do one run; return its table and what is wrong."""
    chance = random.Random(seed)
    with a_system() as system:
        load = Load(system, seed, rate=size.rate)
        run = Run(system, load, chance)
        begun = time.monotonic()
        load.start()
        try:
            _let_happen(run, size)
            stuck(run, chance.choice(["routing", "notifications"]))
            minutes = (time.monotonic() - begun) / 60
            settled = settle(run)
        finally:
            load.stop()
        found = gather(run)
        verdicts = check(run, settled, found)
        text = table(
            seed=seed,
            minutes=minutes,
            run=run,
            settled=settled,
            found=found,
            verdicts=verdicts,
        )
        return text, verdicts


def _let_happen(run: Run, size: Size) -> None:
    plan = draw(run.chance, seconds=size.seconds, kills=size.kills)
    begun = time.monotonic()
    while True:
        progress = (time.monotonic() - begun) / size.seconds
        if size.referrals:
            progress = len(run.load.ledger.submitted) / size.referrals
        if progress >= 1 and plan.is_over:
            return
        plan.step(run, progress)
        time.sleep(_TICK)
