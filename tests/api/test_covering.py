"""The table in which the ids of policies are looked for: it says what the policies say, and answers as they would."""

from random import Random

import pytest
from django.db import connection, transaction
from django.test import Client

from bench import generate
from kbase.reading import answers
from regulations.api.policies import PolicyResource
from regulations.models import Authorisation, Jurisdiction, Milestone, Policy, PolicyFacet, Topic
from regulations.models.policies import status_on
from regulations.models.policy_facets import ANY_TOPIC, facet_status_on
from tests.api.asking import ROOT, ask, get, walk
from tests.api.edits import Editor
from tests.api.test_queries import statements
from tests.api.test_two_clocks import moment_text, now
from tests.api.worlds import World
from tests.conftest import own_database
from tests.factories import make_milestone, make_policy, make_topic
from tests.reading.test_kept import together

LIST = ROOT + "policies/"
# Each of them is one for the table; together they have every filter and order that it can answer.
QUESTIONS = [
    "",
    "on=2016-05-01&status=in_force",
    "status=in_force&kind=statute&on=2018-03-14",
    "topic=custody&on=2019-02-28",
    "jurisdiction=HK&status__not=in_force",
    "jurisdiction=HK&topic=custody&status=in_force",
    "jurisdiction=HK,US&topic__not=custody,exchange",
    "topic=custody,exchange&kind=statute,bill&on=2020-01-01",
    "topic__all=custody,exchange",
    "topic__all=custody,exchange,aml-cft&status__not=in_force",
    "topic=custody&topic__all=exchange",
    "status=not_yet_announced&on=2015-01-01",
    "status=proposed,published&on=2022-02-02&kind__not=statute",
    "introduced_on__gte=2020-01-01&introduced_on__lt=2021-01-01",
    "introduced_on__isnull=true",
    "introduced_on__isnull=false&topic=staking&ordering=introduced_on",
    "jurisdiction__not=HK&ordering=-slug",
    "topic=insolvency&page_size=7&page=3",
]
FACETS = "jurisdiction,kind,status,topic"


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, worker_id):
    with own_database(f"test_kbase_covered_{worker_id}", django_db_setup, django_db_blocker):
        with transaction.atomic():
            generate.fill(1000)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        make_policy(slug="without-a-step")
        yield


@pytest.fixture
def uncovered(monkeypatch):
    """A function that lets policies be looked for without the table."""

    def uncover():
        monkeypatch.setattr(PolicyResource, "covering", None)
        forget_statements()

    yield uncover
    monkeypatch.undo()
    forget_statements()


def forget_statements():
    for kept in (answers._page_statement, answers._count_statement, answers._facet_statement):
        kept.cache_clear()


def due():
    """What the table is to say, and what it says."""
    columns = "policy_id, topic_id, jurisdiction_id, kind, introduced_on, slug, days, statuses"
    with connection.cursor() as cursor:
        for table in ("regulations_policyfacet_due", "regulations_policyfacet"):
            cursor.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2")
            yield cursor.fetchall()


@pytest.mark.parametrize("question", QUESTIONS)
def test_answer_is_the_same_without_the_table(world, uncovered, question):
    address = f"{LIST}?{question}&facets={FACETS}"
    with statements() as run:
        covered = Client().get(address).json()
    assert [sql for sql in run if "regulations_policyfacet" in sql]

    uncovered()
    with statements() as run:
        plain = Client().get(address).json()

    assert [sql for sql in run if "regulations_policyfacet" in sql] == []
    assert covered == plain


def test_questions_find_something(world):
    counts = [Client().get(f"{LIST}?{question}").json()["count"] for question in QUESTIONS]

    assert min(counts) > 0
    assert len(set(counts)) > 10


