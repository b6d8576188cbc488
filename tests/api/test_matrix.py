"""Jurisdictions by topics: every cell is what a reading of all records, one by one, finds."""

from datetime import date
from random import Random

import pytest

from regulations.api import matrix
from regulations.models import Jurisdiction, Membership, Stance, Topic
from tests.api.asking import ask, refusal
from tests.api.test_queries import statements
from tests.factories import make_citation, make_jurisdiction, make_membership, make_stance, make_topic

ON = date(2025, 1, 1)


def cells(answer):
    """The cells of a matrix by place and topic."""
    return {(row["jurisdiction"]["code"], cell["topic"]): cell for row in answer["rows"] for cell in row["cells"]}


def cell(client, place, topic, **sent):
    [found] = cells(ask(client, "matrix/", jurisdiction=place.code, topic=topic.slug, **sent)).values()
    return found


def worked_out(on):
    """What each place says on each topic, in Python, from all memberships and stances; nothing where nobody has looked."""

    def holds(row):
        return (row.valid_from is None or row.valid_from <= on) and (row.valid_until is None or row.valid_until > on)

    blocs = {}
    for each in filter(holds, Membership.objects.filter(law_applies=True).select_related("member", "bloc")):
        blocs.setdefault(each.member.code, set()).add(each.bloc.code)
    said = {
        (s.jurisdiction.code, s.topic.slug): s
        for s in Stance.objects.select_related("jurisdiction", "topic")
        if holds(s)
    }
    found = {}
    for place in Jurisdiction.objects.values_list("code", flat=True):
        direct = sorted(blocs.get(place, ()))
        further = sorted({far for near in direct for far in blocs.get(near, ())} - {place, *direct})
        for topic in Topic.objects.values_list("slug", flat=True):
            heard = [said[law, topic] for law in [place, *direct, *further] if (law, topic) in said]
            prohibited = [stance for stance in heard if stance.stance == "prohibited"]
            settled = [stance for stance in heard if stance.stance not in ("proposed", "not_established")]
            proposed = [stance for stance in heard if stance.stance == "proposed"]
            if heard:
                found[place, topic] = (prohibited or settled or proposed or heard)[0].key
    return found


@pytest.mark.parametrize("seed", range(6))
def test_every_cell_is_what_python_works_out_on_random_days(knowledge, client, seed):
    random = Random(seed)
    on, other = (
        date.fromordinal(random.randint(date(2013, 1, 1).toordinal(), date(2028, 1, 1).toordinal())) for _ in "ab"
    )

    answer = ask(client, "matrix/", on=on, compared_with=other)

    now, then = worked_out(on), worked_out(other)
    kinds = dict(Stance.objects.values_list("key", "stance"))
    changed = 0
    for place_topic, found in cells(answer).items():
        assert (found["stance"] or {}).get("key") == now.get(place_topic), place_topic
        assert (found["compared"]["stance"] or {}).get("key") == then.get(place_topic), place_topic
        assert found["answer"]["code"] == kinds.get(now.get(place_topic), "not_researched")
        assert found["changed"] == (kinds.get(now.get(place_topic)) != kinds.get(then.get(place_topic)))
        changed += found["changed"]
    assert answer["changed_count"] == changed


def test_cells_are_those_of_all_places_and_topics_with_a_stance(knowledge, client):
    answer = ask(client, "matrix/")

    places = set(Stance.objects.values_list("jurisdiction__code", flat=True))
    topics = set(Stance.objects.values_list("topic__slug", flat=True))
    assert cells(answer).keys() == {(place, topic) for place in places for topic in topics}


def test_cell_is_what_the_record_at_its_address_says(knowledge, client):
    found = cells(ask(client, "matrix/", jurisdiction="DE,HK,US-NY,GB", topic="custody,exchange,taxation", on=ON))

    for shown in (each["stance"] for each in found.values() if each["stance"]):
        record = client.get(shown["url"]).json()
        assert record["key"] == shown["key"]
        assert record["jurisdiction"] == shown["jurisdiction"]
        assert (record["valid_from"], record["valid_until"]) == (shown["valid_from"], shown["valid_until"])
        assert len(record["citations"]) == shown["citation_count"] > 0


