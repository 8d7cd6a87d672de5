"""The operator's overview, and the list of the services."""

from datetime import UTC, datetime

from flask import Response, url_for

from shared.contracts.codes import OPS_REASONS
from shared.db.pool import now, transaction
from shared.http.asking import PER_SECOND
from shared.http.ops import asked, pipeline
from shared.http.ops.history import FLOWS, SERIES, read_history
from shared.http.ops.numbers import Numbers, fetch_numbers, read_numbers
from shared.http.render import page
from shared.http.web import web

_ASKED_SHOWN = 8


def show() -> Response:
    """Show what flows, what waits and since when."""
    parts = web()
    with transaction(parts.pool) as tx:
        numbers, history, moment = read_numbers(tx), read_history(tx), now(tx)
        state, latest = pipeline.read_pipeline(tx), asked.latest(tx, _ASKED_SHOWN)
    sections = [(section.template, section.context(parts.pool)) for section in parts.ops.sections]
    return page(
        "ops/show.html",
        numbers=numbers,
        history=history,
        state=state,
        asked=latest,
        now=moment,
        sections=sections,
        reasons=OPS_REASONS,
        per_second=PER_SECOND,
        series=SERIES,
        flows=FLOWS,
    )


def services() -> Response:
    """Show the numbers of every service, each as it answers just now."""
    parts = web()
    with transaction(parts.pool) as tx:
        own = read_numbers(tx)
    inside, links = parts.settings.ops_metrics or {}, parts.settings.ops_links or {}
    rows: list[tuple[str, str | None, Numbers | None]] = [
        (parts.service, url_for("ops.show"), own)
    ]
    rows += [
        (name, f"{links[name]}/ops" if name in links else None, fetch_numbers(inside[name]))
        for name in sorted(inside)
    ]
    return page("ops/services.html", rows=rows, now=datetime.now(UTC))
