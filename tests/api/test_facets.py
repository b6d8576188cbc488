"""Facets are compared with what is counted row by row in Python."""

from collections import Counter
from random import Random

import pytest

from kbase.reading.facets import MOST_VALUES
from kbase.reading.filters import Codes, Flag, Reference
from regulations.api.urls import RESOURCES
from regulations.models import Policy
from tests.api.asking import ask, refusal, walk
from tests.api.test_filters import COMPUTED, ON, cases, holds, related, value_at
from tests.api.test_queries import LIST, queries, statements
from tests.factories import (
    make_citation,
    make_company,
    make_jurisdiction,
    make_milestone,
    make_policy,
    make_policy_regulator,
    make_regulator,
    make_source,
    make_topic,
)

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)


def facetable(resource):
    """The filters that name a value which many records may share, by their declarations."""
    declared = resource.filterset_class.declared_filters
    kinds = {name: each for name, each in declared.items() if isinstance(each, Codes | Reference | Flag)}
    return {name: each for name, each in kinds.items() if (each.model, name) != (Policy, "applies_in")}


def values_of(declared, name, row):
    """The values of a row that a facet counts."""
    if isinstance(declared, Reference):
        return related(declared, name, row)
    if isinstance(declared, Flag):
        return {"true" if row.date <= ON else "false"}
    compute = COMPUTED.get((declared.model, name)) or (lambda row: value_at(row, declared.field_name or name))
    return {compute(row)} - {""}


def counted(declared, name, rows):
    """The facet's values with their counts, in its order."""
    counts = Counter(value for row in rows for value in values_of(declared, name, row))
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def shown(facet):
    return [(each["value"], each["count"]) for each in facet]


def random_questions(resource, rows, random, count):
    """Random filters, as parameters and as conditions in Python, each with the filter it belongs to."""
    possible = [
        (name, name + suffix, value, condition)
        for name, declared in resource.filterset_class.declared_filters.items()
        for suffix, value, condition in cases(declared, name, rows)
        if name + suffix in resource.filterset_class.base_filters
    ]
    for _ in range(count):
        yield {name: each for name, *each in random.sample(possible, random.randint(1, 3))}


@every_resource
@pytest.mark.parametrize("seed", [1, 2])
def test_facets_count_what_meets_the_other_filters(world_of, client, resource, seed):
    random = Random(seed)
    world_of(seed, size=9)
    rows = [row for row in resource.queryset.all() if resource.holding_on is None or holds(row, ON)]
    facets = facetable(resource)

    for chosen in random_questions(resource, rows, random, 12):
        sent = {parameter: value for parameter, value, _ in chosen.values()}
        asked = random.sample(list(facets), min(len(facets), 3))
        answer = ask(client, f"{resource.collection}/", on=ON, facets=",".join(asked), **sent)
        assert list(answer["facets"]) == asked
        for name in asked:
            others = [met for other, (_, _, met) in chosen.items() if other != name]
            found = [row for row in rows if all(met(row) for met in others)]
            assert shown(answer["facets"][name]) == counted(facets[name], name, found), (name, sent)


@every_resource
def test_counts_of_a_facet_with_one_value_a_record_sum_up_to_the_records_that_have_one(world_of, client, resource):
    world_of(3, size=8)

    for name, declared in facetable(resource).items():
        if isinstance(declared, Codes | Flag) or not declared._is_many(name):
            answer = ask(client, f"{resource.collection}/", on=ON, facets=name)
            empty = {f"{name}__isnull": "true"} if f"{name}__isnull" in resource.filterset_class.base_filters else None
            without = ask(client, f"{resource.collection}/", on=ON, **empty)["count"] if empty else 0
            assert sum(count for _, count in shown(answer["facets"][name])) == answer["count"] - without, name


@every_resource
def test_each_value_of_a_facet_finds_as_many_records_as_it_says(world_of, client, resource):
    world_of(4, size=6)

    for name in facetable(resource):
        for value, count in shown(ask(client, f"{resource.collection}/", on=ON, facets=name)["facets"][name])[:4]:
            assert ask(client, f"{resource.collection}/", on=ON, **{name: value})["count"] == count, (name, value)


@every_resource
def test_facets_are_the_filters_by_codes_by_related_records_and_by_yes_or_no(db, client, resource):
    [fault] = refusal(client, f"{resource.collection}/", facets="nonsense")

    assert (fault["parameter"], fault["code"]) == ("facets", "unknown")
    assert fault["allowed"] == list(facetable(resource)) == list(resource.filterset_class.facets())


def test_filter_that_is_no_facet_is_refused_with_the_nearest(db, client):
    told = refusal(client, "policies/", facets="jurisdicton,title,applies_in,kind__not,kind")

    assert [fault["code"] for fault in told] == ["unknown"] * 4
    assert told[0]["nearest"] == "jurisdiction"
    assert [fault["code"] for fault in refusal(client, "policies/", facets="kind,kind")] == ["repeated"]


