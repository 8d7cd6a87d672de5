"""Fills a running demo with life: invented intakes and partners' answers, through the real API.

Nothing here has a shortcut: every intake is submitted with its releases by the agency's system,
and every answer is given by the partner's own system, each with an access token of its own.
"""

import base64
import math
import random
import struct
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import requests

from services.local import machines
from services.local.folder import Folder, Refused
from services.local.ports import issuer
from shared.contracts import codes
from shared.site import Site, load_site

_SECONDS = 30.0
_TOKEN_SECONDS = 300.0
_MOST_PARTNERS = 3
_NEEDS = tuple(need for need in codes.NEEDS if need not in codes.PROTECTED_NEEDS)
_WORDS = ("Cedar", "Heron", "Maple", "River", "Willow", "Fern", "Juniper", "Harbor", "Lark")


@dataclass(slots=True)
class Caller:
    """A machine client of one API; its token is renewed in time."""

    issuer: str
    api: str
    client: str
    secret: str = field(repr=False)
    _session: requests.Session = field(default_factory=requests.Session, repr=False)
    _token_at: float = -math.inf

    def get(self, path: str) -> Any:  # noqa: ANN401  (JSON)
        """Return what the API answers."""
        return self._call("GET", path)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401
        """Send a body and return what the API answers; a conflict is an answer too."""
        return self._call("POST", path, json=body, headers={"Idempotency-Key": f'"{uuid4()}"'})

    def _call(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401
        if time.monotonic() - self._token_at > _TOKEN_SECONDS:
            self._renew()
        answer = self._session.request(method, f"{self.api}{path}", timeout=_SECONDS, **more)
        if answer.status_code != requests.codes.conflict:
            answer.raise_for_status()
        return answer.json()

    def _renew(self) -> None:
        answer = requests.post(
            f"{self.issuer}/oauth2/token",
            data={"grant_type": "client_credentials", "audience": self.api.removesuffix("/api")},
            auth=(self.client, self.secret),
            timeout=_SECONDS,
        )
        answer.raise_for_status()
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self._token_at = time.monotonic()


class Sample:
    """Invents intakes and answers for the demo that runs on a data folder."""

    def __init__(self, folder: Folder, chance: random.Random) -> None:
        """Find the running demo.

        Raises:
            Refused: none runs on this folder.

        """
        origin = folder.holder().split(" ", 1)[0]
        if not origin or not _answers(origin):
            raise Refused(f"No demo runs on {folder.path}: start one with `make demo`.")
        self._chance = chance
        self._site = load_site(folder.site)
        secrets = machines.client_secrets(folder)
        provider = issuer(folder.ports("provider")["provider"])

        def caller(api: str, client: str) -> Caller:
            return Caller(provider, f"{origin}/{api}/api", client, secrets[client])

        self._agency = caller("intake", machines.AGENCY_SYSTEM)
        self._matching = caller("routing", machines.INTAKE)
        partners = machines.partner_systems(folder.site / "members.csv")
        self._partners = [caller("routing", client) for client in partners]

    def intake(self) -> bool:
        """Submit one intake, if a partner fits it; return whether one did."""
        person, wishes = _person(self._chance, self._site), _wishes(self._chance, self._site)
        partners = self._fitting(person, wishes)
        if not partners:
            return False
        self._agency.post(
            "/referrals",
            {
                "person": person,
                "contact": {"route": "through-advocate"},
                "encounter": {"role": self._chance.choice(codes.ROLES[:3])},
                "wishes": wishes,
                "releases": [
                    a_release(self._chance, partner, rank)
                    for rank, partner in enumerate(partners, 1)
                ],
            },
        )
        return True

    def answers(self) -> int:
        """Let every partner answer most of the offers that wait; return how many answers."""
        given = 0
        for partner in self._partners:
            for offer in partner.get("/offers")["offers"]:
                given += self._answer(partner, offer)
        return given

    def _fitting(self, person: Mapping[str, Any], wishes: Mapping[str, Any]) -> list[str]:
        facts = {
            **{name: person[name] for name in ("age_band", "languages", "interpreter")},
            **wishes,
            "access_needs": person["access_needs"],
            "contact_route": "through-advocate",
        }
        found = self._matching.post("/previews", {"facts": facts, "barred_partners": []})
        fits = [partner["partner_id"] for partner in found["partners"] if partner["fits"]]
        return fits[: self._chance.randint(1, _MOST_PARTNERS)]

    def _answer(self, partner: Caller, offer: Mapping[str, Any]) -> int:
        path = f"/offers/{offer['reference']}"
        step = self._chance.choices(list(_STEPS), [share for share, _ in _STEPS.values()])[0]
        actions = _STEPS[step][1]
        done = 0
        for action, body in actions:
            can = partner.get(path)["can"]
            if _CAN[action] not in can:
                break
            partner.post(f"{path}/{action}", body(self._chance) if body else None)
            done = 1
        return done


_REPORTS_BACK = 0.7
_RELEASE_DAYS = 30
_Body = Callable[[random.Random], Mapping[str, object]] | None
_ACCEPT: tuple[str, _Body] = ("acceptance", None)
_CONTACT: tuple[str, _Body] = (
    "contact",
    lambda chance: {"kind": chance.choice(codes.CONTACT_KINDS)},
)
_START: tuple[str, _Body] = ("service-start", None)
_CLOSE: tuple[str, _Body] = ("closure", lambda chance: {"outcome": chance.choice(codes.OUTCOMES)})
_DECLINE: tuple[str, _Body] = (
    "decline",
    lambda chance: {"reason": chance.choice(codes.DECLINE_REASONS)},
)
# What happens to a waiting offer, each with its share.
_STEPS: Mapping[str, tuple[float, Sequence[tuple[str, _Body]]]] = {
    "leave": (0.30, ()),
    "decline": (0.15, (_DECLINE,)),
    "accept": (0.20, (_ACCEPT,)),
    "contact": (0.15, (_ACCEPT, _CONTACT)),
    "start": (0.10, (_ACCEPT, _CONTACT, _START)),
    "close": (0.10, (_ACCEPT, _CONTACT, _START, _CLOSE)),
}
_CAN = {
    "acceptance": "accept",
    "decline": "decline",
    "contact": "contact",
    "service-start": "service-start",
    "closure": "close",
}


def a_release(chance: random.Random, partner_id: str, rank: int) -> dict[str, object]:
    """Return an invented release to a partner, as the API takes it."""
    report_back = codes.REPORT_BACK_ITEMS if chance.random() < _REPORTS_BACK else ()
    return {
        "partner_id": partner_id,
        "rank": rank,
        "items": ["needs", "facts", "name", "contact"],
        "report_back": list(report_back),
        "expires_on": (datetime.now(UTC) + timedelta(days=_RELEASE_DAYS)).date().isoformat(),
        "statement": "I allow my advocate to share what is named here. An invented release.",
        "signature": {"method": "drawn", "content": base64.b64encode(_line()).decode()},
    }


def _person(chance: random.Random, site: Site) -> dict[str, Any]:
    language = chance.choices(site.languages, [6, *([1] * (len(site.languages) - 1))])[0]
    return {
        "pseudonym": f"{chance.choice(_WORDS)} {chance.randint(10, 99)}",
        "age_band": chance.choice(codes.ADULT_AGE_BANDS),
        "languages": [language],
        "interpreter": False,
        "access_needs": [],
    }


def _wishes(chance: random.Random, site: Site) -> dict[str, Any]:
    counties = list(site.counties)
    return {
        "needs": sorted(chance.sample(_NEEDS, chance.randint(1, 2))),
        "urgency": chance.choices(codes.URGENCIES, [1, 3, 6])[0],
        "county": chance.choices(counties, [8, *([1] * (len(counties) - 1))])[0],
        "preferences": [],
    }


def _answers(origin: str) -> bool:
    try:
        return requests.get(f"{origin}/intake/healthz", timeout=2).ok
    except requests.RequestException:
        return False


def _line() -> bytes:
    """Return a small picture (PNG, 60 by 20) of a line, in place of a signature."""
    width, height = 60, 20
    rows = [
        b"\0" + bytes(0 if x * height // width == y else 255 for x in range(width))
        for y in range(height)
    ]
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
