"""Every code has words, and every status a shape."""

import pytest
from flask import Flask
from flask_babel import Babel

from shared.contracts import codes
from shared.http.labels import LABELS, STATUS_KINDS, choices, label, language_name

NAMES = sorted(
    name for name in dir(codes) if name.isupper() and isinstance(getattr(codes, name), tuple)
)
NO_GROUP = {"ADULT_AGE_BANDS": "AGE_BANDS", "UNMATCHED_QUEUES": "QUEUES"}


@pytest.mark.parametrize("name", NAMES)
def test_every_code_of_the_contracts_has_words(name: str) -> None:
    group = NO_GROUP.get(name, name).lower().replace("_", "-")

    assert set(getattr(codes, name)) <= set(LABELS[group])


def test_every_status_with_a_look_has_words() -> None:
    assert set(STATUS_KINDS) <= set(LABELS["statuses"])


def test_a_code_of_a_newer_version_reads_as_itself() -> None:
    assert label("needs", "pet-care") == "pet care"


def test_choices_are_codes_with_their_words() -> None:
    app = Flask(__name__)
    Babel(app)

    with app.test_request_context():
        assert choices("AGE_BANDS", ["18-24"]) == [("18-24", "18 to 24")]
        assert language_name("vi") == "Vietnamese"
        assert language_name("ase") == "American Sign Language"
        assert language_name("not a tag") == "not a tag"
