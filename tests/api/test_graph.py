"""The graph of a record is its whole neighbourhood, or says that it is not."""

from collections import defaultdict
from datetime import date
from itertools import permutations
from random import Random

import pytest
from django.apps import apps
from django.db.models import Max
from django.test import Client

from regulations.api import graph
from regulations.api.records import KINDS
from regulations.api.urls import RESOURCES
from regulations.models import AuthorisationFacet, Change, Policy, PolicyFacet
from tests.api.asking import ask, get, problem, refusal
from tests.api.test_queries import statements
from tests.api.worlds import World
from tests.factories import (
    make_appointment,
    make_citation,
    make_company,
    make_company_relation,
    make_membership,
    make_person,
    make_policy,
    make_policy_relation,
    make_regulator,
    make_source,
    make_topic,
)

# What others say is told there in another order, and is no bond of its own.
COPIES = {AuthorisationFacet, PolicyFacet}
KEY = {resource.queryset.model: (resource.collection, resource.key) for resource in RESOURCES}


def name_of(record):
    collection, key = KEY[type(record)]
    return f"{collection}/{getattr(record, key)}"


def neighbours():
    """Which records hang together, by walking over every row of every model, without what the API knows of edges."""
    found = defaultdict(set)
    for model in {*apps.get_app_config("regulations").get_models(include_auto_created=True)} - COPIES:
        keys = [f.name for f in model._meta.concrete_fields if f.is_relation and f.related_model in KEY]
        for row in model._base_manager.all():
            ends = [getattr(row, name) for name in keys if getattr(row, f"{name}_id")]
            # A record hangs together with each that it names; of a table between records, each with each.
            pairs = [(row, end) for end in ends] if model in KEY else permutations(ends, 2)
            for one, other in pairs:
                found[name_of(one)].add(name_of(other))
                found[name_of(other)].add(name_of(one))
    return {name: others - {name} for name, others in found.items()}


def within(root, depth, adjacent):
    """Each record within so many steps, with its distance."""
    distances, frontier = {root: 0}, [root]
    for distance in range(1, depth + 1):
        frontier = sorted({other for one in frontier for other in adjacent.get(one, ())} - distances.keys())
        distances |= dict.fromkeys(frontier, distance)
    return distances


def depths(answer):
    return {node["id"]: node["depth"] for node in answer["nodes"]}


def edges(client, path, **sent):
    return [(edge["from"], edge["kind"], edge["to"]) for edge in ask(client, f"graph/{path}/", **sent)["edges"]]


def test_kinds_of_records_are_those_of_the_collections():
    assert [(kind.collection, kind.model, kind.key) for kind in KINDS] == [
        (resource.collection, resource.queryset.model, resource.key) for resource in RESOURCES
    ]


@pytest.mark.parametrize("seed", range(3))
def test_neighbourhood_is_what_a_walk_over_all_rows_finds(world_of, client, seed):
    world_of(seed, size=6)
    adjacent = neighbours()
    assert len(adjacent) > 60

    for root in Random(seed).sample(sorted(adjacent), 12):
        for depth in (1, 2, 3):
            answer = ask(client, f"graph/{root}/", depth=depth)
            expected = within(root, depth, adjacent)
            assert depths(answer) == expected, (root, depth)
            assert answer["is_complete"] is True
            pairs = {frozenset((edge["from"], edge["to"])) for edge in answer["edges"]}
            assert pairs == {frozenset((one, other)) for one in expected for other in adjacent[one] & expected.keys()}


def test_neighbourhood_in_the_knowledge_is_what_a_walk_over_all_rows_finds(knowledge):
    adjacent = neighbours()

    for root in ("companies/kucoin", "policies/eu-mica", "jurisdictions/HK", "people/julia-leung"):
        assert depths(ask(Client(), f"graph/{root}/")) == within(root, 1, adjacent), root


def test_edges_say_what_the_one_is_to_the_other_and_since_when(db, client):
    firm, other = make_company(slug="firm"), make_company(slug="other")
    make_company_relation(company=firm, kind="parent", target=other, valid_from=date(2024, 1, 1))

    [edge] = ask(client, "graph/companies/other/")["edges"]

    assert edge == {
        "from": "companies/firm",
        "to": "companies/other",
        "kind": "parent",
        "label": "Parent of",
        "since": "2024-01-01",
        "until": None,
    }


def test_edges_are_read_from_foreign_keys_lists_and_tables_between(db, client):
    policy = make_policy(slug="law")
    policy.topics.add(make_topic(slug="custody"))
    place = policy.jurisdiction.code
    make_policy_relation(policy=make_policy(slug="rules", jurisdiction=policy.jurisdiction), target=policy)
    make_citation(policy=policy, source=make_source(slug="gazette"))
    make_citation(policy=policy, source_id=policy.citations.get().source_id, locator="Another page of it")

    assert edges(client, "policies/law") == [
        ("policies/law", "jurisdiction", f"jurisdictions/{place}"),
        ("policies/law", "rests_on", "sources/gazette"),
        ("policies/law", "topics", "topics/custody"),
        ("policies/rules", "jurisdiction", f"jurisdictions/{place}"),
        ("policies/rules", "amends", "policies/law"),
    ]


