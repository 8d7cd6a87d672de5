"""Signatures as Standard Webhooks wants them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from notifications.adapters.process import safe_of
from notifications.adapters.secrets_at_rest import Safe, WrongKey
from notifications.adapters.signing import WrongSecret, key_of, sign
from shared.config import WrongSettings
from shared.crypto import CannotOpen, new_data_key
from tests.support.notifications import HOST, PARTNER, SECRET


def test_the_published_vector_is_met() -> None:
    """R-58: the vector of the Standard Webhooks reference libraries."""
    signature = sign(
        key_of(SECRET),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_MfKQ9r8GKYqr", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?"]
)
def test_a_secret_of_another_form_is_refused(secret: str) -> None:
    with pytest.raises(WrongSecret):
        key_of(secret)


def test_a_sealed_secret_opens_for_its_own_endpoint_only() -> None:
    safe = Safe(new_data_key())
    kept = safe.seal(PARTNER, SECRET)

    assert SECRET.encode() not in kept
    assert safe.open(PARTNER, kept) == SECRET
    with pytest.raises(CannotOpen):
        safe.open(HOST, kept)


def test_a_key_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    short = tmp_path / "contact.key"
    short.write_bytes(b"too short")

    for file in (short, tmp_path / "missing.key"):
        with pytest.raises(WrongKey, match=file.name):
            Safe.of_file(str(file))


def test_production_does_not_start_without_a_key() -> None:
    settings: Any = SimpleNamespace(contact_key="", demo=False)

    with pytest.raises(WrongSettings, match="WH_CONTACT_KEY"):
        safe_of(settings)


def test_without_a_key_a_secret_is_kept_as_it_is() -> None:
    assert Safe().open(PARTNER, Safe().seal(PARTNER, SECRET)) == SECRET
