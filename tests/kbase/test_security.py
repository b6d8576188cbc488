import json
import re
import subprocess
import sys
import urllib.error

import pytest
from django.conf import settings

from tests.conftest import copy_database, database_url, drop_database
from tests.running import PROJECT, environment, free_port, start_server

EDITOR = {"EDITOR_NAME": "ada", "EDITOR_PASSWORD": "correct horse 9"}


@pytest.fixture(scope="module")
def empty_server(tmp_path_factory, django_db_setup, worker_id, furnish):
    """The production server on a migrated, empty database, with the editor ada."""
    name = f"test_kbase_empty_{worker_id}"
    copy_database(django_db_setup, name)
    home = tmp_path_factory.mktemp("server")
    furnish(home)
    variables = {"DATABASE_URL": database_url(name)}
    command("editor", KBASE_HOME=str(home), **EDITOR, **variables)
    running = start_server(home, free_port(), **variables)
    yield running
    running.process.terminate()
    assert running.process.wait() == 0
    drop_database(name)


def command(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def ask(server, path, **headers):
    try:
        return server.get(path, **headers)
    except urllib.error.HTTPError as error:
        return error


@pytest.fixture
def page(browser):
    """A page whose complaints, those about the content policy included, fail the test."""
    context = browser.new_context()
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("response", lambda response: complaints.append(response.url) if response.status >= 400 else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


# check --deploy


@pytest.mark.parametrize(
    "variables",
    [{}, {"KBASE_HTTPS": "on", "KBASE_HOST": "0.0.0.0", "KBASE_ALLOWED_HOSTS": "kbase.example.org"}],
    ids=["as make run starts it", "behind a proxy"],
)
def test_deployment_check_is_clean(tmp_path, variables):
    answer = command("check", "--deploy", "--fail-level=WARNING", KBASE_HOME=str(tmp_path), **variables)

    assert answer.returncode == 0, answer.stderr


def test_deployment_check_complains_about_plain_http_on_the_network(tmp_path):
    answer = command("check", "--deploy", "--fail-level=WARNING", KBASE_HOME=str(tmp_path), KBASE_HOST="0.0.0.0")

    assert answer.returncode == 1
    assert set(re.findall(r"security\.W\d+", answer.stderr)) == {
        "security.W004",
        "security.W008",
        "security.W012",
        "security.W016",
    }


# Headers


@pytest.mark.parametrize("path", ["/api/v1/", "/api/nothing/", "/api/docs/", "/admin/login/", "/healthz", "/nothing"])
def test_every_answer_carries_the_protecting_headers(empty_server, path):
    with ask(empty_server, path) as answer:
        headers = answer.headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/api/v1/", "/api/docs/", "/nothing"])
def test_only_the_admin_may_evaluate_scripts(empty_server, path):
    with ask(empty_server, path) as answer:
        policy = answer.headers["Content-Security-Policy"]

    assert "unsafe-eval" not in policy
    assert not re.search(r"script-src[^;]*unsafe", policy)


def test_static_files_carry_the_headers_too_and_may_be_kept_for_ever(empty_server):
    with ask(empty_server, "/api/docs/") as answer:
        [script, *_] = re.findall(r'src="(/static/[^"]+)"', answer.read().decode())
    with ask(empty_server, script) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in answer.headers["Cache-Control"]


def test_any_site_may_read_the_api_but_not_as_the_visitor(empty_server):
    with ask(empty_server, "/api/schema/", Origin="https://front.example") as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        exposed = answer.headers["Access-Control-Expose-Headers"]

    assert {"ETag", "Link", "Retry-After", "RateLimit", "Location"} <= set(exposed.split(", "))


@pytest.mark.parametrize("path", ["/admin/login/", "/healthz"])
def test_no_other_site_may_read_anything_else(empty_server, path):
    with ask(empty_server, path, Origin="https://front.example") as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_api_knows_no_session(empty_server):
    with ask(empty_server, "/api/schema/") as answer:
        assert "cookie" not in (answer.headers["Vary"] or "").lower()
        assert "Set-Cookie" not in answer.headers


# Limits


@pytest.mark.parametrize("path", ["/api/schema/?", "/api/"])
def test_address_is_too_long_from_one_character_over_the_limit(empty_server, path):
    start = "" if path.endswith("?") else path
    with ask(empty_server, path + "q" * (settings.LONGEST_ADDRESS - len(start))) as answer:
        assert answer.status != 414
    with ask(empty_server, path + "q" * (settings.LONGEST_ADDRESS + 1 - len(start))) as answer:
        assert answer.status == 414
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert json.load(answer)["status"] == 414


@pytest.mark.parametrize("length", [2 * 1024 * 1024 + 1, int("9" * 18)])
def test_body_that_is_too_long_is_refused_unread(client, length):
    answer = client.get("/api/schema/", CONTENT_LENGTH=str(length))

    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_foreign_host_name_is_refused(empty_server):
    with ask(empty_server, "/api/schema/", Host="evil.example") as answer:
        assert answer.status == 400
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/api/%00", "/api/v1/%ff", "/api/" + "a" * 7000, "/admin/%00/", "/static/%00", "/%0d%0a"]
)
def test_malformed_addresses_are_no_fault_of_ours(empty_server, path):
    with ask(empty_server, path) as answer:
        assert answer.status < 500


# Pages


def test_documentation_page_draws_itself_from_our_own_files(empty_server, page):
    hosts = set()
    page.on("request", lambda request: hosts.add(re.match(r"\w+:(?://)?([^/,;]*)", request.url)[1]))

    page.goto(empty_server.url + "/")
    page.wait_for_selector("#swagger-ui .info .title")

    assert page.url.endswith("/api/docs/")
    assert {host for host in hosts if "image" not in host} == {empty_server.url.removeprefix("http://")}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_editor_logs_in_and_out(empty_server, page, host):
    page.goto(empty_server.url.replace("localhost", host) + "/admin/")
    page.fill("[name=username]", EDITOR["EDITOR_NAME"])
    page.fill("[name=password]", EDITOR["EDITOR_PASSWORD"])
    page.click("[type=submit]")

    page.wait_for_selector("#user-tools, #header-inner, #nav-sidebar, nav")
    assert page.url.endswith("/admin/")
    assert page.locator("[name=password]").count() == 0


def test_session_cookie_is_out_of_reach_of_scripts(empty_server, page):
    page.goto(empty_server.url + "/admin/")

    [cookie] = page.context.cookies()
    assert cookie["name"] == "csrftoken"
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