@pytest.mark.parametrize(("on", "holds"), [("2023-12-31", 0), ("2024-01-01", 1), ("2024-12-31", 1), ("2025-01-01", 0)])
def test_day_that_is_asked_about_keeps_the_relations_that_hold_on_it(db, client, on, holds):
    span = {"valid_from": date(2024, 1, 1), "valid_until": date(2025, 1, 1)}
    person = make_person(slug="chair")
    make_appointment(person=person, regulator=make_regulator(), **span)
    firm = make_company_relation(**span).company
    place = make_membership(**span).member

    for root in ("people/chair", f"companies/{firm.slug}", f"jurisdictions/{place.code}"):
        dated = ask(client, f"graph/{root}/", on=on)
        assert (len(dated["nodes"]), len(dated["edges"])) == (1 + holds, holds), root
        assert len(ask(client, f"graph/{root}/")["edges"]) == 1, root


def test_collections_bound_where_the_search_goes(world_of, client):
    world_of(2, size=8)
    root = name_of(Policy.objects.first())

    answer = ask(client, f"graph/{root}/", depth=3, collection="policies,regulators")

    assert {node["collection"] for node in answer["nodes"]} <= {"policies", "regulators"}
    assert depths(answer).items() == bounded(root, {"policies", "regulators"}).items()


def bounded(root, collections):
    adjacent = neighbours()
    kept = {
        one: {other for other in others if other.split("/")[0] in collections}
        for one, others in adjacent.items()
        if one.split("/")[0] in collections
    }
    return within(root, 3, kept)


@pytest.mark.parametrize("room", [1, 2, 5, 30])
def test_graph_that_is_cut_says_so_and_how_much_was_left_out(world_of, client, monkeypatch, room):
    world_of(2, size=8)
    adjacent = neighbours()
    root = max(adjacent, key=lambda name: (len(adjacent[name]), name))
    whole = within(root, 3, adjacent)
    monkeypatch.setattr(graph, "MOST_NODES", room)

    answer = ask(client, f"graph/{root}/", depth=3)

    cut_at = next(depth for depth in (1, 2, 3) if sum(at <= depth for at in whole.values()) > room)
    assert (answer["is_complete"], len(answer["nodes"])) == (False, room)
    assert answer["left_out"] == sum(at <= cut_at for at in whole.values()) - room
    assert depths(answer).items() <= whole.items()
    assert answer == ask(client, f"graph/{root}/", depth=3)


def test_graph_that_just_fits_in_is_complete(db, client, monkeypatch):
    World(Random(2), size=4).fill()
    adjacent = neighbours()
    root = max(adjacent)
    monkeypatch.setattr(graph, "MOST_NODES", len(within(root, 2, adjacent)))

    assert ask(client, f"graph/{root}/", depth=2)["is_complete"] is True


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_depth_decides_the_number_of_queries_however_much_is_found(world_of, client, depth):
    world_of(5, size=3)
    root = max(neighbours(), key=len)
    with statements() as few:
        ask(client, f"graph/{root}/", depth=depth)
    world_of(5, size=20)
    root = max(neighbours(), key=len)

    with statements() as many:
        ask(client, f"graph/{root}/", depth=depth)

    # 1. SELECT the versions of the tables. 2. SELECT the root. 3. to 5. SELECT the neighbours, once for each step.
    # 6. SELECT the records. 7. SELECT the edges between them. 8. SELECT the versions again.
    assert len(few) == len(many) == 5 + depth


@pytest.mark.parametrize(
    ("sent", "parameter", "code"),
    [
        ({"depth": "4"}, "depth", "out_of_range"),
        ({"depth": "0"}, "depth", "out_of_range"),
        ({"depth": "two"}, "depth", "malformed"),
        ({"collection": "polices"}, "collection", "unknown"),
        ({"deph": "1"}, "deph", "unknown"),
    ],
)
def test_what_could_be_misread_is_refused(db, client, sent, parameter, code):
    make_company(slug="firm")

    faults = refusal(client, "graph/companies/firm/", **sent)

    assert [(fault["parameter"], fault["code"]) for fault in faults] == [(parameter, code)]


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("companies/frim", "firm"),
        ("companys/firm", "companies"),
        ("companies/fi%00rm", "firm"),
        ("nothing/like-it", None),
    ],
)
def test_record_that_is_not_there_is_told_with_the_nearest(db, client, path, nearest):
    make_company(slug="firm")

    assert problem(get(client, f"graph/{path}/"), 404).get("nearest") == nearest


def test_old_key_leads_on_to_the_graph_of_the_new_one(db, client):
    firm = make_company(slug="huobi")
    firm.slug = "htx"
    firm.save()

    answer = client.get("/api/v1/graph/companies/huobi/?depth=2")

    assert (answer.status_code, answer["Location"]) == (308, "/api/v1/graph/companies/htx/?depth=2")


def test_past_moment_has_the_edges_of_then(committed):
    client, relation = Client(), make_company_relation(kind="partner")
    root = f"companies/{relation.company.slug}"
    moment = Change.objects.aggregate(Max("moment"))["moment__max"].isoformat().replace("+00:00", "Z")
    relation.kind = "acquirer"
    relation.save()
    make_company_relation(company=relation.company)

    assert [kind for _, kind, _ in edges(client, root, known_at=moment)] == ["partner"]
    assert [kind for _, kind, _ in edges(client, root)] == ["acquirer", "partner"]
