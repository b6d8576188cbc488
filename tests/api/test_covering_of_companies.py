"""The table in which companies are looked for by a permission: it says what the permissions say, and answers as they would."""

from random import Random

import pytest
from django.db import connection, transaction
from django.test import Client

from bench import generate
from regulations.api.companies import CompanyResource
from regulations.models import (
    Authorisation,
    AuthorisationFacet,
    AuthorisationStatus,
    Company,
    Jurisdiction,
    Regulator,
    Topic,
)
from tests.api.asking import ROOT, ask, walk
from tests.api.edits import Editor
from tests.api.test_covering import forget_statements, nodes_of, run_of
from tests.api.test_queries import statements
from tests.api.worlds import World
from tests.conftest import own_database
from tests.factories import make_authorisation, make_company, make_jurisdiction, make_regulator, make_topic
from tests.reading.test_kept import together

LIST = "companies/"
TABLE = "regulations_authorisationfacet"


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, worker_id):
    with own_database(f"test_kbase_authorised_{worker_id}", django_db_setup, django_db_blocker):
        with transaction.atomic():
            generate.fill(1000)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        yield


@pytest.fixture
def uncovered(monkeypatch):
    """A function that lets companies be looked for without the table."""

    def uncover():
        monkeypatch.setattr(CompanyResource, "covering", None)
        forget_statements()

    yield uncover
    monkeypatch.undo()
    forget_statements()


def kept():
    return sorted(AuthorisationFacet.objects.values_list())


def made_anew():
    with connection.cursor() as cursor:
        cursor.execute("SELECT regulations_rebuild_authorisation_facets()")
    return kept()


def questions(random, count=40):
    """Groups for the table, of any of its conditions, on any day."""
    for _ in range(count):
        begun = random.choice([("regulator", regulators()), ("jurisdiction", places())])
        conditions = {begun[0]: random.choice(begun[1])}
        for name, choose in random.sample(list(CONDITIONS.items()), random.randint(0, 3)):
            conditions.setdefault(name, choose(random))
        group = ",".join(f"{name}:{value}" for name, value in conditions.items())
        day = f"2024-0{random.randint(1, 3)}-{random.randint(1, 28):02}"
        yield {"authorisation": group, "on": day, "ordering": random.choice(["slug", "-slug"])}


def regulators():
    return [*Regulator.objects.filter(authorisations__isnull=False).order_by("pk").values_list("slug", flat=True)]


def places():
    return [*Jurisdiction.objects.filter(authorisations__isnull=False).order_by("pk").values_list("code", flat=True)]


def some(values):
    return lambda random: "|".join(random.sample([*values()], random.randint(1, 2)))


def topics():
    return Topic.objects.order_by("pk").values_list("slug", flat=True)


CONDITIONS = {
    "regulator": some(lambda: sorted({*regulators()})),
    "jurisdiction__not": some(lambda: sorted({*places()})),
    "regulator__isnull": lambda random: random.choice(["true", "false"]),
    "kind": some(lambda: Authorisation.Kind.values),
    "status": some(lambda: AuthorisationStatus.values),
    "status__not": some(lambda: AuthorisationStatus.values),
    "activity": some(topics),
    "activity__not": some(topics),
    "activity__all": some(topics),
    "granted_on__gte": lambda random: "2024-01-02",
    "ended_on__isnull": lambda random: random.choice(["true", "false"]),
    "applied_on__lt": lambda random: "2024-01-31",
}


@pytest.mark.parametrize("seed", range(3))
def test_answers_are_the_same_without_the_table(db, client, uncovered, seed):
    World(Random(seed), size=25).fill()
    asked = [sent for sent in questions(Random(seed)) if client.get(ROOT + LIST, sent).status_code == 200]

    def found():
        for sent in asked:
            walked = walk(client, LIST, cursor="*", page_size=1, fields="slug", **sent)
            yield ask(client, LIST, **sent), [page["results"] for page in walked]

    with statements() as run:
        covered = list(found())
    assert all(TABLE in sql for sql in run if '"regulations_authorisation' in sql)
    uncovered()
    with statements() as run:
        plain = list(found())

    assert not any(TABLE in sql for sql in run)
    assert covered == plain
    assert len(asked) > 20
    assert len({answer["count"] for answer, _ in covered}) > 3


@pytest.mark.parametrize("seed", range(3))
def test_table_is_kept_whatever_is_edited_by_whatever_door(committed, seed):
    random = Random(seed)
    World(random, size=8).fill()
    editor = Editor(random)
    editor.models = [Authorisation, Authorisation.activities.through, Company, Topic]

    for _ in range(60):
        done = editor.edit()
        assert kept() == made_anew(), done
    assert len(kept()) > 3


def test_company_may_come_after_its_permission(committed):
    company = make_company(slug="acme")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE gone AS SELECT * FROM regulations_company")
        with transaction.atomic():
            cursor.execute("DELETE FROM regulations_company")
            make_authorisation(company=company)
            cursor.execute("INSERT INTO regulations_company SELECT * FROM gone")

    assert [row.slug for row in AuthorisationFacet.objects.all()] == ["acme"]


