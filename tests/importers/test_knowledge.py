from datetime import date

import pytest

from regulations.importers import writing
from regulations.importers.faults import RefusedError
from regulations.importers.knowledge import load
from regulations.models import (
    Citation,
    Company,
    Jurisdiction,
    Milestone,
    Policy,
    Provision,
    Revision,
    Source,
    SourceRelation,
    Stance,
    Topic,
)

pytestmark = pytest.mark.django_db

BASICS = """
topics:
  - {slug: custody, name: Custody, kind: activity}
  - {slug: staking, name: Staking, kind: activity}
jurisdictions:
  - {code: HK, name: Hong Kong, kind: territory, parent: CN}
  - {code: CN, name: China, kind: country}
organisations:
  - {slug: coinness, name: CoinNess, kind: publisher}
sources:
  - {slug: page, title: A page, kind: news, publisher: coinness}
  - {slug: paper, title: A paper, kind: research, publisher: coinness}
"""
LAW = """
policies:
  - slug: hk-law
    title: A law
    kind: statute
    jurisdiction: HK
    topics: [custody]
    milestones:
      - {key: hk-law-adopted, kind: adopted, date: 2025-02, citations: [page]}
    provisions:
      - {title: First, citations: [paper], children: [{title: Below}]}
    citations: [page, {source: paper, fields: [title], note: the short title}]
"""
STANCE = "{{key: {key}, jurisdiction: HK, topic: custody, stance: permitted, valid_from: {start}, valid_until: {end}}}"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "basics.yaml").write_text(BASICS)
    return tmp_path


@pytest.fixture
def write(folder):
    """Write a file beside the basics."""

    def write_file(content, name="facts.yaml"):
        (folder / name).write_text(content)

    return write_file


def totals(changes):
    return {
        word: sum(getattr(change, word) for change in changes) for word in ("added", "changed", "removed", "unchanged")
    }


def reasons(folder):
    with pytest.raises(RefusedError) as refused:
        load(folder)
    return [str(fault) for fault in refused.value.faults]


def stances(*spans):
    return "stances:\n" + "".join(f"  - {STANCE.format(key=key, start=start, end=end)}\n" for key, start, end in spans)


# What is loaded


def test_a_record_is_loaded_with_all_that_belongs_to_it(folder, write):
    write(LAW)

    load(folder)

    policy = Policy.objects.get(slug="hk-law")
    assert policy.jurisdiction.code == "HK"
    assert [topic.slug for topic in policy.topics.all()] == ["custody"]
    [milestone] = policy.milestones.all()
    assert (milestone.date, milestone.date_precision) == (date(2025, 2, 1), "month")
    assert [citation.source.slug for citation in milestone.citations.all()] == ["page"]
    first = policy.provisions.get(parent=None)
    assert [(part.title, part.position) for part in first.children.all()] == [("Below", 1)]
    assert [(citation.source.slug, citation.fields) for citation in policy.citations.all()] == [
        ("page", []),
        ("paper", ["title"]),
    ]


def test_a_place_may_stand_before_the_place_that_it_lies_in(folder):
    load(folder)

    assert Jurisdiction.objects.get(code="HK").parent.code == "CN"


def test_a_record_of_the_base_may_be_named_that_no_file_has(folder, write):
    load(folder)
    (folder / "basics.yaml").unlink()
    write(LAW)

    load(folder)

    assert Policy.objects.get().jurisdiction.code == "HK"


def test_progress_tells_each_kind_and_its_count(folder):
    told = []

    load(folder, lambda kind, count: told.append((kind, count)))

    assert told == [("topics", 2), ("jurisdictions", 2), ("organisations", 1), ("sources", 2)]


def test_the_revisions_say_that_it_was_an_import(folder):
    load(folder)

    revisions = Revision.objects.filter(table="regulations_topic").select_related("change")
    assert {(revision.change.actor, revision.change.kind) for revision in revisions} == {("load_knowledge", "import")}


# Loading again


def test_a_second_load_changes_nothing(folder, write):
    write(LAW)
    first = totals(load(folder))

    second = totals(load(folder))

    assert second == {"added": 0, "changed": 0, "removed": 0, "unchanged": first["added"]}


def test_a_changed_field_is_brought_in_line_and_the_row_stays_the_same(folder, write):
    write(LAW)
    load(folder)
    before = Policy.objects.get()
    write(LAW.replace("A law", "A better law"))

    changes = totals(load(folder))

    after = Policy.objects.get()
    assert (after.pk, after.title) == (before.pk, "A better law")
    assert (changes["added"], changes["changed"], changes["removed"]) == (0, 1, 0)


def test_a_field_that_is_no_longer_given_is_emptied(folder, write):
    write("companies: [{slug: kucoin, name: KuCoin, website: 'https://kucoin.com', headquarters: HK}]")
    load(folder)
    write("companies: [{slug: kucoin, name: KuCoin}]")

    load(folder)

    company = Company.objects.get()
    assert (company.website, company.headquarters) == ("", None)


def test_a_changed_list_counts_as_a_change_of_its_record(folder, write):
    write(LAW)
    load(folder)
    write(LAW.replace("[custody]", "[staking]"))

    changes = totals(load(folder))

    assert [topic.slug for topic in Policy.objects.get().topics.all()] == ["staking"]
    assert (changes["added"], changes["changed"], changes["removed"]) == (0, 1, 0)