@pytest.mark.parametrize("question", ["", "topic=custody&status=in_force", "ordering=introduced_on"])
def test_walk_is_the_same_without_the_table(world, uncovered, question):
    def walked():
        address, keys = f"{LIST}?cursor=*&page_size=150&fields=slug&{question}", []
        while address:
            page = Client().get(address).json()
            keys += [row["slug"] for row in page["results"]]
            address = page["next"]
        return keys

    covered = walked()
    uncovered()

    assert covered == walked()


def test_status_in_the_table_is_the_status_on_every_day(world):
    days = Milestone.objects.order_by("date").values_list("date", flat=True)
    for day in [*days[:: len(days) // 25], *days.reverse()[:1]]:
        of_policies = dict(Policy.objects.values_list("pk", status_on(day)))
        whole = PolicyFacet.objects.filter(topic_id=ANY_TOPIC)
        assert dict(whole.values_list("policy_id", facet_status_on(day))) == of_policies


@pytest.mark.parametrize("seed", range(3))
def test_table_is_kept_whatever_is_edited_by_whatever_door(committed, seed):
    random = Random(seed)
    World(random, size=8).fill()
    editor = Editor(random)
    editor.models = [Policy, Milestone, Policy.topics.through, Topic]

    for _ in range(60):
        done = editor.edit()
        said, kept = due()
        assert kept == said, done
    assert len(said) > 8


def test_table_made_anew_is_as_it_was_kept(committed):
    World(Random(1), size=20).fill()
    _, before = due()

    with connection.cursor() as cursor:
        cursor.execute("SELECT regulations_rebuild_policy_facets()")

    assert list(due()) == [before, before]


def test_steps_that_are_written_at_the_same_time_are_all_there(committed):
    policy = make_policy(slug="mica")

    def add(day):
        make_milestone(policy=policy, kind="published", date=day)

    together(committed, *(lambda day=day: add(f"2024-01-{day:02}") for day in range(1, 9)))

    said, kept = due()
    assert kept == said
    assert len(kept[0][6]) == 8


@pytest.mark.parametrize(
    "alter",
    [
        lambda step: step.delete(),
        lambda step: Milestone.objects.filter(pk=step.pk).update(policy=make_policy(slug="other")),
        lambda step: Milestone.objects.filter(pk=step.pk).update(kind="published"),
        lambda step: make_milestone(policy=step.policy, kind="published", date="2021-02-01"),
        lambda step: step.policy.topics.clear(),
        lambda step: Policy.objects.filter(pk=step.policy_id).update(kind="bill"),
    ],
    ids=["step goes", "step moves", "step is another", "step comes", "topic goes", "kind is another"],
)
def test_policy_is_found_by_what_it_was_whatever_of_it_is_changed_since(committed, alter):
    policy = make_policy(slug="mica", kind="statute")
    policy.topics.add(make_topic(slug="custody"))
    make_milestone(policy=policy, kind="proposed", date="2020-01-01")
    step = make_milestone(policy=policy, kind="adopted", date="2021-01-01")
    moment = now()
    alter(step)

    sent = {"topic": "custody", "status": "adopted", "kind": "statute", "on": "2022-01-01"}
    live = ask(Client(), "policies/", **sent)
    past = ask(Client(), "policies/", known_at=moment_text(moment), **sent)

    assert (live["count"], past["count"]) == (0, 1)
    assert [row["slug"] for row in past["results"]] == ["mica"]


@pytest.mark.parametrize("seed", range(3))
def test_past_is_the_same_without_the_table(committed, monkeypatch, seed):
    random = Random(seed)
    World(random, size=8).fill()
    editor, moments = Editor(random), []
    editor.models = [Policy, Milestone, Policy.topics.through, Topic]
    for _ in range(8):
        moments.append(now())
        for _ in range(15):
            editor.edit()

    with statements() as run:
        near = [list(said_at(moment, Random(seed))) for moment in moments]
    assert any("regulations_policyfacet" in sql for sql in run)
    # Too many are changed for their ids to be told.
    monkeypatch.setattr(answers, "MOST_CHANGED", -1)
    with statements() as run:
        far = [list(said_at(moment, Random(seed))) for moment in moments]

    assert not any("regulations_policyfacet" in sql for sql in run)
    assert near == far
    assert len({str(said) for said in near}) > 4


def said_at(moment, random):
    """What lists say of a moment, by pages and by walks."""
    topic, place = Topic.objects.order_by("pk")[0].slug, Jurisdiction.objects.order_by("pk")[1].code
    for filters in (
        {},
        {"topic": topic},
        {"jurisdiction": place, "status": "in_force"},
        {"topic__not": topic, "status__not": "proposed", "ordering": "introduced_on"},
        {"introduced_on__isnull": "true"},
        {"kind__not": "statute", "ordering": "-slug"},
    ):
        sent = {"known_at": moment_text(moment), "on": f"2024-0{random.randint(1, 4)}-15", "fields": "slug", **filters}
        first = get(Client(), "policies/", page_size=3, **sent).json()
        if "errors" in first:
            yield first["errors"]
            continue
        second = get(Client(), "policies/", page_size=3, page=2, **sent).json().get("results")
        walked = [
            row["slug"]
            for page in walk(Client(), "policies/", page_size=2, cursor="*", **sent)
            for row in page["results"]
        ]
        yield first["count"], first["results"], second, walked


@pytest.mark.parametrize(
    ("question", "index", "condition"),
    [
        ("", "policyfacet_newest", "topic_id = "),
        ("topic=custody&status=in_force", "policyfacet_newest", "in_force_from <= "),
        ("jurisdiction=HK&topic=custody&status=in_force", "policyfacet_newest_by_place", "jurisdiction_id = "),
        ("status=in_force&on=2015-06-01", "policyfacet_newest", "in_force_from <= "),
    ],
)
def test_an_index_alone_finds_the_page_in_its_order(world, question, index, condition):
    sql, params = run_of(f"{LIST}?{question}&page_size=5", "LIMIT 5")
    with transaction.atomic(), connection.cursor() as cursor:
        # The world is small; a large one is never read from end to end.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        [plan] = cursor.fetchone()[0]

    nodes = list(nodes_of(plan["Plan"]))
    [ids] = [node for node in nodes if node.get("Index Name") == index]
    assert ids["Node Type"] == "Index Only Scan"
    assert condition in ids["Index Cond"]
    [limit] = [node for node in nodes if node["Node Type"] == "Limit" and ids in nodes_of(node)]
    assert "Sort" not in {node["Node Type"] for node in nodes_of(limit)}


def test_walk_begins_at_its_place_in_the_index(world):
    following = Client().get(f"{LIST}?cursor=*&page_size=4").json()["next"]
    sql, params = run_of(following, "LIMIT 5")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        [plan] = cursor.fetchone()[0]

    [ids] = [node for node in nodes_of(plan["Plan"]) if node.get("Index Name") == "policyfacet_newest"]
    assert "introduced_on <= " in ids["Index Cond"]


def test_whom_a_regulator_has_authorised_an_index_alone_finds(world):
    regulator = Authorisation.objects.order_by("pk").values_list("regulator__slug", flat=True)[0]
    sql, params = run_of(f"{ROOT}companies/?regulator={regulator}&page_size=5", "LIMIT 5")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        [plan] = cursor.fetchone()[0]

    [found] = [node for node in nodes_of(plan["Plan"]) if node.get("Index Name") == "authorisation_by_regulator"]
    assert found["Node Type"] == "Index Only Scan"
    assert "regulator_id = " in found["Index Cond"]


def run_of(address, words):
    """The statement with these words that an address runs, and its values."""
    found = []

    def note(execute, sql, params, many, context):
        found.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        assert Client().get(address).status_code == 200
    return next(pair for pair in found if words in pair[0])


def nodes_of(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes_of(child)