def test_stance_of_a_bloc_shows_in_the_cell_of_a_member_as_the_blocs(db, client):
    stance = make_stance(stance="restricted", jurisdiction=make_jurisdiction(kind="supranational"))
    member = make_membership(bloc=stance.jurisdiction).member

    shown = cell(client, member, stance.topic, on=ON)["stance"]

    assert (shown["key"], shown["is_own"]) == (stance.key, False)
    assert shown["jurisdiction"]["code"] == stance.jurisdiction.code


def test_stance_of_a_bloc_does_not_show_where_its_law_does_not_apply(db, client):
    stance = make_stance(jurisdiction=make_jurisdiction(kind="supranational"))
    member = make_membership(bloc=stance.jurisdiction, law_applies=False).member

    assert cell(client, member, stance.topic, on=ON)["answer"]["code"] == "not_researched"


def test_not_established_is_told_apart_from_not_researched(db, client):
    stance = make_stance(stance="not_established")
    other = make_topic()

    assert cell(client, stance.jurisdiction, stance.topic)["answer"]["code"] == "not_established"
    assert cell(client, stance.jurisdiction, stance.topic)["stance"]["key"] == stance.key
    assert cell(client, stance.jurisdiction, other) == {
        "topic": other.slug,
        "answer": {"code": "not_researched", "label": "Not researched"},
        "stance": None,
        "changed": None,
        "compared": None,
    }


@pytest.mark.parametrize(
    ("on", "code"),
    [
        (date(2024, 12, 31), "not_researched"),
        (date(2025, 1, 1), "restricted"),
        (date(2025, 1, 30), "restricted"),
        (date(2025, 1, 31), "not_researched"),
    ],
)
def test_stance_shows_from_its_first_day_until_the_day_before_its_end(db, client, on, code):
    stance = make_stance(stance="restricted", valid_from=ON, valid_until=date(2025, 1, 31))

    found = cell(client, stance.jurisdiction, stance.topic, on=on, compared_with="2025-01-15")

    assert found["answer"]["code"] == code
    assert found["changed"] == (code != "restricted")


def test_matrix_of_too_many_cells_is_refused_with_the_remedy(knowledge, client, monkeypatch):
    monkeypatch.setattr(matrix, "MOST_CELLS", 3)
    sent = {"jurisdiction": "DE,HK,SG", "topic": "custody"}

    assert len(cells(ask(client, "matrix/", **sent))) == 3
    [fault] = refusal(client, "matrix/", **sent, compared_with="2024-01-01")

    assert (fault["parameter"], fault["code"]) == ("jurisdiction", "out_of_range")
    assert "6 cells" in fault["detail"]


@pytest.mark.parametrize(
    ("sent", "parameter", "code"),
    [
        ({"jurisdiction": "HG"}, "jurisdiction", "unknown"),
        ({"jurisdiction": "HK,,SG"}, "jurisdiction", "malformed"),
        ({"topic": "custodi"}, "topic", "unknown"),
        ({"compared_with": "2024-13-01"}, "compared_with", "malformed"),
        ({"topics": "custody"}, "topics", "unknown"),
        ({"compared_with": ""}, "compared_with", "empty"),
    ],
)
def test_question_that_could_be_misread_is_refused(knowledge, client, sent, parameter, code):
    [fault] = refusal(client, "matrix/", **sent)

    assert (fault["parameter"], fault["code"]) == (parameter, code)


@pytest.mark.parametrize("sent", [{}, {"on": "2024-01-01", "compared_with": "2026-01-01"}, {"jurisdiction": "HK"}])
def test_answers_are_as_described(knowledge, client, faults_of, sent):
    assert faults_of("/api/v1/matrix/", client.get("/api/v1/matrix/", sent)) == []


def test_matrix_costs_as_many_queries_with_many_records_as_with_few(db, client):
    make_citation(stance=make_stance())
    with statements() as few:
        ask(client, "matrix/", compared_with=ON)
    for _ in range(20):
        make_citation(stance=make_stance())
        make_membership()

    with statements() as many:
        ask(client, "matrix/", compared_with=ON)

    # 1. SELECT the versions of the tables, and again at the end. 2. the places. 3. the topics. 4. to 7. for each day the
    # memberships and the stances.
    assert len(few) == len(many) == 8
