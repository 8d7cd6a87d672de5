"""What the receivers of a run count as having come."""

import socket

from tests.support.sinks import a_sink

WHOLE = b"POST /hooks HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\nok"


def post(port: int, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(1000)


def test_a_call_whose_sender_ends_within_it_has_not_come() -> None:
    with a_sink() as sink:
        post(sink.port, WHOLE)
        answer = post(sink.port, WHOLE.removesuffix(b"ok"))

    assert answer == b""
    assert [got.body for got in sink.received] == [b"ok"]
