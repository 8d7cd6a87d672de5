"""The demo's one worker process: the loops of the three services."""

import sys
from pathlib import Path

from services import intake_worker, notifications_worker, routing_worker
from services.local import settings
from services.local.folder import Folder
from services.worker import run


def main(folder: str, port: str) -> int:
    """Run until SIGTERM; what a step holds is finished first."""
    place = settings.Place(Folder(Path(folder)), int(port))
    return run(
        "demo-worker",
        lambda: [
            *routing_worker.loops(settings.routing_worker(place)),
            *intake_worker.loops(settings.intake_worker(place)),
            *notifications_worker.loops(settings.notifications_worker(place)),
        ],
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
