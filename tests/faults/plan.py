"""When which fault happens: drawn from the seed, kept apart where two would hide each other."""

import itertools
import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from services.databases import SERVICES
from tests.faults.acts import Act, tracks
from tests.faults.run import BROKER, DATABASE, Run

Kill = tuple[str, signal.Signals]
_LAST = 0.95
_PROCESSES = [f"{service}-{kind}" for service in SERVICES for kind in ("web", "worker")]
_SIGNALS = (signal.SIGKILL, signal.SIGTERM)


@dataclass(slots=True)
class Track:
    """Acts one after the other: the next begins at its share of the run, the last one over."""

    acts: list[tuple[float, Act]]
    _now: tuple[Act, AbstractContextManager[None], float] | None = None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more will happen."""
        return not self.acts and self._now is None

    @property
    def touched(self) -> frozenset[str]:
        """What must be left alone now."""
        return self._now[0].touches if self._now else frozenset()

    def step(self, run: Run, progress: float, busy: frozenset[str]) -> None:
        """End what has lasted long enough; begin what is due and meets nobody."""
        if self._now is not None:
            if time.monotonic() >= self._now[2]:
                (act, happening, _), self._now = self._now, None
                happening.__exit__(None, None, None)
                run.say(f"over: {act.name}")
            return
        if not self.acts or self.acts[0][0] > progress or self.acts[0][1].touches & busy:
            return
        act = self.acts.pop(0)[1]
        run.say(act.name)
        happening = act.happen(run)
        happening.__enter__()
        run.faults[act.name] += 1
        self._now = act, happening, time.monotonic() + act.seconds


@dataclass(slots=True)
class Plan:
    """The faults of one run: `kills` at shares of the run, and tracks of acts."""

    kills: list[tuple[float, Kill]]
    tracks: Sequence[Track]
    _late: list[Kill] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Tell whether everything has happened and is whole again."""
        return not self.kills and not self._late and all(track.is_over for track in self.tracks)

    def step(self, run: Run, progress: float) -> None:
        """Let happen what is due."""
        for track in self.tracks:
            others = [other.touched for other in self.tracks if other is not track]
            track.step(run, progress, frozenset().union(*others))
        while self.kills and self.kills[0][0] <= progress:
            self._late.append(self.kills.pop(0)[1])
        busy: frozenset[str] = frozenset().union(*(track.touched for track in self.tracks))
        run.keep_servers_alive(busy)
        ready = next((kill for kill in self._late if kill[0] not in busy), None)
        if ready is not None:
            self._late.remove(ready)
            run.end(*ready)


def draw(chance: random.Random, *, seconds: float, kills: int) -> Plan:
    """Draw the faults of a run that lasts about that long."""
    deck = _kills(chance)
    moments = sorted(chance.uniform(0.02, _LAST) for _ in range(kills))
    found = [Track(_spread(acts, chance)) for acts in tracks(seconds, chance)]
    return Plan([(moment, next(deck)) for moment in moments], found)


def _spread(acts: list[Act], chance: random.Random) -> list[tuple[float, Act]]:
    share = _LAST / len(acts)
    return [((n + chance.uniform(0.0, 0.3)) * share, act) for n, act in enumerate(acts)]


def _kills(chance: random.Random) -> Iterator[Kill]:
    """Give each kind of process and signal once, in any order, then again and again.

    Broker and database come in every third round: each of their ends stops everybody.
    """
    processes = list(itertools.product(_PROCESSES, _SIGNALS))
    servers = list(itertools.product((BROKER, DATABASE), _SIGNALS))
    for number in itertools.count():
        deck = processes + (servers if number % 3 == 0 else [])
        chance.shuffle(deck)
        yield from deck
