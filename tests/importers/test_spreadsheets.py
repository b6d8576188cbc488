"""A spreadsheet touches the columns that it has, and nothing else; all its faults are told at once."""

import csv
import io
from datetime import date

import pytest
from django.db import transaction

from regulations.importers.faults import RefusedError
from regulations.importers.files import read_table
from regulations.importers.shapes import SHAPES
from regulations.importers.sheet_columns import shape_of
from regulations.importers.sheet_storing import Difference, apply, words_of
from regulations.importers.spreadsheets import KEYS, read_sheet, row_of
from regulations.models import Change, Citation, Company, Membership, Policy, Revision
from tests.factories import (
    make_citation,
    make_company,
    make_company_name,
    make_jurisdiction,
    make_membership,
    make_policy,
    make_source,
    make_topic,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 2, 9)


def brought_in(*rows, collection="companies", kind=Change.Kind.CORRECTION):
    """Read and write the rows, the head first."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    shape = shape_of(collection)
    with transaction.atomic():
        read = read_sheet(shape, read_table(text.getvalue().encode()), "firms.csv", [])
        return apply(shape, read, by="ada", kind=kind, reason="checked by hand", today=TODAY)


def refused(*rows, collection="companies"):
    with pytest.raises(RefusedError) as error:
        brought_in(*rows, collection=collection)
    return [str(fault) for fault in error.value.faults]


def test_a_record_is_added_with_its_evidence():
    make_source(slug="a-page")
    make_jurisdiction(code="HK"), make_topic(slug="custody"), make_topic(slug="brokerage")
    head = ["slug", "name", "founded_on", "headquarters", "activities", "source"]

    told = brought_in(head, ["alpha", "Alpha", "2020-05", "HK", "custody | brokerage", "a-page"])

    company = Company.objects.get()
    assert (company.name, str(company.founded_on), company.founded_on_precision) == ("Alpha", "2020-05-01", "month")
    assert company.headquarters.code == "HK"
    assert {topic.slug for topic in company.activities.all()} == {"custody", "brokerage"}
    citation = Citation.objects.get(company=company)
    assert (citation.source.slug, citation.fields, citation.method) == ("a-page", [], "person")
    assert (citation.read_by, citation.read_on) == ("ada", TODAY)
    assert told.added == {
        "alpha": [
            Difference("slug", "", "alpha"),
            Difference("name", "", "Alpha"),
            Difference("headquarters", "", "HK"),
            Difference("founded_on", "", "2020-05"),
            Difference("activities", "", "brokerage | custody"),
        ]
    }
    assert (told.uncited, told.cited_count) == ([], 1)


def test_an_added_record_without_source_is_told():
    assert brought_in(["slug", "name"], ["alpha", "Alpha"]).uncited == ["alpha"]


def test_only_the_columns_that_the_sheet_has_are_touched():
    company = make_company(slug="alpha", name="Alpha", website="https://alpha.example", founded_on=date(2020, 1, 1))
    company.activities.add(make_topic(slug="custody"))
    make_company_name(company=company, name="Alfa"), make_citation(company=company)

    told = brought_in(["slug", "summary"], ["alpha", "A custodian."])

    company.refresh_from_db()
    assert (company.name, company.website, company.summary) == ("Alpha", "https://alpha.example", "A custodian.")
    assert (company.founded_on, company.activities.count()) == (date(2020, 1, 1), 1)
    assert (company.names.count(), company.citations.count()) == (1, 1)
    assert told.changed == {"alpha": [Difference("summary", "", "A custodian.")]}


def test_references_that_the_sheet_does_not_have_stay():
    policy = make_policy(slug="mica")
    place = policy.jurisdiction

    brought_in(["slug", "title"], ["mica", "Another title"], collection="policies")

    assert (Policy.objects.get().title, Policy.objects.get().jurisdiction) == ("Another title", place)


def test_an_empty_cell_says_nothing_and_a_dash_that_there_is_nothing():
    company = make_company(slug="alpha", name="Alpha", website="https://alpha.example", summary="Old.")
    company.headquarters = make_jurisdiction(code="HK")
    company.save()
    company.activities.add(make_topic(slug="custody"))

    told = brought_in(
        ["slug", "name", "website", "summary", "headquarters", "activities"], ["alpha", "", "-", "", "-", "-"]
    )

    company.refresh_from_db()
    assert (company.name, company.website, company.summary) == ("Alpha", "", "Old.")
    assert (company.headquarters, company.activities.count()) == (None, 0)
    assert [each.field for each in told.changed["alpha"]] == ["headquarters", "website", "activities"]


def test_an_empty_cell_of_a_list_says_nothing_of_its_row():
    custody = make_topic(slug="custody")
    make_company(slug="alpha").activities.add(custody)
    make_company(slug="beta")

    brought_in(["slug", "activities"], ["alpha", ""], ["beta", "custody"])

    assert custody.companies.count() == 2


def test_a_required_field_cannot_be_emptied():
    make_company(slug="alpha", name="Alpha")

    assert refused(["slug", "name"], ["alpha", "-"]) == ["firms.csv:2: companies alpha: name: is missing"]


def test_the_same_sheet_again_changes_nothing():
    make_source(slug="a-page"), make_topic(slug="custody")
    make_company(slug="beta", name="Beta")
    rows = [
        ["slug", "name", "founded_on", "activities", "source"],
        ["alpha", "Alpha", "2020", "custody", "a-page"],
        ["beta", "Beta Inc.", "2021-03-04", "-", "a-page"],
    ]
    brought_in(*rows)
    before = Revision.objects.count()

    told = brought_in(*rows)

    assert (told.added, told.changed, told.unchanged_count, told.cited_count) == ({}, {}, 2, 0)
    assert Revision.objects.count() == before


def test_a_changed_record_cites_the_source_for_the_columns_that_say_something():
    make_source(slug="a-page"), make_company(slug="alpha", name="Alpha")

    brought_in(["slug", "summary", "website", "source"], ["alpha", "A custodian.", "", "a-page"])

    assert Citation.objects.get().fields == ["summary"]


def test_history_tells_who_why_and_what_kind():
    brought_in(["slug", "name"], ["alpha", "Alpha"], kind=Change.Kind.WORLD)

    made = Change.objects.get(revisions__after__slug="alpha")
    assert (made.actor, made.kind, made.reason) == ("ada", "world", "checked by hand")


def test_columns_may_be_labels_in_any_case():
    brought_in(["Slug", "NAME", "Legal name"], ["alpha", "Alpha", "Alpha AG"])

    assert Company.objects.get().legal_name == "Alpha AG"


@pytest.mark.parametrize(
    ("head", "faults"),
    [
        (["slug", "nmae"], ["nmae: there is no such column. Is “name” meant?"]),
        (["name"], ["slug: this column is missing; by it the records are known"]),
        (["slug", "legal_name", "Legal name"], ["legal_name: more than one column means this"]),
        (
            ["slug", "identifiers"],
            ["identifiers: these are rows of their own, which a column cannot hold: keep them in the admin"],
        ),
    ],
)
def test_columns_that_mean_nothing_are_told(head, faults):
    assert refused(head, ["x"] * len(head)) == [f"firms.csv:1: {fault}" for fault in faults]


def test_all_faults_of_all_rows_are_told_at_once_by_row_and_column():
    make_company(slug="alpha", name="Alpha")
    rows = [
        ["slug", "name", "lei", "founded_on", "website", ""],
        ["alpha", "Alpha", "5299000000", "", "", ""],
        ["beta", "", "", "19.2.2025", "", ""],
        ["gamma", "Gamma", "", "", '=HYPERLINK("https://evil.example")', ""],
        ["delta", "Delta", "", "", "", "astray"],
        ["alpha", "Alpha again", "", "", "", ""],
        ["", "", "", "", "", ""],
        ["", "No key", "", "", "", ""],
    ]

    assert [fault.partition(".csv:")[2] for fault in refused(*rows)] == [
        "2: companies alpha: lei: “5299000000”: A LEI has 20 characters, capital letters A to Z and digits.",
        "3: companies beta: founded_on: “19.2.2025” is no date: write a day 2025-02-19, a month 2025-02 or a year 2025",
        "3: companies beta: name: is missing",
        '4: website: “=HYPERLINK("https://evil.example")” begins like a formula of a spreadsheet',
        '4: companies gamma: website: “=HYPERLINK("https://evil.example")”: Enter a valid URL.',
        "5: (6): this cell stands in a column without a name",
        "6: companies alpha: “alpha” stands already at firms.csv:2: companies alpha",
        "8: companies: slug: is missing",
    ]
    assert Company.objects.get().name == "Alpha"


def test_references_to_nothing_are_told():
    make_jurisdiction(code="HK")

    assert refused(["slug", "name", "headquarters"], ["alpha", "Alpha", "HKK"]) == [
        "firms.csv:2: companies alpha: headquarters: there is no jurisdiction “HKK”. Is “HK” meant?"
    ]


def test_a_source_that_is_not_there_is_told():
    make_source(slug="a-page")

    assert refused(["slug", "name", "source"], ["alpha", "Alpha", "a-pge"]) == [
        "firms.csv:2: companies alpha: source: there is no source “a-pge”. Is “a-page” meant?"
    ]


def test_what_the_database_forbids_is_told_and_nothing_is_written():
    make_company(slug="alpha", name="Alpha", lei="529900T8BM49AURSDO55")

    faults = refused(["slug", "name", "lei"], ["beta", "Beta", "529900T8BM49AURSDO55"], ["gamma", "Gamma", ""])

    assert len(faults) == 1
    assert faults[0].startswith("firms.csv:2: companies beta: ")
    assert Company.objects.count() == 1


def test_records_known_by_several_fields_are_found():
    made = make_membership(valid_from=date(2020, 1, 1))
    head = ["member", "bloc", "valid_from", "valid_until"]

    told = brought_in(head, [made.member.code, made.bloc.code, "2020-01-01", "2021-01-01"], collection="memberships")

    assert (len(told.added), len(told.changed)) == (0, 1)
    assert Membership.objects.get().valid_until == date(2021, 1, 1)


def test_a_record_of_the_sheet_may_name_another_of_it():
    make_jurisdiction(code="US")
    head = ["code", "name", "kind", "parent"]

    brought_in(head, ["US-NY", "New York", "subdivision", "US"], collection="jurisdictions")

    assert brought_in(["code", "name"], ["US-NY", "State of New York"], collection="jurisdictions").changed


def test_queries_do_not_grow_with_the_rows(django_assert_max_num_queries):
    make_source(slug="a-page"), make_topic(slug="custody")
    rows = [[f"firm-{number}", f"Firm {number}", "custody", "a-page"] for number in range(60)]
    brought_in(["slug", "name"], *[row[:2] for row in rows[:30]])

    # Ours, lists now, all keys (one query for each of 13 models), sources, then what is written and its savepoints.
    with django_assert_max_num_queries(50):
        brought_in(["slug", "name", "activities", "source"], *rows)


def test_a_collection_that_there_is_not_is_told():
    assert shape_of("enforcement-actions") is shape_of("enforcement_actions")
    with pytest.raises(ValueError, match=r"There is no collection “companys”\. Is “companies” meant\?"):
        shape_of("companys")


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.kind)
def test_what_our_records_say_is_read_back_as_it_is(knowledge, shape):
    fields = [*shape.fields, *shape.lists]
    rows = []
    for record in shape.model._default_manager.order_by("pk")[:40]:
        lists = {name: sorted(map(key_of, getattr(record, name).all())) for name in shape.lists}
        words = {name: words_of(row_of(shape, record), name) for name in shape.fields}
        rows.append([" | ".join(lists[name]) if name in lists else words[name] for name in fields])

    told = brought_in(fields, *[[cell or "-" for cell in row] for row in rows], collection=shape.kind)

    assert rows
    assert (told.added, told.changed, told.unchanged_count) == ({}, {}, len(rows))


def key_of(record):
    return getattr(record, KEYS[type(record)])
