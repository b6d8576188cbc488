"""Lists are read whole: in every order, by pages and by cursors, each row comes once."""

import time
from datetime import date
from itertools import pairwise
from random import Random

import pytest
from django.core import signing

from kbase.reading import kept
from kbase.reading.questions import DEEPEST_ROW
from regulations.api.urls import RESOURCES
from regulations.models import Policy
from tests.api.asking import ROOT, ask, faults, refusal, walk
from tests.factories import make_company, make_milestone, make_policy, make_source

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)


@pytest.fixture
def world(world_of):
    world_of(11)


def orders(resource):
    """Every order by one column, both ways, and some by two."""
    names = list(resource.columns())
    single = [sign + name for name in names for sign in ("", "-")]
    random = Random(resource.collection)
    pairs = [random.sample(names, 2) for _ in range(6)] if len(names) > 1 else []
    return single + [",".join(random.choice(("", "-")) + name for name in pair) for pair in pairs]


def walked(client, resource, **sent):
    """The keys of a whole list, page after page."""
    sent = {"fields": resource.key, "page_size": 4, "on": "2024-01-03", **sent}
    pages = walk(client, f"{resource.collection}/", **sent)
    return [row[resource.key] for page in pages for row in page["results"]]


def value_at(row, path):
    for name in path.split("__"):
        row = None if row is None else getattr(row, name)
    return None if row == "" else row


def is_in_order(resource, keys, order):
    """Whether each row comes after the one before it, in the order's columns and at last by its key."""
    rows = {getattr(row, resource.key): row for row in resource.queryset.all()}
    names = order.split(",")
    if resource.key not in {name.removeprefix("-") for name in names}:
        names.append(resource.key)
    return all(comes_after(resource, rows[after], rows[before], names) for before, after in pairwise(keys))


def comes_after(resource, row, other, names):
    for name in names:
        path = resource.columns()[name.removeprefix("-")].path
        value, before = value_at(row, path), value_at(other, path)
        if value == before:
            continue
        if value is None or before is None:
            return value is None
        if isinstance(value, str) and path.split("__")[-1] not in {"slug", "key", "code", "kind", "stance"}:
            # How letters follow each other is the database's own affair.
            return True
        return (value < before) if name.startswith("-") else (value > before)
    return False


@every_resource
def test_every_order_gives_every_row_once_by_pages_and_by_cursor(world, client, resource):
    everything = ask(client, f"{resource.collection}/", on="2024-01-03", page_size=200, fields=resource.key)["results"]

    for order in orders(resource):
        numbered = walked(client, resource, ordering=order)
        assert sorted(numbered) == sorted(row[resource.key] for row in everything), order
        assert walked(client, resource, ordering=order, cursor="*") == numbered, order
        assert is_in_order(resource, numbered, order), order


@every_resource
def test_default_order_gives_every_row_once_by_pages_and_by_cursor(world, client, resource):
    numbered = walked(client, resource)

    assert len(set(numbered)) == len(numbered) > 4
    assert walked(client, resource, cursor="*") == numbered
    assert is_in_order(resource, numbered, ",".join(resource.default_order))


@pytest.mark.parametrize("order", ["legal_name", "-legal_name", "founded_on", "-founded_on", "headquarters"])
def test_companies_without_a_value_come_last(db, client, order):
    make_company(slug="a-empty")
    make_company(
        slug="z-full", legal_name="Full Ltd", founded_on=date(2020, 1, 1), headquarters=make_policy().jurisdiction
    )
    make_company(slug="m-empty")

    rows = [row["slug"] for row in ask(client, "companies/", ordering=order)["results"]]

    assert rows == ["z-full", "a-empty", "m-empty"]


def test_one_page_may_hold_1_to_200_rows(db, client):
    for number in range(201):
        make_company(slug=f"company-{number:03}")

    assert len(ask(client, "companies/")["results"]) == 50
    assert len(ask(client, "companies/", page_size=1)["results"]) == 1
    assert len(ask(client, "companies/", page_size=200)["results"]) == 200
    assert len(ask(client, "companies/", page_size=200, page=2)["results"]) == 1


