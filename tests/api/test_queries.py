"""What an answer costs the database: the same few queries however much is shown, and no work for what is not."""

from contextlib import contextmanager

import pytest
from django.apps import apps
from django.db import connection

from kbase.reading.covering import Covering
from kbase.reading.versions import VERSIONS
from regulations.api.urls import RESOURCES
from tests.api.asking import ROOT, ask, get, refusal
from tests.factories import make_jurisdiction, make_policy, make_regulator, make_topic

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)

# 1. SELECT the versions of the tables, which the answer's tag is made of.
# 2. SELECT how many rows there are that meet the filters.
# 3. SELECT the page, each row rendered with all that it shows, and the versions that it saw: count and page are of one state.
LIST = 3
# 1. SELECT the versions.
# 2. SELECT count(*): nothing meets the filters, so there is no page.
NOTHING = 2
# 1. SELECT the versions.
# 2. SELECT the page, and one row more to tell whether it goes on.
WALK = 2
# 1. SELECT the versions.
# 2. SELECT the record, rendered with all that it shows.
RECORD = 2


@contextmanager
def statements():
    """The statements that are run inside."""
    run = []

    def note(execute, sql, params, many, context):
        run.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield run


def queries(client, path, **sent):
    with statements() as run:
        ask(client, path, **sent)
    return run


def longest(run):
    """The statement that renders what is shown."""
    return max((sql for sql in run if sql != VERSIONS), key=len)


def expandable(client, resource, path=""):
    """The relations that a list, or a record, can show whole."""
    [fault] = refusal(client, f"{resource.collection}/{path}", expand="nonsense")
    return fault.get("allowed", [])


def a_key(resource):
    return resource.queryset.values_list(resource.key, flat=True).order_by("pk")[0]


def tables(sql):
    """The tables of our models that a statement reads, but those that stand in for others."""
    found = {model._meta.db_table for model in apps.get_models() if f'"{model._meta.db_table}"' in sql}
    return found - {"regulations_policyfacet", "regulations_authorisationfacet"}


def selections(client, resource, path=""):
    """Questions that show much and little."""
    yield {}
    yield {"fields": resource.key}
    yield {"omit": resource.key}
    if relations := expandable(client, resource, path):
        yield {"expand": ",".join(relations)}


@every_resource
def test_list_of_30_costs_as_many_queries_as_one_of_2(world_of, client, resource):
    world_of(5, size=2)
    few = [queries(client, f"{resource.collection}/", page_size=200, **sent) for sent in selections(client, resource)]
    world_of(5, size=30)

    many = [queries(client, f"{resource.collection}/", page_size=200, **sent) for sent in selections(client, resource)]

    assert [len(run) for run in few] == [len(run) for run in many] == [LIST] * len(few)
    assert ask(client, f"{resource.collection}/")["count"] >= 30


@every_resource
def test_walk_costs_one_query_a_page(world_of, client, resource):
    # Enough that the second page is not the one that goes on with the rows without a value, which costs one more.
    world_of(5, size=20)
    first = queries(client, f"{resource.collection}/", page_size=2, cursor="*")
    following = ask(client, f"{resource.collection}/", page_size=2, cursor="*")["next"]

    with statements() as second:
        assert client.get(following).status_code == 200

    assert len(first) == len(second) == WALK


@every_resource
def test_record_costs_one_query_however_much_belongs_to_it(world_of, client, resource):
    world_of(5, size=8)
    path = f"{a_key(resource)}/"

    for sent in selections(client, resource, path):
        assert len(queries(client, f"{resource.collection}/{path}", **sent)) == RECORD


@every_resource
def test_key_alone_is_read_from_the_one_table(world_of, client, resource):
    world_of(5, size=2)
    order = {"ordering": resource.key}

    whole = queries(client, f"{resource.collection}/", **order)
    key = queries(client, f"{resource.collection}/", fields=resource.key, **order)

    own, covering = resource.queryset.model._meta.db_table, resource.covering
    # What is counted in advance is not counted again.
    counted = covering.tallies.rows.model._meta.db_table if isinstance(covering, Covering) and covering.tallies else own
    assert [tables(sql) for sql in key[1:3]] == [{counted}, {own}]
    assert len(key[2]) < len(whole[2])


