"""What `make bench` measures is a true world, and both candidates say the same about it."""

import json
import re
from collections import Counter

import pytest
from django.db import connection, transaction

from bench import generate
from bench.__main__ import middle_of_history
from bench.candidates import CANDIDATES, DRF
from bench.edits import Editor
from bench.measure import Figures
from bench.plans import plans
from bench.prose import coined_names
from bench.questions import questions, same
from bench.targets import verdicts, wanted
from regulations.models import (
    Authorisation,
    Citation,
    Company,
    EnforcementAction,
    Milestone,
    Policy,
    PolicyRelation,
    Provision,
    Source,
    Stance,
    Topic,
)
from regulations.models.revisions import Change, Revision, change
from regulations.models.search import SearchDocument
from tests.conftest import own_database

SIZE = 1000
MODELS = [
    Source,
    Policy,
    Milestone,
    Provision,
    Citation,
    PolicyRelation,
    Company,
    Authorisation,
    Stance,
    EnforcementAction,
    Policy.topics.through,
]


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, worker_id):
    with own_database(f"test_kbase_world_{worker_id}", django_db_setup, django_db_blocker):
        # COPY has the database check each constraint but those of foreign keys, which wait for the end.
        with transaction.atomic():
            generate.fill(SIZE)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield


def generated(size):
    """A world of which nothing was sent away."""
    world = generate.World(size)
    for _ in world.pieces():
        pass
    return world


def contents(model):
    return [*model.objects.order_by("pk").values()]


def documents():
    told = SearchDocument.objects.order_by("collection", "record_id")
    return [*told.values_list("collection", "record_id", "key", "title", "names", "related", "summary", "contents")]


def answer_of(client, settings, urls):
    """A function that asks the site with these addresses."""

    def get(address):
        settings.ROOT_URLCONF = urls
        path = address.removeprefix("http://localhost:8000")
        answer = client.get(path, headers={"host": "localhost:8000"})
        assert answer.status_code == 200, answer.content
        return answer.content

    return get


def test_generated_rows_obey_the_models_and_the_database(world):
    connection.check_constraints()
    for model in MODELS[:-1]:
        for row in model.objects.order_by("pk")[:20]:
            row.full_clean()


def test_generated_policies_have_the_proportions_that_are_said(world):
    policies = Policy.objects.all()

    places = Counter(policies.values_list("jurisdiction__code", flat=True))
    regulators = Counter(policies.values_list("pk", flat=True).filter(policy_regulators__isnull=False))
    steps = Counter(Milestone.objects.values_list("policy", flat=True))
    topics = Counter(Policy.topics.through.objects.values_list("policy", flat=True))

    assert policies.count() == SIZE
    assert 0.08 < places["US"] / SIZE < 0.12
    assert 0.04 < places["HK"] / SIZE < 0.08
    assert 0.2 < policies.filter(topics__slug="custody").count() / SIZE < 0.3
    assert {*regulators.values()} == {1, 2, 3}
    assert {*steps.values()} == {3, 4, 5, 6}
    assert {*topics.values()} == {2, 3, 4, 5}


def test_generated_policies_have_the_dates_that_the_triggers_keep(world):
    policies = generated(SIZE).policies
    kept = Policy.objects.order_by("pk").values_list("pk", "introduced_on", "effective_from", "effective_until")

    given = [(row[0], *row[-3:]) for row in policies.rows]

    assert policies.columns[-3:] == ["introduced_on", "effective_from", "effective_until"]
    assert given == [(pk, *(day and day.isoformat() for day in days)) for pk, *days in kept]
    # What is compared is not mostly empty.
    assert sum(until is not None for *_, until in given) > SIZE / 20


def test_a_world_loaded_without_triggers_is_the_same_but_for_history(world, django_db_setup, django_db_blocker):
    checked = {model: contents(model) for model in MODELS}

    with own_database(f"{connection.settings_dict['NAME']}_bulk", django_db_setup, django_db_blocker):
        generate.fill(SIZE, with_triggers=False)

        assert Revision.objects.count() == 0
        for model in MODELS:
            assert contents(model) == checked[model], model
        # From now on triggers work again, and new rows have new ids.
        Topic.objects.create(slug="new", name="New", kind="theme")
        assert Revision.objects.count() == 1


