"""Requests are sent when they are due, and whoever keeps them waiting is told of it."""

import socket
import threading
import time
from contextlib import contextmanager

from bench.pacing import percentile, read

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
# Its head ends as its body does.
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nAge: 0\r\n\r\n",
    b"2\r\nok\r\n1\r\n!",
    b"\r\n0\r\n",
    b"\r\n",
)
REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"


@contextmanager
def server(answer=ANSWER, pause=0.0):
    """A server that answers each request alike, after a pause before each part; yields its port and the paths that were asked."""
    asked = []

    def serve(connection):
        with connection, connection.makefile("rwb") as stream:
            while line := stream.readline():
                asked.append(line.split()[1].decode())
                while stream.readline().strip():
                    pass
                for part in [answer] if isinstance(answer, bytes) else answer:
                    time.sleep(pause)
                    stream.write(part)
                    stream.flush()

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listener.getsockname()[1], asked
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_requests_are_sent_at_the_rate_that_is_asked_for():
    with server() as (port, asked):
        answers = read(port, [("list", "/a"), ("record", "/b")], 200, 1)

    assert answers.errors == []
    # Chance decides when each is due.
    assert 120 < len(answers.times) < 300
    assert {*asked} == {"/a", "/b"}
    assert {*answers.by_kind} == {"list", "record"}


def test_a_request_that_waits_for_its_turn_counts_from_when_it_was_due():
    with server(pause=0.2) as (port, _):
        answers = read(port, [("list", "/")], 200, 0.5)

    # Sixteen connections answer eighty a second, so that most wait for others.
    assert percentile(answers.times, 90) > 300


def test_without_a_rate_each_connection_asks_again_at_once():
    with server(pause=0.1) as (port, _):
        answers = read(port, [("list", "/")], None, 0.5)

    assert 32 <= len(answers.times) <= 96


def test_an_answer_in_chunks_ends_with_its_last_one():
    with server(answer=CHUNKED, pause=0.05) as (port, asked):
        answers = read(port, [("list", "/")], 20, 0.5)

    assert answers.errors == []
    assert len(answers.times) == len(asked) > 0
    assert min(answers.times) > 190


def test_a_refusal_is_an_error():
    with server(answer=REFUSAL) as (port, _):
        answers = read(port, [("list", "/")], 20, 0.5)

    assert answers.times == []
    assert "503" in answers.errors[0]


def test_percentiles_are_those_of_the_times():
    assert [percentile([*range(1, 101)], each) for each in (0, 50, 99, 100)] == [1, 51, 100, 100]
