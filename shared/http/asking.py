"""What forms of the operator's console have in common."""

from datetime import datetime

from flask import request


def page_time() -> datetime | None:
    """Return when the form's page was made, its field `until`: what came later is not meant."""
    try:
        moment = datetime.fromisoformat(request.form.get("until", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
