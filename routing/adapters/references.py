"""References of offers that people can say on the phone: WH-7K3F-92."""

import secrets
from collections.abc import Callable
from typing import Final

from shared.db import Tx

_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_DIGITS: Final = "0123456789"


def free_references(tx: Tx, count: int, pick: Callable[[str], str] = secrets.choice) -> list[str]:
    """Return at least `count` references that no offer has.

    There are 81 million: one in some thousand new ones is taken where many offers are stored.
    """
    found: list[str] = []
    while len(found) < count:
        found += [row["reference"] for row in tx.execute(FREE, (invented(count, pick),))]
    return found


def invented(count: int, pick: Callable[[str], str] = secrets.choice) -> list[str]:
    """Return up to `count` new references; FREE tells which of them no offer has."""
    return list({_invented(pick) for _ in range(count)})


def _invented(pick: Callable[[str], str]) -> str:
    letters = "".join(pick(_LETTERS) for _ in range(4))
    return f"WH-{letters}-{''.join(pick(_DIGITS) for _ in range(2))}"


FREE: Final = """
select invented.reference from unnest(%s::text[]) as invented (reference)
where not exists (select from offer where offer.reference = invented.reference)
"""
