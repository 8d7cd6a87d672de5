"""The worker process of intake."""

import sys

from services.worker import run
from shared.config import IntakeWorkerSettings
from shared.worker import Loop

NAME = "intake"


def loops(settings: IntakeWorkerSettings) -> list[Loop]:
    """Return the loops."""
    return []


def main() -> int:
    """Run until SIGTERM, with the settings of the environment."""
    settings = IntakeWorkerSettings.from_env()
    return run(f"{NAME}-worker", lambda: loops(settings), metrics_port=settings.metrics_port)


if __name__ == "__main__":
    sys.exit(main())