def test_what_belongs_to_a_record_and_is_gone_from_the_file_is_removed(folder, write):
    write(LAW)
    load(folder)
    write(LAW[: LAW.index("    milestones")])

    changes = totals(load(folder))

    assert Milestone.objects.count() == Provision.objects.count() == Citation.objects.count() == 0
    assert changes["changed"] == 0


def test_a_record_that_is_gone_from_the_files_is_left_alone(folder, write):
    write(LAW)
    load(folder)
    (folder / "facts.yaml").unlink()

    load(folder)

    assert Milestone.objects.get().policy.slug == "hk-law"


def test_two_rows_of_a_list_may_change_places(folder, write):
    text = "sources: [{{slug: s, title: T, kind: news, publisher: coinness, related: [{0}, {1}]}}]"
    write(text.format("page", "paper"))
    load(folder)
    write(text.format("paper", "page"))

    load(folder)

    related = SourceRelation.objects.filter(source__slug="s").order_by("position")
    assert [row.target.slug for row in related] == ["paper", "page"]


def test_the_border_between_two_stances_may_move(folder, write):
    write(stances(("a", 2020, 2021), ("b", 2021, 2022)))
    load(folder)
    write(stances(("a", 2020, "2021-06"), ("b", "2021-06", 2022)))

    load(folder)

    assert Stance.objects.get(key="a").valid_until == Stance.objects.get(key="b").valid_from == date(2021, 6, 1)


# Bad input


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            LAW.replace("jurisdiction: HK", "jurisdiction: HG"),
            "facts.yaml:3: policies hk-law: jurisdiction: there is no jurisdiction “HG”.",
        ),
        (LAW.replace("[custody]", "[custdy]"), "topics: there is no topic “custdy”. Is “custody” meant?"),
        (
            LAW.replace("citations: [page]}", "citations: [pge]}"),
            "facts.yaml:9: policies hk-law, milestones 1, citations 1: source: there is no source “pge”. Is “page” meant?",
        ),
        (LAW + LAW.replace("policies:\n", ""), "“hk-law” stands already at facts.yaml:3"),
        (LAW.replace("2025-02", "2025-13"), "milestones 1: date: “2025-13” is no date"),
        (LAW.replace("title: A law", "titel: A law"), "titel: there is no such field. Is “title” meant?"),
        (
            "companies: [{slug: kucoin, name: KuCoin, lei: 529900T8BM49AURSDO56}]",
            "companies kucoin: lei: “529900T8BM49AURSDO56”: The check digits of this LEI are wrong",
        ),
        (
            stances(("a", 2020, 2023), ("b", 2022, 2024)),
            "facts.yaml:3: stances b: valid_from: another stance of this jurisdiction on this topic covers some of "
            "these days. It holds from 2020-01-01 until 2023-01-01.",
        ),
        (stances(("a", 2023, 2020)), "stances a: valid_until: must be after valid_from."),
        (
            "jurisdictions: [{code: ZZ, name: Z, kind: country, parent: YY}, {code: YY, name: Y, kind: country, parent: ZZ}]",
            "jurisdictions YY: lies in itself, in a circle",
        ),
        (
            "sources: [{slug: s, title: T, kind: news}]",
            "sources s: Fill exactly one of publisher, publishing_regulator, publishing_company.",
        ),
        (
            "companies:\n- {slug: a, name: A, lei: 529900T8BM49AURSDO55}\n- {slug: b, name: B, lei: 529900T8BM49AURSDO55}",
            "companies b: lei: Company with this Lei already exists.",
        ),
    ],
)
def test_bad_input_is_refused_whole_with_file_record_and_reason(folder, write, content, reason):
    write(content)

    told = reasons(folder)

    assert any(reason in line for line in told), told
    assert all(line.startswith("facts.yaml:") for line in told)
    assert not Topic.objects.exists()
    assert not Source.objects.exists()


def test_a_refused_load_leaves_what_was_there(folder, write):
    load(folder)
    write(LAW + stances(("a", 2020, 2023), ("b", 2022, 2024)))

    reasons(folder)

    assert Topic.objects.count() == 2
    assert not Policy.objects.exists()


def test_all_rows_that_the_database_refuses_are_told_at_once(folder, write):
    write(
        stances(("a", 2020, 2023), ("b", 2022, 2024), ("c", 2022, 2025))
        + "companies: [{slug: c, name: C, relations: [{kind: parent, target: c}]}]"
    )

    told = reasons(folder)

    assert [line.split(": ")[1] for line in told] == ["stances b", "stances c", "companies c, relations 1"]


def test_a_refusal_after_rows_that_went_well_is_told_of_its_row_alone(folder, write, monkeypatch):
    monkeypatch.setattr(writing, "BATCH", 1)
    write(stances(("a", 2020, 2023), ("b", 2022, 2024), ("c", 2024, 2025)))

    told = reasons(folder)

    assert [line.split(": ")[1] for line in told] == ["stances b"]


def test_what_hangs_on_a_refused_record_is_not_blamed(folder, write):
    write("organisations: [{slug: paper, name: P, kind: publisher}]\n" + LAW)
    policy_twice = "companies: [{slug: a, name: A, relations: [{kind: parent, target: a}], citations: [page]}]"
    write(policy_twice, "more.yaml")

    told = reasons(folder)

    assert told == ["more.yaml:1: companies a, relations 1: target: a company cannot be related to itself."]
