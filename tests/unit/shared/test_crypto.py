import secrets
from pathlib import Path

import pytest

from shared.crypto import (
    CannotOpen,
    FileKeyWrapper,
    decrypt,
    encrypt,
    key_name_of,
    new_data_key,
)


def test_a_sealed_value_opens_in_its_own_place() -> None:
    key = new_data_key()

    sealed = encrypt(key, b"Marigold Example", key_name="k1", aad=b"brva|p1|name")

    assert decrypt(key, sealed, aad=b"brva|p1|name") == b"Marigold Example"
    assert key_name_of(sealed) == "k1"
    assert b"Marigold" not in sealed


def test_a_sealed_value_cannot_be_moved_to_another_person() -> None:
    key = new_data_key()
    sealed = encrypt(key, b"secret", key_name="k1", aad=b"brva|p1|name")

    with pytest.raises(CannotOpen):
        decrypt(key, sealed, aad=b"brva|p2|name")


@pytest.mark.parametrize("place", [0, 3, 10, -1])
def test_a_changed_value_does_not_open(place: int) -> None:
    key = new_data_key()
    sealed = bytearray(encrypt(key, b"secret", key_name="k1", aad=b"a"))
    sealed[place] ^= 1

    with pytest.raises(CannotOpen):
        decrypt(key, bytes(sealed), aad=b"a")


@pytest.mark.parametrize("length", [0, 1, 2, 5, 20])
def test_a_cut_value_does_not_open(length: int) -> None:
    key = new_data_key()
    sealed = encrypt(key, b"secret", key_name="k1", aad=b"a")

    with pytest.raises(CannotOpen):
        decrypt(key, sealed[:length], aad=b"a")


def test_the_same_text_is_never_sealed_the_same_way_twice() -> None:
    key = new_data_key()

    first, second = (encrypt(key, b"secret", key_name="k", aad=b"a") for _ in range(2))

    assert first != second


def test_a_wrapped_key_opens_with_its_agencys_key_only(tmp_path: Path) -> None:
    """R-13: another agency's key opens nothing."""
    for name in ("ours", "theirs"):
        (tmp_path / name).write_bytes(secrets.token_bytes(32))
    ours, theirs = FileKeyWrapper(tmp_path / "ours"), FileKeyWrapper(tmp_path / "theirs")
    key = new_data_key()
    wrapped = ours.wrap(key)

    assert ours.unwrap(wrapped) == key
    with pytest.raises(CannotOpen):
        theirs.unwrap(wrapped)


def test_a_key_file_of_another_length_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"short")

    with pytest.raises(ValueError, match="32 random bytes"):
        FileKeyWrapper(tmp_path / "short")
