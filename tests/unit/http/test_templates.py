"""The parts of forms: labels, hints, errors, nothing inline."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask, render_template_string
from flask_babel import Babel

import shared.http as web_base
from shared.http import labels

TEMPLATES = Path(web_base.__file__).parent / "templates"


def shown(text: str, **context: object) -> BeautifulSoup:
    app = Flask(__name__, template_folder=str(TEMPLATES))
    Babel(app)
    app.jinja_env.globals.update(label=labels.label, status_kind=labels.status_kind)
    with app.test_request_context():
        imports = (
            '{% from "macros/forms.html" import text_field, radio_tiles, checkbox_tiles,'
            " error_summary, memorable_date, select_field, checkbox, file_field %}"
            '{% from "macros/parts.html" import status_tag, step_indicator %}'
        )
        return BeautifulSoup(render_template_string(imports + text, **context), "html.parser")


ERRORS: Mapping[str, list[str]] = {"name": ["Enter a name."]}


@pytest.mark.parametrize(
    "call",
    [
        "text_field('name', 'Name', hint='Why', errors=errors)",
        "select_field('name', 'Name', [('a', 'A')], hint='Why', errors=errors)",
        "checkbox('name', 'Name', hint='Why', errors=errors)",
        "file_field('name', 'Name', hint='Why', errors=errors)",
    ],
)
def test_a_field_names_its_hint_and_its_error(call: str) -> None:
    page = shown("{{ " + call + " }}", errors=ERRORS)

    field = page.find(id="name")
    assert field is not None
    assert field["aria-describedby"] == "name-hint name-error"
    assert field["aria-invalid"] == "true"
    assert page.find("label", attrs={"for": "name"}) is not None
    error = page.find(id="name-error")
    assert error is not None
    assert "Enter a name." in error.text


@pytest.mark.parametrize("kind", ["radio", "checkbox"])
def test_tiles_have_a_legend_and_the_first_is_where_the_summary_leads(kind: str) -> None:
    chosen = "'a'" if kind == "radio" else "['a']"
    page = shown(
        "{{ error_summary(errors) }}{{ " + kind + "_tiles('name', 'Which',"
        " [('a', 'A', 'more'), ('b', 'B')], " + chosen + ", errors=errors) }}",
        errors=ERRORS,
    )

    assert page.find("a", attrs={"href": "#name"}) is not None
    first = page.find("input", id="name")
    assert first is not None
    assert first.has_attr("checked")
    assert "Which" in (page.legend.text if page.legend else "")
    assert len(page.find_all("input", type=kind)) == 2
    assert page.find("label", attrs={"for": "name-b"}) is not None


def test_typed_text_is_escaped() -> None:
    page = shown("{{ text_field('name', 'Name', value=value) }}", value='"><script>x</script>')

    assert page.script is None
    assert page.input is not None
    assert page.input["value"] == '"><script>x</script>'
    assert page.input["autocomplete"] == "off"


def test_a_known_date_has_three_fields() -> None:
    page = shown("{{ memorable_date('born', 'When', {'day': '7'}) }}")

    names = [field["name"] for field in page.find_all("input")]
    assert names == ["born_month", "born_day", "born_year"]


def test_a_status_is_a_word_with_a_shape() -> None:
    tag = shown("{{ status_tag('overdue') }}").span

    assert tag is not None
    assert tag.text == "Overdue"
    assert "wh-status--danger" in tag["class"]


def test_steps_tell_where_the_reader_is() -> None:
    page = shown("{{ step_indicator(['One', 'Two', 'Three'], 2) }}")

    assert page.find("li", attrs={"aria-current": "step"}) is not None
    assert "Step 2 of 3:" in page.text


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=str)
def test_no_template_holds_inline_script_or_style(template: Path) -> None:
    page = BeautifulSoup(template.read_text(encoding="utf-8"), "html.parser")

    assert all(script.has_attr("src") for script in page.find_all("script"))
    assert page.find("style") is None
    for tag in page.find_all():
        assert not [name for name in tag.attrs if name == "style" or name.startswith("on")]
