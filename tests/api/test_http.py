"""The API as the running server speaks it, to polite front ends and to others."""

import http.client
import json
import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.api.asking import PROBLEM, ROOT

FRONT_END = "https://front.example"


def ask(server, path, method="GET", body=None, **headers):
    """The answer with its body read."""
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)) as connection:
        connection.request(method, path, body=body, headers={"Accept": "application/json", **headers})
        answer = connection.getresponse()
        answer.text = answer.read()
    return answer


def send(server, raw):
    """The answer to bytes as they are: its status, its headers and its body."""
    address = urlsplit(server.url)
    with closing(socket.create_connection((address.hostname, address.port), timeout=30)) as connection:
        connection.sendall(raw)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.text = answer.read()
    return answer


def request_line(target, method=b"GET", host=b"localhost"):
    return method + b" " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"


def assert_problem(answer, status):
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == PROBLEM
    document = json.loads(answer.text)
    assert document["status"] == status
    assert {"type", "title", "status", "detail", "instance"} <= document.keys()
    return document


def is_alive(server):
    return ask(server, f"{ROOT}policies/hk-aspire-roadmap/?fields=slug").status == 200


def test_list_and_record_are_json(server):
    listed = ask(server, f"{ROOT}policies/?jurisdiction=HK&page_size=1")
    [row] = json.loads(listed.text)["results"]

    record = ask(server, urlsplit(row["url"]).path)

    assert (listed.status, record.status) == (200, 200)
    assert listed.headers["Content-Type"] == record.headers["Content-Type"] == "application/json"
    assert json.loads(record.text)["slug"] == row["slug"]
    assert row["url"].startswith(server.url)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("policies/?jurisdicton=HK", 400),
        ("policies/?on=yesterday", 400),
        ("policies/hk-aspire-raodmap/", 404),
        ("nothing/", 404),
        ("//policies/", 404),
        ("policies//", 404),
        ("policies/%2F/", 404),
        ("policies/..%2F..%2Fadmin/", 404),
        ("policies/?title=" + "a" * 10_000, 400),
        ("policies/?title=" + "a" * 17_000, 414),
    ],
    ids=lambda value: str(value)[:40],
)
def test_mistake_is_told_as_a_problem_that_any_site_may_read(server, path, status):
    answer = ask(server, ROOT + path, Origin=FRONT_END)

    assert_problem(answer, status)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writing_is_refused(server, method):
    answer = ask(server, f"{ROOT}policies/", method, body=b'{"slug": "mine"}', **{"Content-Type": "application/json"})

    assert_problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_format_that_we_do_not_speak_is_refused(server):
    assert_problem(ask(server, f"{ROOT}policies/", Accept="text/html"), 406)


ADDRESSES = ["", "policies/", "policies/hk-aspire-roadmap/", "policies/?cursor=*", "policies/nope/", "policies/?nope=1"]


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("path", ADDRESSES)
def test_head_has_the_headers_of_get_and_no_body(server, path, coding):
    got, head = (ask(server, ROOT + path, method, **{"Accept-Encoding": coding}) for method in ("GET", "HEAD"))

    # Each is a request of its own, at a time of its own.
    own = {"date", "ratelimit"}
    told = [{name: value for name, value in each.headers.items() if name.lower() not in own} for each in (got, head)]
    assert told[0] == told[1]
    assert (head.status, head.text) == (got.status, b"")
    assert got.headers["Content-Length"] == str(len(got.text))


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_who_has_the_answer_is_told_so_by_the_server_too(server, coding):
    got = ask(server, f"{ROOT}policies/", **{"Accept-Encoding": coding})

    again = ask(server, f"{ROOT}policies/", **{"Accept-Encoding": coding, "If-None-Match": got.headers["ETag"]})

    assert got.headers["Content-Encoding"] == (None if coding == "identity" else "gzip")
    assert (again.status, again.text) == (304, b"")
    assert again.headers["ETag"] == got.headers["ETag"]


