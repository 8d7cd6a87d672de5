"""Whole referrals through the real APIs: submitted, taken back now and then, answered by script.

What the system said yes to is kept in a ledger: that is what it has promised.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from services.local import machines
from services.sample import a_release
from tests.faults.callers import Caller, GaveUp
from tests.faults.looking import Onlooker
from tests.faults.system import System

NAME = "Zyxwellia Quandrymont"
PHONE = "225-555-0177"
BORN = "1979-03-17"
CANARIES = (NAME, "Zyxwellia", "Quandrymont", PHONE, BORN)
SUBMITTERS = 3
ANSWERERS = 6
_NEEDS = ("trauma-therapy", "peer-support", "legal-advocacy", "compensation-help")
_MOST_PARTNERS = 3
_LOOK_AGAIN = 0.3
_REVOKED, _WITHDRAWN = 0.06, 0.03
_LONGEST_THOUGHT = 5.0
_STEPS: Mapping[str, tuple[float, Sequence[tuple[str, Mapping[str, object] | None]]]] = {
    "leave": (0.004, ()),
    "keep": (0.004, (("acceptance", None),)),
    "decline": (0.352, (("decline", {"reason": "other"}),)),
    "dwell": (0.08, (("acceptance", None), ("closure", {"outcome": "ongoing-support"}))),
    "close": (0.20, (("acceptance", None), ("closure", {"outcome": "ongoing-support"}))),
    "contact": (
        0.36,
        (
            ("acceptance", None),
            ("contact", {"kind": "contacted"}),
            ("closure", {"outcome": "service-completed"}),
        ),
    ),
}
# Long enough for a person to take a release back that a partner has accepted on.
_DWELLS, _DWELL_SECONDS = "dwell", 8.0
_CAN = {
    "acceptance": "accept",
    "decline": "decline",
    "contact": "contact",
    "closure": "close",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission from its first try to its answer; `failed_at` if the first try failed."""

    begun: float
    ended: float
    failed_at: float | None = None


@dataclass(slots=True)
class Ledger:
    """What was answered with yes, with the moment of the answer where it matters."""

    submitted: dict[UUID, Sent] = field(default_factory=dict)
    revoked: dict[UUID, float] = field(default_factory=dict)
    withdrawn: dict[UUID, float] = field(default_factory=dict)
    done: dict[tuple[str, str], float] = field(default_factory=dict)
    """Steps of partners, by the offer's reference and the step."""
    refused: list[str] = field(default_factory=list)
    """Answers that no script foresees."""


@dataclass(slots=True)
class _Thought:
    """A release or a whole referral that the person will take back."""

    due: float
    path: str
    kept_in: dict[UUID, float]
    what: UUID


class _Unforeseen(Exception):
    """An answer that no script foresees."""


def noted(died: list[str], act: Callable[..., None], *given: object) -> None:
    """Do something in a thread; what ends it before its time is added to `died`."""
    try:
        act(*given)
    except GaveUp:
        return  # the run is over
    except Exception as failure:  # noqa: BLE001  (whatever it is, the run has to know)
        died.append(f"{act.__qualname__}: {failure!r}")


