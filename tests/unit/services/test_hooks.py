import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from werkzeug.datastructures import Headers

from services.local import hooks

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
BODY = json.dumps({"type": "referral.offered"})


def headers(moment: datetime | None = None, secret: str = SECRET) -> Headers:
    moment = moment or datetime.now(UTC)
    signature = Webhook(secret).sign("msg-1", moment, BODY)
    return Headers(
        {
            "Webhook-Id": "msg-1",
            "Webhook-Timestamp": str(int(moment.timestamp())),
            "Webhook-Signature": signature,
        }
    )


def test_a_call_signed_by_the_reference_implementation_is_taken() -> None:
    assert hooks.is_signed(SECRET, headers(), BODY.encode(), now=time.time())


@pytest.mark.parametrize(
    ("given", "body"),
    [
        (headers(secret="whsec_" + base64.b64encode(b"x" * 32).decode()), BODY.encode()),
        (headers(), BODY.encode() + b" "),
        (headers(datetime(2020, 1, 1, tzinfo=UTC)), BODY.encode()),
        (Headers(), BODY.encode()),
    ],
    ids=["another secret", "a changed body", "long ago", "no signature"],
)
def test_a_call_with_a_wrong_signature_is_refused(given: Headers, body: bytes) -> None:
    assert not hooks.is_signed(SECRET, given, body, now=time.time())


def test_received_calls_are_listed_with_the_newest_first(tmp_path: Path) -> None:
    hooks.keep(tmp_path, "cypress", "msg-1", b"{}")
    hooks.keep(tmp_path, "magnolia", "msg-2", b"{}")

    assert [hook.webhook_id for hook in hooks.received(tmp_path)] == ["msg-2", "msg-1"]


def test_the_sample_site_names_its_receivers() -> None:
    site = Path(__file__).parents[3] / "deploy" / "sites" / "baton-rouge"

    assert set(hooks.endpoint_secrets(site)) == {"cypress", "magnolia"}
