"""The web process: check, store, hand over."""

from uuid import uuid4

from flask import Flask, request
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError
from psycopg_pool import ConnectionPool

from bench.peers.celery_pipeline import settings
from bench.peers.celery_pipeline.schemas import Intake
from bench.peers.celery_pipeline.tasks import route

_CONNECTIONS = 4
_SCHEMA = Intake()
_POOL = ConnectionPool(
    settings.DATABASE,
    min_size=_CONNECTIONS,
    max_size=_CONNECTIONS,
    open=True,
    kwargs={"autocommit": True, "prepare_threshold": 0},
)

app = Flask(__name__)


@app.post("/intakes")
def intake() -> ResponseReturnValue:
    """Accept an intake."""
    body = request.get_json()
    try:
        _SCHEMA.load(body)
    except ValidationError as wrong:
        return wrong.messages_dict, 422
    wishes, intake_id = body["wishes"], uuid4()
    with _POOL.connection() as connection:
        row = (intake_id, wishes["county"], wishes["urgency"], request.get_data())
        connection.execute(_INSERT, row)
    facts = {
        "needs": wishes["needs"],
        "county": wishes["county"],
        "languages": body["person"]["languages"],
        "partners": {release["partner_id"]: release["rank"] for release in body["releases"]},
    }
    route.delay(str(intake_id), facts)
    return {"id": str(intake_id)}, 202


_INSERT = """
insert into intake (id, status, county, urgency, body) values (%s, 'new', %s, %s, %s)
"""