def test_addresses_of_the_neighbouring_pages_keep_the_question(db, client):
    for number in range(5):
        make_policy(slug=f"policy-{number}", kind="bill")
    make_policy(slug="statute")

    second = ask(client, "policies/", kind="bill", page_size=2, page=2, fields="slug", ordering="-slug")

    assert second["count"] == 5
    assert [row["slug"] for row in second["results"]] == ["policy-2", "policy-1"]
    for neighbour, slugs in (("next", ["policy-0"]), ("previous", ["policy-4", "policy-3"])):
        assert [row["slug"] for row in client.get(second[neighbour]).json()["results"]] == slugs


def test_first_page_has_no_previous_and_the_last_no_next(db, client):
    for _ in range(4):
        make_company()

    first, last = walk(client, "companies/", page_size=2)

    assert first["previous"] is None
    assert last["next"] is None


# Pages that are not there


@pytest.mark.parametrize(("rows", "page", "status"), [(0, 1, 200), (0, 2, 400), (4, 2, 200), (4, 3, 400), (5, 3, 200)])
def test_page_beyond_the_last_is_refused(db, client, rows, page, status):
    for _ in range(rows):
        make_company()

    answer = client.get(f"{ROOT}companies/", {"page": page, "page_size": 2})

    assert answer.status_code == status
    if status == 400:
        [fault] = faults(answer, 400)
        assert (fault["parameter"], fault["code"]) == ("page", "out_of_range")


def test_page_too_deep_is_refused_with_the_cursor_as_the_way_out(db, client):
    [fault] = refusal(client, "companies/", page=DEEPEST_ROW // 50 + 1)

    assert (fault["parameter"], fault["code"]) == ("page", "out_of_range")
    assert "cursor=*" in fault["detail"]


# Cursors


@pytest.fixture
def cursor(db, client):
    """A cursor of the bills, newest first, as of a day."""
    for _ in range(3):
        make_policy(kind="bill")
    following = ask(client, "policies/", kind="bill", on="2024-01-01", ordering="-title", page_size=1, cursor="*")[
        "next"
    ]
    return dict(part.split("=") for part in following.split("?")[1].split("&"))["cursor"].replace("%3A", ":")


def test_cursor_goes_on_where_it_stopped(cursor, client):
    sent = {"kind": "bill", "on": "2024-01-01", "ordering": "-title", "cursor": cursor}

    assert len(ask(client, "policies/", **sent)["results"]) == 2


def test_cursor_lets_fields_and_page_size_change(cursor, client):
    sent = {"kind": "bill", "on": "2024-01-01", "ordering": "-title", "cursor": cursor}

    assert [list(row) for row in ask(client, "policies/", **sent, fields="slug", page_size=1)["results"]] == [["slug"]]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("policies/", {"kind": "statute"}),
        ("policies/", {"kind": None}),
        ("policies/", {"title__contains": "a"}),
        ("policies/", {"ordering": "title"}),
        ("policies/", {"ordering": None}),
        ("policies/", {"on": "2024-01-02"}),
        ("policies/", {"on": None}),
    ],
)
def test_cursor_of_another_question_is_refused(cursor, client, path, change):
    sent = {"kind": "bill", "on": "2024-01-01", "ordering": "-title", "cursor": cursor} | change

    [fault] = refusal(client, path, **{name: value for name, value in sent.items() if value})

    assert (fault["parameter"], fault["code"]) == ("cursor", "contradictory")


def test_cursor_of_another_collection_is_refused(db, client):
    for _ in range(2):
        make_policy()
        make_company()
    of_policies = ask(client, "policies/", page_size=1, cursor="*", ordering="slug")["next"]

    [fault] = faults(client.get(of_policies.replace("policies", "companies")), 400)

    assert (fault["parameter"], fault["code"]) == ("cursor", "contradictory")


