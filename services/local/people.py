"""The ready users of a demo, from the site's members."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_WORDS = {
    "advocate": "advocate",
    "agency_admin": "administrator of the agency",
    "coordinator": "coordinator",
    "partner": "partner staff",
    "partner_admin": "administrator of a partner",
    "operator": "operator",
    "monitor": "monitor",
}


@dataclass(frozen=True, slots=True)
class ReadyUser:
    """Somebody who can sign in with one click; `roles` says as what."""

    subject: str
    name: str
    roles: str


def ready_users(site: Path) -> list[ReadyUser]:
    """Return who can sign in, each once with all their roles; machine clients are not people."""
    found: dict[str, ReadyUser] = {}
    for row in _members(site):
        if row["role"] not in _WORDS:
            continue
        word = _WORDS[row["role"]]
        before = found.get(row["subject"])
        roles = before.roles.split(", ") if before else []
        if word not in roles:
            roles.append(word)
        found[row["subject"]] = ReadyUser(row["subject"], row["name"], ", ".join(roles))
    return list(found.values())


def one_for_each_role(users: Sequence[ReadyUser]) -> list[ReadyUser]:
    """Return the first user of each role."""
    first: dict[str, ReadyUser] = {}
    for user in users:
        first.setdefault(user.roles, user)
    return list(first.values())


def _members(site: Path) -> list[dict[str, str]]:
    with (site / "members.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