def test_the_search_documents_of_a_world_loaded_without_triggers_are_those_of_the_triggers(world):
    with transaction.atomic(), connection.cursor() as cursor:
        kept = documents()
        cursor.execute("DELETE FROM regulations_searchdocument")
        generate.rebuild_derived()

        assert documents() == kept
        transaction.set_rollback(True)


def test_the_same_seed_makes_the_same_world():
    one, other = (generated(50) for _ in range(2))

    # JSON on its way to the database cannot be compared, its text can.
    assert [repr(table.rows) for table in one.tables] == [repr(table.rows) for table in other.tables]


def test_policies_speak_the_languages_of_the_field(world):
    titles = "\n".join(Policy.objects.values_list("title", flat=True))

    assert re.search(r"\b(on|Act|Guidelines)\b", titles)
    for sign in ("über", "relatif", "sobre", "條例", "に関する"):
        assert sign in titles, sign
    assert len({*titles.split("\n")}) > SIZE / 2


def test_words_are_as_uneven_as_real_ones(world):
    said = Counter(word for text in Policy.objects.values_list("summary", flat=True) for word in {*text.split()})
    names = {name for name in said if name in {*coined_names()}}

    assert max(said.values()) > SIZE / 2
    # Many are said once, and so are found as single records.
    assert sum(said[name] == 1 for name in names) > 20
    assert max(said[name] for name in names) > 5


def test_edits_are_changes_of_several_kinds_that_obey_the_models(world):
    with transaction.atomic():
        editor = Editor()
        for kind, edit in editor.edits:
            with change(actor="bench", kind=Change.Kind(kind)):
                edit()
        editor.edit(3)
        connection.check_constraints()
        transaction.set_rollback(True)


def test_the_baseline_says_the_same_as_we_do(world, client, settings):
    ours = answer_of(client, settings, settings.ROOT_URLCONF)
    theirs = answer_of(client, settings, "bench.baseline.urls")

    asked = [each for each in asked_of(ours) if each.is_for(DRF)]

    assert len(asked) == 8
    for question in asked:
        mine = ours(question.address)
        assert len(json.loads(mine).get("results", [1])) > 0, question
        assert same(question, DRF, mine, theirs(question.address_for(DRF))), question


def test_all_questions_are_answered(world, client, settings):
    ours = answer_of(client, settings, settings.ROOT_URLCONF)

    for question in asked_of(ours):
        ours(question.address)


def test_each_target_is_measured_by_the_questions(world, client, settings):
    ours = answer_of(client, settings, settings.ROOT_URLCONF)
    figures = Figures(100, 1, 2, 1, 1)
    names = [candidate.name for candidate in CANDIDATES]
    results = {question.name: {name: figures for name in names if question.is_for(name)} for question in asked_of(ours)}

    found = verdicts({10_000: results, 100_000: results, 1_000_000: results}, {1_000_000: {"peak_mib": 1}})

    assert len(found) == len(wanted()) + 1, {each.figure for each in wanted()} - {each.figure for each in found}
    assert {verdict.measured for verdict in found} == {0, 1}


def test_the_floor_runs_the_statements_of_an_answer_and_gives_its_bytes(world, settings):
    settings.CACHE_KIB = 0
    address = "/api/v1/policies/?jurisdiction=HK&page_size=5"

    plan = plans([address])[address]

    statement, params = plan["statements"][plan["shown"]]
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        [[page, _]] = cursor.fetchall()
    assert (len(page), plan["count"]) == (5, 1)
    assert json.loads(plan["head"] + b"[]" + plan["tail"])["results"] == []


def asked_of(get):
    return questions(get, depth=600, etag='"none"', moment=middle_of_history())