@every_resource
@pytest.mark.parametrize("path", ["", "record"])
def test_each_field_left_out_makes_the_statement_shorter(world_of, client, resource, path):
    world_of(5, size=2)
    path = f"{resource.collection}/{path and a_key(resource) + '/'}"
    shown = ask(client, path, page_size=1)["results"][0] if path.count("/") == 1 else ask(client, path)
    whole = longest(queries(client, path))

    for name in shown:
        without = longest(queries(client, path, omit=name))
        assert len(without) < len(whole), name


def test_relation_that_is_not_shown_is_not_read(db, client):
    make_policy()

    # The order is none for the table that knows the status already.
    whole = longest(queries(client, "policies/", ordering="title"))
    without = longest(queries(client, "policies/", ordering="title", omit="regulators,topics,status,jurisdiction"))

    read = {f"regulations_{name}" for name in ("policyregulator", "regulator", "topic", "milestone", "jurisdiction")}
    assert read <= tables(whole)
    assert tables(without) == {"regulations_policy"}


def test_status_is_not_looked_up_where_the_table_that_finds_policies_tells_it(db, client):
    make_policy()

    sql = longest(queries(client, "policies/"))

    assert "regulations_policyfacet" in sql
    assert "regulations_milestone" not in tables(sql)


def test_parts_that_are_not_shown_are_not_read(db, client):
    make_policy(slug="mica")

    [_, sql] = queries(client, "policies/mica/", fields="milestones.date,jurisdiction.code")

    assert tables(sql) == {"regulations_policy", "regulations_milestone", "regulations_jurisdiction"}


def test_each_filter_by_relation_costs_one_query_to_know_the_keys(db, client):
    make_jurisdiction(code="HK")
    make_topic(slug="custody")
    make_topic(slug="staking")
    make_regulator(slug="hk-sfc")

    # Besides what every list costs: SELECT the ids of the jurisdictions, the regulators, the topics.
    run = queries(client, "policies/", jurisdiction="HK", regulator="hk-sfc", topic__all="custody,staking", kind="bill")

    # Nothing is found, so no page is read, and the versions are looked at again instead.
    assert len(run) == 3 + LIST


def test_question_that_is_refused_reads_no_records(db, client):
    with statements() as run:
        refusal(client, "policies/", jurisdicton="HK", kind="lawn", fields="titel", ordering="nope", on="yesterday")

    assert run == [VERSIONS]


def test_options_cost_nothing(db, client):
    with statements() as run:
        assert client.options(f"{ROOT}policies/").status_code == 200

    assert run == []


@pytest.mark.parametrize(("key", "more"), [("nofhing", 1), ("xothing", 2)])
def test_record_that_does_not_exist_costs_one_query_more_for_the_nearest_or_two(db, client, key, more):
    make_policy(slug="nothing")

    with statements() as run:
        missing = get(client, f"policies/{key}/")

    # Who had the key before; the keys that begin like it, and if there are none, the first of all.
    assert len(run) == RECORD + 1 + more
    assert missing.json()["nearest"] == "nothing"


@every_resource
def test_statements_never_sort_out_doubles(world_of, client, resource):
    """`DISTINCT` would hide that a filter repeats rows, at the cost of reading all of them."""
    world_of(5, size=3)

    for name, declared in resource.filterset_class.declared_filters.items():
        to = getattr(declared, "to", None)
        if to:
            key = to._base_manager.values_list(declared.key, flat=True)[0]
            assert not any("DISTINCT" in sql for sql in queries(client, f"{resource.collection}/", **{name: key}))


LINKED = [
    (resource, name)
    for resource in RESOURCES
    for name, parameter in resource.filterset_class.base_filters.items()
    if parameter.links and not isinstance(resource.covering, Covering)
]


@pytest.mark.parametrize(("resource", "name"), LINKED, ids=lambda part: getattr(part, "collection", part))
def test_records_are_not_read_to_be_counted_by_one_related_record(world_of, client, resource, name):
    world_of(7)
    field = resource.filterset_class.declared_filters[name].field_name or name
    key = resource.filterset_class.declared_filters[name].key
    found = resource.queryset.exclude(**{field: None}).values_list(f"{field}__{key}", flat=True)
    [asked, *others] = found

    with statements() as run:
        count = ask(client, f"{resource.collection}/", **{name: asked})["count"]

    assert count == [asked, *others].count(asked) > 0
    [counting] = [sql for sql in run if sql.startswith("SELECT count(*)")]
    assert f'FROM "{resource.queryset.model._meta.db_table}"' not in counting
