"""What libraries and failures say in words never reaches a log: it may quote a person (R-58)."""

import json
import subprocess
import sys
from typing import Any

PERSON = "Maria Gonzalez"
SETUP = "import logging, sys, threading; from shared.log import configure; configure('sample')\n"


def written(program: str) -> list[dict[str, Any]]:
    """Return the lines of a process of its own; no text of it is anywhere."""
    done = subprocess.run(
        [sys.executable, "-c", SETUP + program], capture_output=True, text=True, check=False
    )
    assert PERSON not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_librarys_line_names_its_logger_its_level_and_the_type_of_the_error() -> None:
    lines = written(
        f"failure = ValueError('{PERSON}')\n"
        "library = logging.getLogger('a.library')\n"
        f"library.warning('rows: {PERSON}')\n"
        "library.error('ignored %r: %s', library, failure)\n"
        "try:\n    raise failure\n"
        f"except ValueError:\n    library.exception('at %(name)s', {{'name': '{PERSON}'}})\n"
    )

    told = [(line["logger"], line["level"], line.get("error")) for line in lines]
    assert told == [
        ("a.library", "warning", None),
        ("a.library", "error", "ValueError"),
        ("a.library", "error", "ValueError"),
    ]


def test_what_ends_a_thread_or_the_process_is_told_by_its_type_and_place() -> None:
    lines = written(
        f"def fail():\n    raise ValueError('{PERSON}')\n"
        "thread = threading.Thread(target=fail); thread.start(); thread.join()\n"
        "fail()\n"
    )

    assert [(line["error"], line["at"]) for line in lines] == [("ValueError", "__main__:3")] * 2


def test_a_thread_that_ends_the_usual_way_is_no_failure() -> None:
    assert written("thread = threading.Thread(target=sys.exit); thread.start()\n") == []
