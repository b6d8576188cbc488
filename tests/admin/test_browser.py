"""An editor's work, in a real browser on the real server."""

import json
import subprocess
import sys

import pytest

from tests.conftest import copy_database, database_url, drop_database
from tests.running import PROJECT, environment, free_port, start_server

CASPS = PROJECT / "tests/importers/esma/samples/CASPS.csv"
EDITOR = {"EDITOR_NAME": "ada", "EDITOR_PASSWORD": "correct horse 9"}


@pytest.fixture(scope="module")
def server(knowledge_template, worker_id, tmp_path_factory, furnish):
    """The production server on a copy of the knowledge that these tests may change."""
    name = f"test_kbase_editing_{worker_id}"
    copy_database(knowledge_template, name)
    home = tmp_path_factory.mktemp("editing")
    furnish(home)
    variables = {"DATABASE_URL": database_url(name)}
    environ = environment(KBASE_HOME=str(home), **EDITOR, **variables)
    subprocess.run([sys.executable, "manage.py", "editor"], cwd=PROJECT, env=environ, check=True, capture_output=True)
    running = start_server(home, free_port(), **variables)
    yield running
    running.process.terminate()
    running.process.wait()
    drop_database(name)


@pytest.fixture
def page(server, browser):
    """A page on which ada is logged in; complaints, those about the content policy included, fail the test."""
    complaints = []
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"{server.url}/admin/")
    page.fill("[name=username]", EDITOR["EDITOR_NAME"])
    page.fill("[name=password]", EDITOR["EDITOR_PASSWORD"])
    page.press("[name=password]", "Enter")
    page.get_by_role("heading", name="The law").last.wait_for()
    yield page
    page.close()
    assert complaints == []


def open_tab(page, name):
    page.locator("#tabs-items a", has_text=name).click()


def look_up(page, field, words):
    """Choose the first record that is offered for the words."""
    page.locator(f"#id_{field} + .select2").click()
    page.locator(".select2-search__field").last.fill(words)
    page.locator(".select2-results__option--highlighted", has_text=words).click()


def ask(server, path):
    with server.get(path) as answer:
        return json.load(answer)


def test_editor_finds_a_policy_and_adds_a_step_with_its_evidence(server, page):
    page.locator("#nav-sidebar-apps").get_by_role("link", name="Policies").click()
    page.fill("[name=q]", "aspire")
    page.press("[name=q]", "Enter")
    page.get_by_role("link", name="ASPIRe roadmap for the Hong Kong virtual asset market").first.click()

    open_tab(page, "Timeline")
    page.get_by_role("link", name="Add another Milestone").click()
    page.fill("#id_milestones-2-date", "2026-12-01")
    page.select_option("#id_milestones-2-kind", "amended")
    page.select_option("#id_milestones-2-date_precision", "month")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_text("was changed successfully").wait_for()
    open_tab(page, "Timeline")
    page.get_by_role("link", name="none yet").first.click()
    page.get_by_role("link", name="Add another Citation").click()
    look_up(page, "citations-0-source", "Regulating virtual assets")
    page.fill("#id_citations-0-locator", "Annex 2")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("was changed successfully").wait_for()

    step = ask(server, "/api/v1/milestones/hk-aspire-roadmap-amended/")
    assert (step["date"], step["date_precision"]["code"]) == ("2026-12-01", "month")
    assert [citation["locator"] for citation in step["citations"]] == ["Annex 2"]


def test_overlapping_stance_is_explained_beside_its_first_day(page):
    page.goto(page.url.replace("/admin/", "/admin/regulations/stance/add/"))
    look_up(page, "jurisdiction", "Hong Kong")
    look_up(page, "topic", "Stablecoin issuance")
    page.select_option("#id_stance", "prohibited")
    page.fill("#id_valid_from", "2025-09-01")
    page.get_by_role("button", name="Save", exact=True).click()

    page.locator(".field-valid_from").get_by_text("Another stance of this jurisdiction on this topic").wait_for()
    assert page.input_value("#id_valid_from") == "2025-09-01"
    assert page.locator("#id_topic option[selected]").inner_text() == "Stablecoin issuance"


@pytest.mark.parametrize("kind", ["company", "source", "measure", "event", "person", "jurisdiction", "citation"])
def test_pages_obey_the_content_policy(kind, page):
    page.goto(page.url.replace("/admin/", f"/admin/regulations/{kind}/"))
    page.locator("#result_list tbody a").first.click()

    page.get_by_role("button", name="Save", exact=True).wait_for()


def test_an_extract_is_read_and_published(page):
    page.locator("#nav-sidebar-apps").get_by_role("link", name="Imports").click()
    page.goto(page.url + "add/")
    page.select_option("#id_register", "esma-casp")
    page.set_input_files("#id_file", {"name": "CASP20260209.csv", "mimeType": "text/csv", "buffer": CASPS.read_bytes()})
    page.get_by_role("button", name="Read the file").click()
    page.get_by_text("normalised by a named rule").wait_for()
    page.get_by_role("link", name="Publish …").click()
    page.fill("#id_reason", "Five rows made up for a test are held, as they should be.")
    page.get_by_role("button", name="Publish", exact=True).click()

    page.get_by_text("Published all the same by ada").wait_for()