def test_activities_that_are_added_at_the_same_time_are_all_there(committed):
    authorisation = make_authorisation()
    added = [make_topic(slug=f"activity-{number}") for number in range(8)]

    together(committed, *(lambda topic=topic: authorisation.activities.add(topic) for topic in added))

    assert AuthorisationFacet.objects.get().activities == [topic.pk for topic in added]


def test_key_that_changes_while_permissions_are_given_is_the_new_one(committed):
    company, place = make_company(slug="old"), make_jurisdiction(code="HK")

    together(
        committed,
        *(lambda number=number: make_authorisation(company=company, jurisdiction=place) for number in range(4)),
        lambda: Company.objects.update(slug="new"),
        *(lambda number=number: make_authorisation(company=company, jurisdiction=place) for number in range(4)),
    )

    assert [row.slug for row in AuthorisationFacet.objects.all()] == ["new"] * 8


def test_permission_is_active_from_its_first_day_until_the_day_before_its_end(db, client):
    make_authorisation(regulator=make_regulator(slug="hk-sfc"), granted_on="2024-01-01", ended_on="2024-02-01")

    days = ["2023-12-31", "2024-01-01", "2024-01-31", "2024-02-01"]
    counts = [ask(client, LIST, authorisation="regulator:hk-sfc,status:active", on=day)["count"] for day in days]

    assert counts == [0, 1, 1, 0]


def test_company_with_two_permissions_is_told_once(db, client):
    company, regulator = make_company(slug="acme"), make_regulator(slug="hk-sfc")
    for kind in ("licence", "registration"):
        make_authorisation(company=company, regulator=regulator, kind=kind)

    answer = ask(client, LIST, authorisation="regulator:hk-sfc")

    assert (answer["count"], [row["slug"] for row in answer["results"]]) == (1, ["acme"])


def test_past_is_not_looked_for_in_the_table(committed):
    authorisation = make_authorisation(regulator=make_regulator(slug="hk-sfc"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(moment) FROM regulations_change")
        moment = cursor.fetchone()[0].isoformat().replace("+00:00", "Z")
    authorisation.delete()

    now = ask(Client(), LIST, authorisation="regulator:hk-sfc")
    past = ask(Client(), LIST, authorisation="regulator:hk-sfc", known_at=moment)

    assert (now["count"], past["count"]) == (0, 1)


@pytest.mark.parametrize(
    "sent",
    [
        {"authorisation": "status:active"},
        {"authorisation": "regulator__not:hk-sfc"},
        {"authorisation": "regulator:hk-sfc|de-bafin"},
        {"authorisation": "regulator:hk-sfc,reference:A"},
        {"authorisation__not": "regulator:hk-sfc"},
        {"authorisation": "regulator:hk-sfc", "activity": "custody"},
        {"regulator": "hk-sfc"},
    ],
)
def test_what_the_table_cannot_answer_is_asked_of_the_permissions(db, client, sent):
    make_regulator(slug="hk-sfc")
    make_regulator(slug="de-bafin")
    make_topic(slug="custody")

    with statements() as run:
        ask(client, LIST, **sent)

    assert not any(TABLE in sql for sql in run)


def test_other_orders_are_counted_by_the_table_alone(db, client):
    make_authorisation(regulator=make_regulator(slug="hk-sfc"))

    with statements() as run:
        ask(client, LIST, authorisation="regulator:hk-sfc", ordering="name")

    assert ["count(*)" in sql for sql in run if TABLE in sql] == [True]


@pytest.mark.parametrize("direction", ["slug", "-slug"])
@pytest.mark.parametrize(
    ("first", "index"), [("regulator", "authorisationfacet_regulator"), ("jurisdiction", "authorisationfacet_place")]
)
def test_an_index_alone_finds_the_page_in_its_order(world, first, index, direction):
    key = {"regulator": regulators, "jurisdiction": places}[first]()[0]
    group = f"{first}:{key},activity:exchange,status:active"
    plan = plan_of(f"{ROOT}{LIST}?authorisation={group}&page_size=5&ordering={direction}", "LIMIT 5")

    [ids] = [node for node in nodes_of(plan) if node.get("Index Name") == index]
    assert ids["Node Type"] == "Index Only Scan"
    assert f"{first}_id = " in ids["Index Cond"]
    [limit] = [node for node in nodes_of(plan) if node["Node Type"] == "Limit" and ids in nodes_of(node)]
    # Neighbours are told apart as they come, backwards too: what has to be read first is never more than a few rows.
    assert {node["Node Type"] for node in nodes_of(limit)} <= {"Limit", "Group", "Incremental Sort", "Index Only Scan"}


def test_walk_begins_at_its_place_in_the_index(world):
    following = (
        Client().get(f"{ROOT}{LIST}?authorisation=jurisdiction:{places()[0]}&cursor=*&page_size=4").json()["next"]
    )
    plan = plan_of(following, "LIMIT 5")

    [ids] = [node for node in nodes_of(plan) if node.get("Index Name") == "authorisationfacet_place"]
    assert "slug > " in ids["Index Cond"]


def plan_of(address, words):
    """The plan of a statement with these words that an address runs."""
    sql, params = run_of(address, words)
    with transaction.atomic(), connection.cursor() as cursor:
        # The world is small; a large one is never read from end to end.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        return cursor.fetchone()[0][0]["Plan"]