@pytest.mark.parametrize("place", [0, 5, 20, -20, -1])
def test_tampered_cursor_is_refused(cursor, client, place):
    letter = "a" if cursor[place] != "a" else "b"
    tampered = f"{cursor[:place]}{letter}{cursor[place:][1:]}"

    [fault] = refusal(client, "policies/", kind="bill", on="2024-01-01", ordering="-title", cursor=tampered)

    assert (fault["parameter"], fault["code"]) == ("cursor", "malformed")


@pytest.mark.parametrize(
    "made_up",
    ["**", "a", ":", "::", "a:b:c", "é", "1", "eyJ9:1:x", "." * 100],
)
def test_made_up_cursor_is_refused(db, client, made_up):
    [fault] = refusal(client, "policies/", cursor=made_up)

    assert (fault["parameter"], fault["code"]) == ("cursor", "malformed")


def test_what_we_signed_for_something_else_is_no_cursor(db, client):
    [fault] = refusal(client, "policies/", cursor=signing.Signer(salt="session").sign_object(["x", "2024-01-01", []]))

    assert fault["code"] == "malformed"


def test_cursor_remembers_the_longest_titles(db, client):
    letters = Random(3)
    for _ in range(3):
        make_source(title="".join(chr(letters.randrange(0xAC00, 0xD7A3)) for _ in range(400)))

    assert len(walked_slugs(client, "sources/", ordering="title", cursor="*", page_size=1)) == 3


def walked_slugs(client, path, **sent):
    return [row["slug"] for page in walk(client, path, **sent) for row in page["results"]]


def test_walk_keeps_the_day_on_which_it_started(db, client, monkeypatch):
    for slug in ("a", "b", "c"):
        make_milestone(policy=make_policy(slug=slug), kind="in_force", date=date(2024, 1, 2))
    monkeypatch.setattr("django.utils.timezone.localdate", lambda: date(2024, 1, 1))
    first = ask(client, "policies/", page_size=1, cursor="*", ordering="slug")
    monkeypatch.setattr("django.utils.timezone.localdate", lambda: date(2024, 1, 2))

    second = client.get(first["next"]).json()

    assert second["on"] == "2024-01-01"
    assert second["results"][0]["status"]["code"] == "not_yet_announced"


@pytest.mark.parametrize("order", ["title", "-title", "introduced_on", "-introduced_on", "kind,-title", "-slug"])
def test_rows_that_come_in_during_a_walk_neither_hide_nor_double_others(db, client, order):
    random = Random(order)
    standing = {make_random_policy(random).slug for _ in range(12)}

    found = []
    for page in walk(client, "policies/", ordering=order, page_size=3, cursor="*"):
        found += [row["slug"] for row in page["results"]]
        make_random_policy(random)

    assert len(found) == len(set(found))
    assert standing <= set(found)


def make_random_policy(random):
    policy = make_policy(title=random.choice("abc"), kind=random.choice(["bill", "statute"]))
    if random.random() < 0.6:
        make_milestone(policy=policy, date=date(2024, 1, random.randint(1, 4)))
    return policy


def test_rows_that_go_during_a_walk_do_not_hide_others(db, client):
    policies = [make_policy(slug=f"policy-{number}") for number in range(9)]

    found = []
    for page in walk(client, "policies/", ordering="slug", page_size=3, cursor="*"):
        found += [row["slug"] for row in page["results"]]
        Policy.objects.filter(slug__in=[policies[0].slug, policies[2].slug]).delete()

    assert found == [policy.slug for policy in policies]


def test_cursor_is_the_same_whenever_it_is_given(db, client, monkeypatch):
    """Two processes give the same answer under one tag, so it says the same in both."""
    for _ in range(3):
        make_source()
    first = ask(client, "sources/", cursor="*", page_size=2)
    kept.memory._entries.clear()
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)

    assert ask(client, "sources/", cursor="*", page_size=2) == first