class Load:
    """Runs the agency's and the partners' systems until it is told that enough came in."""

    def __init__(self, system: System, seed: int, *, rate: float) -> None:
        """Submit `rate` referrals a second until told to stop."""
        self.ledger = Ledger()
        self._system = system
        self._seed = seed
        self._rate = rate
        self._begun = time.monotonic()
        self._number = 0
        self._lock = threading.Lock()
        self._no_more = threading.Event()
        self._stop = threading.Event()
        self._thoughts: deque[_Thought] = deque()
        self._secrets = machines.client_secrets(system.place.folder)
        self._fitting: Mapping[str, Sequence[str]] = {}
        self.died: list[str] = []
        self._submitters = [self._thread(self._submit) for _ in range(SUBMITTERS)]
        self._others = [self._thread(self._take_back)]
        partners = machines.partner_systems(system.place.folder.site / "members.csv")
        for number in range(ANSWERERS):
            mine = partners[number::ANSWERERS]
            self._others.append(self._thread(self._answer, mine))
        onlooker = Onlooker(system, NAME, self._stop)
        self.looks = onlooker.looks
        self._others.append(self._thread(onlooker.run))
        self.done = self.ledger.done
        self.callers: list[Caller] = []
        self._steps: dict[str, int] = {}
        self._dwells: dict[str, float] = {}

    def start(self) -> None:
        """Ask which partners fit, then begin."""
        matching = self._caller("routing", machines.INTAKE)
        self._fitting = {need: _fitting(matching, need) for need in _NEEDS}
        self._begun = time.monotonic()
        for thread in (*self._submitters, *self._others):
            thread.start()

    @property
    def is_submitting(self) -> bool:
        """Tell whether referrals still come in."""
        return any(thread.is_alive() for thread in self._submitters)

    @property
    def is_answering(self) -> bool:
        """Tell whether a partner found something to do in its last round, or soon will."""
        return any(self._steps.values()) or any(
            until > time.time() for until in [*self._dwells.values()]
        )

    @property
    def has_thoughts(self) -> bool:
        """Tell whether somebody will still take something back."""
        return bool(self._thoughts)

    def no_more(self) -> None:
        """Let nothing new come in; what has come in is answered on."""
        self._no_more.set()

    def stop(self) -> None:
        """End every system."""
        self._no_more.set()
        self._stop.set()
        for thread in (*self._submitters, *self._others):
            thread.join()
        for caller in self.callers:
            caller.close()

    def _thread(self, act: Callable[..., None], *given: object) -> threading.Thread:
        return threading.Thread(target=noted, args=(self.died, act, *given), daemon=True)

    def _caller(self, service: str, client: str) -> Caller:
        system = self._system
        secret = self._secrets[client]
        caller = Caller(system.place.issuer, system.urls[service], client, secret, self._stop)
        self.callers.append(caller)
        return caller

    def _next(self) -> int | None:
        """Return the number of the next referral when it is due; None when there is none."""
        with self._lock:
            number = self._number
            self._number += 1
        due = self._begun + number / self._rate
        return None if self._no_more.wait(max(0.0, due - time.monotonic())) else number

    def _submit(self) -> None:
        agency = self._caller("intake", machines.AGENCY_SYSTEM)
        while (number := self._next()) is not None:
            chance = random.Random(f"{self._seed} referral {number}")
            self._submit_one(agency, chance, f"faults-{self._seed}-{number}")

    def _submit_one(self, agency: Caller, chance: random.Random, key: str) -> None:
        begun = time.time()
        answer = agency.post("/referrals", self._intake(chance), key=key)
        if answer.status != HTTPStatus.ACCEPTED:
            self.ledger.refused.append(f"submit: {answer.status} {answer.body}")
            return
        referral_id = UUID(answer.body["referral_id"])
        self.ledger.submitted[referral_id] = Sent(begun, time.time(), answer.failed_at)
        path = f"/referrals/{referral_id}"
        due = time.monotonic() + chance.triangular(0.0, _LONGEST_THOUGHT, 0.0)
        turn = chance.random()
        if turn < _REVOKED:
            release = answer.body["releases"][0]["release_id"]
            where = f"{path}/releases/{release}/revocation"
            self._thoughts.append(_Thought(due, where, self.ledger.revoked, UUID(release)))
        elif turn < _REVOKED + _WITHDRAWN:
            where = f"{path}/withdrawal"
            self._thoughts.append(_Thought(due, where, self.ledger.withdrawn, referral_id))

    def _take_back(self) -> None:
        agency = self._caller("intake", machines.AGENCY_SYSTEM)
        while not self._stop.is_set():
            if not self._thoughts or self._thoughts[0].due > time.monotonic():
                time.sleep(0.05)
                continue
            thought = self._thoughts[0]
            answer = agency.post(thought.path)
            if answer.status == HTTPStatus.OK:
                thought.kept_in[thought.what] = time.time()
            else:
                self.ledger.refused.append(f"{thought.path}: {answer.status}")
            self._thoughts.popleft()

    def _answer(self, clients: Sequence[str]) -> None:
        partners = [self._caller("routing", client) for client in clients]
        while not self._stop.is_set():
            steps = 0
            for partner in partners:
                for offer in self._body(partner, "/offers")["offers"]:
                    steps += self._answer_one(partner, offer)
            self._steps[clients[0]] = steps
            if not steps:
                time.sleep(_LOOK_AGAIN)

    def _answer_one(self, partner: Caller, offer: Mapping[str, Any]) -> int:
        """Take the steps of the offer's script that are open; return how many were tried."""
        reference, path = offer["reference"], f"/offers/{offer['reference']}"
        if offer["must_stop"]:
            partner.post_once(f"{path}/stop-confirmation")
            return 1
        left = self._left(reference)
        if not left:
            return 0
        is_new = offer["state"] == "offered"
        can = ["accept", "decline"] if is_new else self._body(partner, path)["can"]
        tried = 0
        for step, body in left:
            if _CAN[step] not in can:
                continue
            answer = partner.post_once(f"{path}/{step}", body)
            tried += 1
            if answer is None or answer.status != HTTPStatus.OK:
                break
            self.done[reference, step] = time.time()
            can = () if self._dwells_on(reference, step) else answer.body["can"]
        return tried

    def _body(self, partner: Caller, path: str) -> Any:
        answer = partner.get(path)
        if answer.status != HTTPStatus.OK:
            raise _Unforeseen(f"{path}: {answer.status} {answer.body}")
        return answer.body

    def _left(self, reference: str) -> Sequence[tuple[str, Mapping[str, object] | None]]:
        """Return the steps of an offer's script that are to be taken now."""
        if self._dwells.get(reference, 0.0) > time.time():
            return ()
        steps = _STEPS[self._script(reference)][1]
        return [step for step in steps if (reference, step[0]) not in self.done]

    def _dwells_on(self, reference: str, step: str) -> bool:
        """Tell whether a step is followed by a pause, and begin it."""
        dwells = (self._script(reference), step) == (_DWELLS, "acceptance")
        if dwells:
            self._dwells[reference] = time.time() + _DWELL_SECONDS
        return dwells

    def _script(self, reference: str) -> str:
        chance = random.Random(f"{self._seed} offer {reference}")
        return chance.choices([*_STEPS], [share for share, _ in _STEPS.values()])[0]

    def _intake(self, chance: random.Random) -> dict[str, object]:
        need = chance.choice(_NEEDS)
        fitting = self._fitting[need]
        partners = chance.sample(fitting, min(len(fitting), chance.randint(1, _MOST_PARTNERS)))
        call = {
            "channel": "call",
            "address": PHONE,
            "leave_message_ok": False,
            "identify_agency_ok": False,
            "ask_for": NAME,
            "who_may_answer": NAME,
            "when": f"after {BORN}",
        }
        releases = [a_release(chance, partner, rank) for rank, partner in enumerate(partners, 1)]
        return {
            "person": {
                "pseudonym": NAME,
                "name": f"{NAME} {BORN}",
                "age_band": "25-59",
                "languages": ["en"],
                "interpreter": False,
            },
            "contact": {
                "route": "partner-contacts",
                "code_word": "Quandrymont",
                "channels": [call],
                "confirmed_at": datetime.now(UTC).isoformat(),
            },
            "encounter": {"role": "directly-injured", "happened_on": BORN},
            "wishes": {"needs": [need], "urgency": "routine", "county": "22033"},
            "releases": [
                release | {"statement": f"I, {NAME}, allow my advocate to share this."}
                for release in releases
            ],
        }


def _fitting(matching: Caller, need: str) -> Sequence[str]:
    facts = {
        "age_band": "25-59",
        "languages": ["en"],
        "interpreter": False,
        "needs": [need],
        "urgency": "routine",
        "county": "22033",
        "preferences": [],
        "access_needs": [],
        "contact_route": "partner-contacts",
    }
    answer = matching.post("/previews", {"facts": facts, "barred_partners": []})
    assert answer.status == HTTPStatus.OK, answer
    return [partner["partner_id"] for partner in answer.body["partners"] if partner["fits"]]
