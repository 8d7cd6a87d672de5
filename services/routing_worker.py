"""The worker process of routing."""

import sys

from services.worker import run
from shared.config import RoutingWorkerSettings
from shared.worker import Loop

NAME = "routing"


def loops(settings: RoutingWorkerSettings) -> list[Loop]:
    """Return the loops."""
    return []


def main() -> int:
    """Run until SIGTERM, with the settings of the environment."""
    settings = RoutingWorkerSettings.from_env()
    return run(f"{NAME}-worker", lambda: loops(settings), metrics_port=settings.metrics_port)


if __name__ == "__main__":
    sys.exit(main())