def test_facet_has_values_labels_and_counts_and_stands_after_the_results(db, client):
    hong_kong, singapore = make_jurisdiction(code="HK", name="Hong Kong"), make_jurisdiction(code="SG", name="新加坡")
    for place in (hong_kong, hong_kong, singapore):
        make_policy(jurisdiction=place, kind="bill")

    answer = ask(client, "policies/", facets="jurisdiction,kind", jurisdiction="HK")

    assert list(answer)[-2:] == ["results", "facets"]
    assert answer["facets"] == {
        "jurisdiction": [
            {"value": "HK", "label": "Hong Kong", "count": 2},
            {"value": "SG", "label": "新加坡", "count": 1},
        ],
        "kind": [{"value": "bill", "label": "Bill", "count": 2}],
    }


def test_facet_leaves_out_all_parameters_of_its_own_filter(db, client):
    custody, staking, mining = (make_topic(slug=slug) for slug in ("custody", "staking", "mining"))
    make_policy(kind="bill").topics.set([custody, staking])
    make_policy(kind="bill").topics.set([mining])
    make_policy(kind="statute").topics.set([custody, staking, mining])

    for own in ({"topic": "custody"}, {"topic__not": "mining"}, {"topic__all": "custody,staking"}):
        answer = ask(client, "policies/", facets="topic", kind="bill", **own)
        assert shown(answer["facets"]["topic"]) == [("custody", 1), ("mining", 1), ("staking", 1)]


def test_regulator_with_several_roles_and_source_cited_twice_count_a_policy_once(db, client):
    policy, source, regulator = make_policy(), make_source(slug="gazette"), make_regulator(slug="esma")
    for role in ("issuer", "supervisor", "enforcer"):
        make_policy_regulator(policy=policy, regulator=regulator, role=role)
    for page in ("1", "2"):
        make_citation(policy=policy, source=source, locator=page)

    facets = ask(client, "policies/", facets="regulator,source")["facets"]

    assert {name: shown(facet) for name, facet in facets.items()} == {
        "regulator": [("esma", 1)],
        "source": [("gazette", 1)],
    }


@pytest.mark.parametrize(("day", "status"), [("2024-06-29", "published"), ("2024-06-30", "in_force")])
def test_facet_of_a_computed_status_follows_the_day(db, client, day, status):
    policy = make_policy()
    make_milestone(policy=policy, kind="published", date="2023-06-09")
    make_milestone(policy=policy, kind="in_force", date="2024-06-30")

    assert shown(ask(client, "policies/", facets="status", on=day)["facets"]["status"]) == [(status, 1)]


def test_facet_has_the_hundred_most_frequent_values(db, client):
    places = [make_jurisdiction() for _ in range(MOST_VALUES + 2)]
    for place in places:
        make_company(headquarters=place)
    make_company(headquarters=places[-1])

    facet = shown(ask(client, "companies/", facets="headquarters")["facets"]["headquarters"])

    assert len(facet) == MOST_VALUES
    assert facet[0] == (places[-1].code, 2)
    assert [value for value, _ in facet[1:]] == sorted(place.code for place in places[:-1])[: MOST_VALUES - 1]


def test_facets_of_nothing_are_empty(db, client):
    assert ask(client, "policies/", facets="kind,topic")["facets"] == {"kind": [], "topic": []}


def test_facets_come_with_every_page_and_the_walk_goes_on_without_them(db, client):
    for _ in range(5):
        make_policy(kind="bill")

    for start in ({"page": 1}, {"cursor": "*"}):
        pages = list(walk(client, "policies/", page_size=2, facets="kind", **start))
        assert [shown(page["facets"]["kind"]) for page in pages] == [[("bill", 5)]] * 3
    following = ask(client, "policies/", page_size=2, cursor="*", facets="kind")["next"]
    assert "facets" not in client.get(following.replace("facets=kind&", "").replace("&facets=kind", "")).json()


@every_resource
def test_each_facet_costs_one_statement_and_sorts_out_no_doubles(world_of, client, resource):
    world_of(5, size=3)
    names = list(resource.filterset_class.facets())

    run = queries(client, f"{resource.collection}/", facets=",".join(names))

    # And the versions again, to see that page and facets are of one state.
    assert len(run) == LIST + len(names) + 1
    assert not any("DISTINCT" in sql for sql in run)


def test_facets_of_one_shape_are_compiled_once(db, client):
    make_jurisdiction(code="HK")
    make_jurisdiction(code="SG")

    with statements() as first:
        ask(client, "policies/", facets="status,topic", jurisdiction="HK", on="2024-01-01")
    with statements() as second:
        ask(client, "policies/", facets="status,topic", jurisdiction="SG", on="2025-01-01")

    assert first == second