def test_front_end_on_another_site_may_ask(server):
    preflight = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "content-type"}

    answer = ask(server, f"{ROOT}policies/", "OPTIONS", Origin=FRONT_END, **preflight)

    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    assert "POST" not in answer.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_one_cached_copy_serves_the_pages_of_all_sites(server):
    here, there = ask(server, f"{ROOT}policies/"), ask(server, f"{ROOT}policies/", Origin=FRONT_END)

    assert here.headers["Vary"] == there.headers["Vary"] == "Accept-Encoding"
    assert here.headers["Access-Control-Allow-Origin"] == there.headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in there.headers["Access-Control-Expose-Headers"]


def test_address_without_its_last_slash_leads_to_the_one_with_it(server):
    answer = ask(server, f"{ROOT}policies?jurisdiction=HK")

    assert answer.status in {301, 308}
    assert answer.headers["Location"] == f"{ROOT}policies/?jurisdiction=HK"


@pytest.mark.parametrize(
    "target",
    [
        b"policies/?title=%zz",
        b"policies/?title=%",
        b"policies/?title=%e9",
        b"policies/?title=%00",
        b"policies/?title=\xc3\xa9",
        b"policies/?title=\xe9",
        "policies/?title=홍콩".encode(),
        b"policies/?title=a\x01b",
        b"policies/?%FF=1",
        b"policies/?=1",
        b"policies/?page=" + b"9" * 5000,
        b"policies/?" + b"a=1&" * 2000,
        b"policies/?expand=" + b"jurisdiction.parent." * 300 + b"parent",
        b"policies/?cursor=" + b"A" * 5000,
    ],
    ids=lambda target: ascii(target[:30]),
)
def test_query_that_could_be_misread_is_refused(server, target):
    answer = send(server, request_line(ROOT.encode() + target))

    assert answer.status == 400
    assert is_alive(server)


@pytest.mark.parametrize(
    "target",
    [
        b"policies/%zz/",
        b"policies/%/",
        b"policies/%00/",
        b"policies/%FF%FE/",
        b"policies/\xe9/",
        "policies/홍콩/".encode(),
        b"policies/%0d%0aSet-Cookie:x=1/",
        b"policies/" + b"a" * 10_000 + b"/",
        b"%2e%2e/%2e%2e/etc/passwd",
        b"../../etc/passwd",
        b"policies/;x=1/",
    ],
    ids=lambda target: ascii(target[:30]),
)
def test_odd_address_leads_nowhere(server, target):
    answer = send(server, request_line(ROOT.encode() + target))

    assert answer.status in {400, 404}
    assert "Set-Cookie" not in answer.headers
    assert is_alive(server)


@pytest.mark.parametrize(
    "raw",
    [
        request_line(b"http://evil.example/api/v1/policies/"),
        request_line(ROOT.encode() + b"policies/", host=b"evil.example"),
        request_line(ROOT.encode() + b"policies/", host=b"\xff\xfe"),
        request_line(ROOT.encode() + b"policies/", host=b""),
        request_line(b"*", method=b"OPTIONS"),
        request_line(ROOT.encode() + b"policies/", method=b"NONSENSE"),
        request_line(ROOT.encode() + b"policies/?a b"),
        b"GET /api/v1/policies/ HTTP/1.1\r\nHost: localhost\r\nAccept: \xff\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/policies/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/policies/ HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\nConnection: close\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=lambda raw: ascii(raw[:50]),
)
def test_whatever_is_sent_gets_an_answer_and_is_no_fault_of_ours(server, raw):
    answer = send(server, raw)

    assert answer.status < 500 or answer.status == 501
    assert is_alive(server)


def test_connection_is_kept_for_many_questions_mistakes_included(server):
    with closing(http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)) as connection:
        for path, status in [("policies/", 200), ("policies/?nope=1", 400), ("nothing/", 404), ("policies/", 200)] * 5:
            connection.request("GET", ROOT + path, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
