"""What the papers say is what happens: requests and answers, filters, settings, commands."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

from regulations.api.urls import RESOURCES

ROOT = Path(settings.BASE_DIR)
PAPERS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
EXAMPLE = re.compile(r"```console\n\$ curl -s '(?P<address>[^']+)'\n```\n```json\n(?P<answer>.*?)\n```", re.S)
ADDRESS = "http://localhost:8000"


def text_of(name):
    return (ROOT / name).read_text()


def examples():
    for paper in PAPERS:
        for number, found in enumerate(EXAMPLE.finditer(paper.read_text()), start=1):
            yield pytest.param(found["address"], found["answer"], id=f"{paper.name}-{number}")


@pytest.mark.parametrize(("address", "answer"), list(examples()))
def test_an_example_of_the_papers_is_answered_as_they_say(knowledge, address, answer):
    assert address.startswith(ADDRESS)

    response = Client().get(address.removeprefix(ADDRESS), headers={"host": "localhost:8000"})

    assert fits(json.loads(answer), json.loads(response.getvalue())), response.getvalue().decode()


def fits(told, answered):
    """Whether an answer is as told; “…” stands for what is another after each load, such as moments."""
    if isinstance(told, dict) and isinstance(answered, dict):
        return told.keys() == answered.keys() and all(fits(told[name], answered[name]) for name in told)
    if isinstance(told, list) and isinstance(answered, list):
        return len(told) == len(answered) and all(map(fits, told, answered))
    return told == "…" or told == answered


def test_no_request_in_the_papers_goes_unanswered():
    told = sum(paper.read_text().count("$ curl") for paper in PAPERS)

    assert told == len(list(examples())) >= 6


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_every_filter_and_order_is_documented_and_nothing_else(resource):
    section = text_of("docs/api.md").split(f"\n### {resource.collection}\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", section, re.M)
    documented = {name + suffix for name, suffixes, _ in rows for suffix in ["", *re.findall(r"`(__\w+)`", suffixes)]}
    orders = re.search(r"Orders: (.*?); by default", section)[1]

    assert documented == set(resource.filterset_class.base_filters)
    assert re.findall(r"`(\w+)`", orders) == list(resource.columns())
    assert all(meaning.strip() for *_, meaning in rows)


def test_every_parameter_of_lists_is_documented():
    from kbase.reading.questions import LIST_PARAMETERS

    asking = text_of("docs/api.md").split("## Asking")[1].split("### Filters")[0]

    assert set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in asking.splitlines() if "|" in row))) == set(
        LIST_PARAMETERS
    )


def test_every_address_is_documented():
    told = text_of("docs/api.md") + text_of("README.md")
    top = {str(found.pattern) for found in get_resolver().url_patterns} - {"", "api/"}

    assert {address for address in top if f"/{address}" not in told} == set()


def test_every_make_target_is_listed_by_make_help_and_told_of():
    makefile = text_of("Makefile")
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split())
    told = "\n".join(paper.read_text() for paper in PAPERS)

    assert phony == set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))
    assert {target for target in phony if f"make {target}" not in told} == set()


def test_links_between_the_papers_lead_somewhere():
    for paper in PAPERS:
        for target in re.findall(r"\]\(([^)#:]+)\)", paper.read_text()):
            assert (paper.parent / target).exists(), f"{paper.name} links to {target}"


def test_every_room_of_the_floor_plan_is_there():
    plan = text_of("README.md").split("## Floor plan")[1].split("## Glossary")[0]

    assert [room for room in re.findall(r"^\| `([^`]+)`", plan, re.M) if not (ROOT / room).is_dir()] == []
