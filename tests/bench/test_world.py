"""What `make bench` measures is a true world, and both candidates say the same about it."""

import json
from collections import Counter

import pytest
from django.db import connection, transaction
from django.db.models import Min

from bench import generate
from bench.questions import questions, same
from regulations.models import Authorisation, Citation, Company, Milestone, Policy, PolicyRelation, Provision, Stance
from tests.conftest import own_database

SIZE = 1000


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, worker_id):
    with own_database(f"test_kbase_world_{worker_id}", django_db_setup, django_db_blocker):
        # COPY has the database check each constraint but those of foreign keys, which wait for the end.
        with transaction.atomic():
            generate.fill(SIZE)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield


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
    for model in (Policy, Milestone, Provision, Citation, PolicyRelation, Company, Authorisation, Stance):
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


def test_generated_policies_are_introduced_by_their_first_step(world):
    first = dict(Milestone.objects.values_list("policy").annotate(Min("date")))

    assert first == dict(Policy.objects.values_list("pk", "introduced_on"))


def test_the_same_seed_makes_the_same_world():
    one, other = (generate.World(50).rows[Policy] for _ in range(2))

    assert [(policy.slug, policy.summary) for policy in one] == [(policy.slug, policy.summary) for policy in other]


def test_the_baseline_says_the_same_as_we_do(world, client, settings):
    ours = answer_of(client, settings, settings.ROOT_URLCONF)
    theirs = answer_of(client, settings, "bench.baseline.urls")

    asked = questions(ours, depth=600)

    assert len(asked) == 6
    for question in asked:
        mine = ours(question.ours)
        assert len(json.loads(mine).get("results", [1])) > 0, question
        assert same(question, mine, theirs(question.baseline)), question
