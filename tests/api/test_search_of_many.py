"""A list in which very many are found answers as if all of them had been gathered, without gathering them."""

import pytest
from django.db import connection, transaction

from kbase.reading import answers
from regulations.api import search
from tests.api.asking import ROOT, ask, refusal, walk
from tests.api.test_covering import nodes_of, run_of
from tests.api.test_search import plan

ORDERS = [None, "slug", "-introduced_on", "kind,relevance", "-effective_from,-slug"]


@pytest.fixture
def few_are_many(monkeypatch):
    """A function after which what is more than forty is very much, and one after which nothing is."""

    def bound(*, gathered):
        monkeypatch.setattr(search, "COUNTED", 40)
        monkeypatch.setattr(search, "GATHERED", gathered)
        monkeypatch.setattr(search, "TELLING", 0)

    return bound


def slugs(pages):
    return [row["slug"] for page in pages for row in page["results"]]


def sent(ordering, **others):
    return {"q": "crypto assets", "fields": "slug", **({"ordering": ordering} if ordering else {}), **others}


@pytest.mark.parametrize("ordering", ORDERS)
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"topic": "stablecoin-issuance"},
        {"jurisdiction": "HK,EU,US"},
        {"status": "in_force"},
        {"kind__not": "statute"},
    ],
    ids=lambda filters: "-".join(filters) or "all",
)
def test_very_many_are_the_same_in_the_same_order(knowledge, client, few_are_many, ordering, filters):
    few_are_many(gathered=10**6)
    [whole] = walk(client, "policies/", **sent(ordering, page_size=200, **filters))
    assert whole["count"] == len(whole["results"]) > 10

    few_are_many(gathered=0)
    numbered = list(walk(client, "policies/", **sent(ordering, page_size=7, **filters)))
    walked = list(walk(client, "policies/", **sent(ordering, page_size=7, cursor="*", **filters)))

    assert slugs(numbered) == slugs(walked) == slugs([whole])
    assert [page["previous"] is None for page in numbered] == [True] + [False] * (len(numbered) - 1)


def test_very_many_are_found_in_every_collection(knowledge, client, few_are_many):
    asked = 0
    for collection in ("companies", "stances", "sources", "milestones", "authorisations"):
        few_are_many(gathered=10**6)
        whole = ask(client, f"{collection}/", q="crypto", page_size=200)
        few_are_many(gathered=0)
        pages = list(walk(client, f"{collection}/", q="crypto", page_size=60))
        asked += pages[0]["count"] is None
        assert [row for page in pages for row in page["results"]][:200] == whole["results"]
    assert asked >= 3


def test_very_many_are_counted_exactly_or_not_at_all(knowledge, client, few_are_many, monkeypatch):
    monkeypatch.setattr(answers, "COUNTED", 40)
    few_are_many(gathered=10**6)
    questions = [
        sent(None, **each)
        for each in ({}, {"topic": "stablecoin-issuance"}, {"jurisdiction": "HK"}, {"on": "2024-01-01"})
    ]
    exact = [ask(client, "policies/", **each)["count"] for each in questions]

    few_are_many(gathered=0)
    counts = [ask(client, "policies/", **each)["count"] for each in questions]

    assert counts == [count if count <= 40 and number > 0 else None for number, count in enumerate(exact)]
    assert counts[2] is not None


def test_facets_and_exports_of_very_many_are_whole(knowledge, client, few_are_many):
    few_are_many(gathered=10**6)
    facets = ask(client, "policies/", **sent(None, facets="jurisdiction,topic"))["facets"]
    exported = b"".join(client.get("/api/v1/policies/?q=crypto&format=ndjson"))

    few_are_many(gathered=0)

    assert ask(client, "policies/", **sent(None, facets="jurisdiction,topic"))["facets"] == facets
    assert b"".join(client.get("/api/v1/policies/?q=crypto&format=ndjson")) == exported


def test_page_beyond_the_last_of_very_many_is_refused(knowledge, client, few_are_many):
    few_are_many(gathered=0)
    pages = list(walk(client, "policies/", **sent(None, page_size=50)))

    [fault] = refusal(client, "policies/", **sent(None, page_size=50, page=len(pages) + 1))

    assert (fault["parameter"], fault["code"]) == ("page", "out_of_range")


def test_others_than_the_ranked_are_looked_through_in_the_order_of_the_list(knowledge):
    is_found = (
        "(SELECT document.vector @@ $1::tsquery FROM regulations_searchdocument AS document"
        " WHERE document.collection = 'policies' AND document.segment BETWEEN 1 AND 5 AND document.record_id = policy.id)"
    )

    planned = plan(f"SELECT id FROM regulations_policy AS policy WHERE {is_found} ORDER BY slug LIMIT 51", "crypto")

    assert "Sort" not in planned
    # Of each row its own document is looked at, and no index of words is read.
    assert "SubPlan" in planned
    assert "record_id = policy.id" in planned
    assert "Bitmap" not in planned


def test_others_of_a_place_are_looked_through_by_their_keys(knowledge, few_are_many):
    few_are_many(gathered=0)
    sql, params = run_of(f"{ROOT}policies/?q=crypto+assets&jurisdiction=HK&page_size=200", "(NOT (")
    with transaction.atomic(), connection.cursor() as cursor:
        # The knowledge is small; a large place is never sorted.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        [plan] = cursor.fetchone()[0]

    [looked_through] = [node for node in nodes_of(plan["Plan"]) if node.get("Index Name") == "policy_by_jurisdiction"]
    [limit] = [
        node for node in nodes_of(plan["Plan"]) if node["Node Type"] == "Limit" and looked_through in nodes_of(node)
    ]
    assert "jurisdiction_id = " in looked_through["Index Cond"]
    assert "Sort" not in {node["Node Type"] for node in nodes_of(limit)}
