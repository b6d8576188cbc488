"""A page of another site reads the API in a real browser: heads, 304s and refusals included."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

PAGE = b"<!doctype html><title>A front end</title>"
ASK = """
async ({address, headers}) => {
    const answer = await fetch(address, {headers, cache: "no-store"})
    const body = await answer.text()
    return {status: answer.status, type: answer.type, headers: Object.fromEntries(answer.headers), body}
}
"""
ASK_AGAIN = """
async (address) => {
    // "no-cache" has the browser ask the server whether its copy is still good.
    for (const mode of ["default", "no-cache"]) await (await fetch(address, {cache: mode})).text()
}
"""


class FrontEnd(BaseHTTPRequestHandler):
    """Serves one empty page."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def front_end():
    """The address of a page on another origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), FrontEnd) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()
        thread.join()


@pytest.fixture
def page(front_end, browser):
    page = browser.new_page()
    page.goto(front_end)
    yield page
    page.close()


def ask(page, server, path, **headers):
    return page.evaluate(ASK, {"address": f"{server.url}/api/v1/{path}", "headers": headers})


def test_page_reads_the_answer_and_what_its_head_tells(page, server):
    answer = ask(page, server, "policies/?page_size=1&page=2")

    links = answer["headers"]["link"]
    assert (answer["status"], answer["type"]) == (200, "cors")
    assert json.loads(answer["body"])["results"]
    assert answer["headers"]["etag"].startswith('W/"')
    assert all(f'rel="{relation}"' in links for relation in ("next", "prev", "first", "service-desc"))


def test_page_sends_a_tag_and_is_told_that_it_has_the_answer(page, server):
    """`If-None-Match` from a script is asked for in a preflight."""
    tag = ask(page, server, "policies/")["headers"]["etag"]

    again = ask(page, server, "policies/", **{"If-None-Match": tag})

    assert (again["status"], again["body"], again["headers"]["etag"]) == (304, "", tag)


def test_browser_asks_whether_its_copy_is_good_and_gets_no_body(page, server):
    address = f"{server.url}/api/v1/policies/?page_size=100"
    # The browser may ask for other things beside, such as an icon.
    ours, heads = set(), []
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.on(
        "Network.requestWillBeSent",
        lambda event: ours.add(event["requestId"]) if event["request"]["url"] == address else None,
    )
    client.on("Network.responseReceivedExtraInfo", lambda event: heads.append(event))

    page.evaluate(ASK_AGAIN, address)
    # What the browser tells of its network may come after the answer.
    page.wait_for_timeout(500)

    told = [head for head in heads if head["requestId"] in ours]
    assert [head["statusCode"] for head in told] == [200, 304]
    assert {name.lower(): value for name, value in told[0]["headers"].items()}["content-encoding"] == "gzip"


def test_page_reads_what_was_wrong_with_its_question(page, server):
    refused = ask(page, server, "policies/?jurisdicton=HK")

    assert refused["status"] == 400
    assert refused["headers"]["content-type"] == "application/problem+json"
    [fault] = json.loads(refused["body"])["errors"]
    assert fault["nearest"] == "jurisdiction"


def test_page_reads_a_file_and_its_name(page, server):
    file = ask(page, server, "topics/?format=csv&on=2026-01-01")

    assert file["headers"]["content-disposition"] == 'attachment; filename="topics-2026-01-01.csv"'
    assert file["body"].startswith("slug,name,kind.code")
