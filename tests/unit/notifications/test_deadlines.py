"""Whatever happens to one connection, the others keep their deadlines."""

import socket
import threading

from notifications.adapters.deadlines import Deadlines, Handle


def test_a_cut_that_fails_ends_no_other_deadline() -> None:
    deadlines, failed, cut = Deadlines(), threading.Event(), threading.Event()

    def fail() -> None:
        failed.set()
        raise ValueError

    with deadlines.within(0.0, fail):
        assert failed.wait(10)
    with deadlines.within(0.0, cut.set):
        assert cut.wait(10)


def test_a_connection_closed_while_it_is_cut_is_cut_all_the_same() -> None:
    ours, theirs = socket.socketpair()
    handle = ClosedMeanwhile()
    with ours, theirs:
        handle.keep(ours)
        handle.cut()

    assert handle.is_cut


class ClosedMeanwhile(Handle):
    """Its connection is closed as soon as somebody has looked at it."""

    def __getattribute__(self, name: str) -> object:
        found = super().__getattribute__(name)
        if name == "_kept" and found is not None:
            self._kept = None
            found.close()
        return found
