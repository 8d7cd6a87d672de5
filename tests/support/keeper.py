"""Stops a server of tests and removes its folder once its run has ended, even by a kill.

`python -m tests.support.keeper FOLDER`, with a pipe to the run as its input.
"""

import shutil
import sys
from pathlib import Path

from services.local.postgres import LocalPostgres

if __name__ == "__main__":
    sys.stdin.read()
    server = LocalPostgres(Path(sys.argv[1]))
    server.stop()
    shutil.rmtree(server.folder)
