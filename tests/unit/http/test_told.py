"""What a rule says is shown in the reader's language, though the rule knows none."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from flask import Flask
from flask_babel import Babel

from shared.errors import Conflict
from shared.http.problems import told


def test_a_rules_text_is_translated_where_it_is_shown(tmp_path: Path) -> None:
    messages = tmp_path / "es" / "LC_MESSAGES"
    messages.mkdir(parents=True)
    catalog = Catalog(locale="es")
    catalog.add("This referral has ended.", "Esta referencia ha terminado.")
    with (messages / "messages.mo").open("wb") as file:
        write_mo(file, catalog)
    app = Flask(__name__)
    Babel(app, default_translation_directories=str(tmp_path), default_locale="es")

    with app.test_request_context():
        shown = told(Conflict("This referral has ended."))

    assert shown == "Esta referencia ha terminado."
