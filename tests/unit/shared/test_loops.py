import threading
import time

import pytest

from shared.worker.loops import Loop, run_loops


def run_in_thread(loops: list[Loop], stop: threading.Event) -> tuple[threading.Thread, list[int]]:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(run_loops(loops, stop)))
    thread.start()
    return thread, codes


def test_a_loop_is_woken_at_once_and_finishes_what_it_holds() -> None:
    stop, done, closed = threading.Event(), threading.Event(), threading.Event()
    steps: list[float] = []

    def step() -> bool:
        steps.append(time.monotonic())
        if len(steps) > 1:
            done.set()
        return False

    loop = Loop("one", step, pause=60, close=closed.set)
    thread, codes = run_in_thread([loop], stop)
    loop.wake.set()
    assert done.wait(5)
    stop.set()
    thread.join(5)

    assert codes == [0]
    assert closed.is_set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_when_one_loop_dies_the_process_ends_with_an_error() -> None:
    stop = threading.Event()

    def fail() -> bool:
        raise RuntimeError("broken")

    code = run_loops([Loop("dies", fail), Loop("lives", lambda: False, pause=0.01)], stop)

    assert code == 1
    assert stop.is_set()


def test_a_loop_that_makes_no_progress_ends_the_process() -> None:
    stop, release = threading.Event(), threading.Event()
    ended: list[int] = []

    def end(code: int) -> None:
        ended.append(code)
        stop.set()
        release.set()

    def hang() -> bool:
        release.wait(30)
        return False

    run_loops([Loop("hangs", hang)], stop, stuck_seconds=0.2, end_process=end)

    assert ended[0] == 1
