"""The demo's own receiver of webhooks: it checks the signature and keeps what came, as text.

Signatures are those of Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`.
"""

import base64
import csv
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from werkzeug.datastructures import Headers

_TOLERANCE_SECONDS = 300
_KEPT = 200
_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook that came with a right signature."""

    at: float
    receiver: str
    webhook_id: str
    body: str


def endpoint_secrets(site: Path) -> dict[str, str]:
    """Return the signing secret of each webhook receiver named by the site's contact points."""
    with (site / "contact_points.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["address"].rsplit("/", 1)[-1]: row["secret"]
            for row in csv.DictReader(file)
            if row["channel"] == "webhook"
        }


def is_signed(secret: str, headers: Headers, body: bytes, *, now: float) -> bool:
    """Tell whether a webhook was signed with the secret within the last five minutes."""
    name, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not moment.isdigit() or abs(now - int(moment)) > _TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{name}.{moment}.".encode() + body
    right = base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(f"v1,{right}", one) for one in given)


def keep(folder: Path, receiver: str, webhook_id: str, body: bytes) -> None:
    """Keep a webhook; the oldest go when there are many."""
    hook = Hook(time.time(), receiver, webhook_id, body.decode(errors="replace"))
    new = folder / f"{time.time_ns():020d}.json.tmp"
    new.write_text(json.dumps(asdict(hook)), encoding="utf-8")
    new.replace(new.with_suffix(""))
    for old in _files(folder)[_KEPT:]:
        old.unlink(missing_ok=True)


def received(folder: Path) -> Iterator[Hook]:
    """Give the kept webhooks, the newest first; one that goes meanwhile is left out."""
    for file in _files(folder):
        with suppress(FileNotFoundError):
            yield Hook(**json.loads(file.read_text(encoding="utf-8")))


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"), reverse=True)
