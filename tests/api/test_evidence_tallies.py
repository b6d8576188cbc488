"""What records rest on is counted in advance: whatever is edited, the numbers are those of the records."""

import threading
import time
from datetime import date
from random import Random

import pytest
from django.db import connection, transaction

from regulations.api import coverage
from regulations.models import Citation, EvidenceTally, Jurisdiction, Milestone, Policy, RecordEvidence, Source
from regulations.models.evidence_tallies import fill
from tests.api.asking import ask
from tests.api.edits import Editor
from tests.api.test_queries import statements
from tests.api.worlds import World
from tests.factories import make_citation, make_jurisdiction, make_milestone, make_policy, make_source
from tests.reading.test_kept import together


def kept():
    """What both tables say, but for what came and went."""
    cells = EvidenceTally.objects.values_list("jurisdiction_id", "collection", "counted", "day", "number")
    return sorted(map(str, RecordEvidence.objects.values_list())), sorted(cell for cell in cells if cell[-1])


def made_anew():
    with connection.cursor() as cursor:
        cursor.execute("SELECT regulations_rebuild_record_evidence()")
        cursor.execute(fill())
    return kept()


def told():
    """What is counted of each place by both ways, of what is kept and of the records themselves."""
    places = list(Jurisdiction.objects.all())
    values = {"places": [place.pk for place in places]}
    names = {number: name for name, number in coverage.COLLECTION_NUMBERS.items()}
    in_advance = {(place, names[number]): numbers for place, number, *numbers in coverage._tallied().rows(values)}
    counted = {
        (place, name): numbers for name in coverage.COUNTED for place, *numbers in coverage._numbers(name).rows(values)
    }
    return {key: numbers for key, numbers in in_advance.items() if numbers[0]}, counted


def move(random):
    """Give a record to another place, or a step to another policy."""
    places = list(Jurisdiction.objects.order_by("pk"))
    policies = list(Policy.objects.order_by("pk"))
    if policies:
        policy = random.choice(policies)
        Policy.objects.filter(pk=policy.pk).update(jurisdiction=random.choice(places))
        Milestone.objects.filter(pk__in=Milestone.objects.order_by("pk")[:2]).update(policy=policy)


@pytest.mark.parametrize("seed", range(2))
def test_numbers_are_kept_whatever_is_edited_by_whatever_door(committed, seed):
    random = Random(seed)
    World(random, size=8).fill()
    editor = Editor(random)
    editor.models = [Policy, Milestone, Source, Citation, Citation, Jurisdiction]

    for _ in range(6):
        done = [editor.edit() for _ in range(5)]
        move(random)
        assert not EvidenceTally.objects.exclude(change_id=0).exists()
        in_advance, counted = told()
        assert in_advance == counted, done
        assert kept() == made_anew(), done
    assert len(counted) > 20


def test_numbers_are_those_of_the_knowledge(knowledge):
    in_advance, counted = told()

    assert in_advance == counted
    assert len(counted) > 100


def test_edit_is_counted_within_its_transaction_and_taken_back_with_it(committed, client):
    place = make_jurisdiction(code="HK")
    before = kept()
    with transaction.atomic():
        make_citation(policy=make_policy(jurisdiction=place))
        [row] = ask(client, "coverage/", jurisdiction="HK")["results"]
        transaction.set_rollback(True)

    assert [each["cited_count"] for each in row["records"] if each["collection"] == "policies"] == [1]
    assert kept() == before


def test_writers_of_the_same_numbers_do_not_wait_for_each_other(committed):
    place, written = make_jurisdiction(code="HK"), []
    with transaction.atomic():
        make_citation(policy=make_policy(jurisdiction=place))

        def write_another():
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '1s'")
            with transaction.atomic():
                written.append(make_citation(policy=make_policy(jurisdiction=place)))
                transaction.set_rollback(True)

        together(committed, write_another)

    assert written


class Both:
    """A step that is cited once, and what two people may do to it at the same time."""

    def __init__(self):
        self.step, self.source = make_milestone(date="2024-01-01"), make_source(published_on=date(2024, 1, 1))
        self.other_policy = make_policy()
        self.citations = [make_citation(milestone=self.step, source=make_source()) for _ in range(2)]

    def dates_the_source(self):
        Source.objects.filter(pk=self.source.pk).update(published_on=date(2025, 1, 1))

    def cites(self):
        make_citation(milestone=self.step, source=self.source)

    def cites_again(self):
        make_citation(milestone=self.step, source=make_source())

    def moves_the_step(self):
        Milestone.objects.filter(pk=self.step.pk).update(policy=self.other_policy)

    def moves_the_policy(self):
        Policy.objects.filter(pk=self.step.policy_id).update(jurisdiction=self.other_policy.jurisdiction)

    def adds_a_step(self):
        make_milestone(policy=self.step.policy, kind="published", date="2024-05-05")

    def takes_a_citation(self):
        self.citations[0].delete()

    def takes_the_other(self):
        self.citations[1].delete()


MEET = [
    ("dates_the_source", "cites"),
    ("moves_the_step", "cites"),
    ("moves_the_policy", "cites"),
    ("moves_the_policy", "adds_a_step"),
    ("takes_a_citation", "takes_the_other"),
    ("takes_a_citation", "cites_again"),
    ("cites", "cites_again"),
]


def meet(database, one, other):
    """Do one thing, and the other before it is committed, if it may go on."""
    is_done, begins = threading.Event(), threading.Event()

    def goes_first():
        with transaction.atomic():
            one()
            is_done.set()
            begins.wait(5)
            # The other one gets as far as it can.
            time.sleep(0.1)

    def goes_second():
        is_done.wait(5)
        begins.set()
        with transaction.atomic():
            other()

    together(database, goes_first, goes_second)


def test_what_two_do_at_the_same_time_is_counted(committed):
    for first, second in [*MEET, *((second, first) for first, second in MEET)]:
        both = Both()
        meet(committed, getattr(both, first), getattr(both, second))

        in_advance, counted = told()
        assert in_advance == counted, (first, second)
    assert kept() == made_anew()


def test_records_are_not_read_to_be_counted(db, client):
    make_citation(milestone=make_milestone())

    with statements() as run:
        ask(client, "coverage/")

    assert [sql for sql in run if "COUNT(" in sql or "regulations_milestone" in sql] == []
    assert len([sql for sql in run if "regulations_evidencetally" in sql]) == 1
