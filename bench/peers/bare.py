"""The floor of intake: Flask that reads the body and answers 202."""

from flask import Flask, request
from flask.typing import ResponseReturnValue

app = Flask(__name__)


@app.post("/intakes")
def intake() -> ResponseReturnValue:
    """Read, and accept."""
    request.get_data()
    return {"id": "0"}, 202
