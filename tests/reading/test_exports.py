"""Whole lists as files: complete or not there, whatever their length, and safe in a spreadsheet."""

import csv
import gzip
import io
import json
from datetime import date

import pytest
from django.db import OperationalError

from kbase.reading import exports, statements
from kbase.reading.exports import cell
from regulations.api.urls import RESOURCES
from tests.api.asking import ROOT, ask, problem, refusal, walk
from tests.factories import make_jurisdiction, make_policy, make_topic

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
ON = "2026-01-01"


def body(client, path, **sent):
    answer = client.get(ROOT + path, sent)
    assert answer.status_code == 200, answer.content
    found = answer.getvalue()
    assert answer["Content-Length"] == str(len(found))
    answer.close()
    return found.decode()


def lines(client, path, **sent):
    return [json.loads(line) for line in body(client, path, format="ndjson", **sent).splitlines()]


def table(client, path, **sent):
    return list(csv.DictReader(io.StringIO(body(client, path, format="csv", **sent), newline="")))


def walked(client, path, **sent):
    return [row for page in walk(client, path, cursor="*", page_size=200, **sent) for row in page["results"]]


@every_resource
def test_lines_are_the_records_of_the_whole_list_in_its_order(knowledge, client, resource):
    path = f"{resource.collection}/"

    assert lines(client, path, on=ON) == walked(client, path, on=ON)


@every_resource
def test_table_has_a_row_for_each_record_in_its_order(knowledge, client, resource):
    path = f"{resource.collection}/"

    rows = table(client, path, on=ON)

    assert [row[resource.key] for row in rows] == [row[resource.key] for row in walked(client, path, on=ON)]
    assert all(None not in row and None not in row.values() for row in rows)


@pytest.mark.parametrize(
    "sent",
    [
        {"jurisdiction": "HK", "status": "in_force"},
        {"ordering": "title"},
        {"fields": "slug,jurisdiction.name"},
        {"omit": "summary", "expand": "jurisdiction.parent"},
        {"on": "2019-01-01", "status": "in_force"},
        {"known_at": "2026-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_whatever_can_be_asked_of_a_list_can_be_asked_of_the_file(knowledge, client, sent):
    assert lines(client, "policies/", **sent) == walked(client, "policies/", **sent)


def test_columns_are_the_fields_that_have_no_parts(knowledge, client):
    rows = table(client, "policies/", fields="slug,kind,jurisdiction.code,topics.slug", slug="hk-stablecoins-ordinance")

    [policy] = ask(client, "policies/", slug="hk-stablecoins-ordinance")["results"]
    assert rows == [
        {
            "slug": policy["slug"],
            "kind.code": policy["kind"]["code"],
            "kind.label": policy["kind"]["label"],
            "jurisdiction.code": "HK",
            "topics.slug": ";".join(topic["slug"] for topic in policy["topics"]),
        }
    ]


def test_table_of_nothing_has_its_head(client, db):
    assert body(client, "topics/", format="csv", omit="url") == "slug,name,kind.code,kind.label,summary\r\n"
    assert body(client, "topics/", format="ndjson") == ""


def test_file_is_named_after_what_it_holds(client, db):
    plain = client.get(f"{ROOT}topics/?format=csv&on=2026-01-01")
    past = client.get(f"{ROOT}topics/?format=ndjson&on=2026-01-01&known_at=2026-01-02T03:04:05Z")

    assert plain["Content-Disposition"] == 'attachment; filename="topics-2026-01-01.csv"'
    assert past["Content-Disposition"] == 'attachment; filename="topics-2026-01-01-known-20260102T030405Z.ndjson"'
    assert (plain["Content-Type"], past["Content-Type"]) == (
        "text/csv; charset=utf-8",
        "application/x-ndjson; charset=utf-8",
    )
    plain.close()
    past.close()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("a=1", "a=1"),
        (-1, "-1"),
        (["=1", "b"], "'=1;b"),
        (["a;b", "c\\"], "a\\;b;c\\\\"),
        ([["a", "b"], ["c"]], "a\\;b;c"),
        (None, ""),
        (True, "true"),
        (False, "false"),
    ],
)
def test_cell_says_what_the_value_is_and_no_formula(value, shown):
    assert cell({"x": value}, ("x",)) == shown


def test_text_of_any_kind_comes_back_from_the_table(client, db):
    title = 'Quoted "law", of\nlines; 穩定幣 and é'
    make_policy(slug="odd", title=title)

    [row] = table(client, "policies/")

    assert row["title"] == title


def test_numbers_keep_their_digits(knowledge, client):
    rows = table(client, "figures/")
    figures = walked(client, "figures/")

    assert [float(row["value"]) for row in rows] == [figure["value"] for figure in figures]


@pytest.mark.parametrize("name", ["page", "page_size", "cursor", "facets"])
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_what_is_asked_of_pages_is_refused(client, db, name, form):
    sent = {"page": 1, "page_size": 10, "cursor": "*", "facets": "kind"}[name]

    [fault] = refusal(client, "topics/", **{name: sent, "format": form})

    assert (fault["parameter"], fault["code"]) == (name, "contradictory")


def test_unknown_format_is_refused_with_the_known_ones(client, db):
    [fault] = refusal(client, "topics/", format="cvs")

    assert (fault["allowed"], fault["nearest"]) == (["json", "csv", "ndjson"], "csv")


def test_format_json_is_the_list(client, db):
    make_topic(slug="custody")

    assert ask(client, "topics/", format="json")["count"] == 1


@pytest.mark.parametrize(
    ("accepted", "path", "status"),
    [
        ("text/csv", "topics/?format=csv", 200),
        ("application/x-ndjson, */*;q=0.1", "topics/?format=ndjson", 200),
        ("*/*", "topics/?format=csv", 200),
        ("text/csv", "topics/", 406),
        ("application/json", "topics/?format=csv", 406),
        ("text/html", "topics/?format=csv", 406),
    ],
)
def test_address_alone_tells_the_format_and_accept_may_refuse_it(client, db, accepted, path, status):
    answer = client.get(ROOT + path, headers={"accept": accepted})
    answer.close()

    assert answer.status_code == status


def test_compressed_file_has_the_same_tag_and_the_same_rows(knowledge, client):
    address = f"{ROOT}companies/?format=ndjson&on={ON}"
    plain, packed = client.get(address), client.get(address, headers={"accept-encoding": "gzip"})

    rows, fewer = plain.getvalue(), packed.getvalue()
    assert gzip.decompress(fewer) == rows
    assert packed["Content-Length"] == str(len(fewer))
    assert plain["ETag"] == packed["ETag"]
    assert packed["Content-Encoding"] == "gzip"
    plain.close()
    packed.close()
    again = client.get(address, headers={"if-none-match": plain["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_head_makes_no_file(client, db, monkeypatch):
    monkeypatch.setattr(exports, "_written", lambda *_: pytest.fail("a file was made"))

    head = client.head(f"{ROOT}topics/?format=csv")

    assert (head.status_code, head["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert {"ETag", "Cache-Control", "Content-Disposition"} <= {*head.headers}


def test_file_that_fails_half_way_is_not_begun(client, db, monkeypatch):
    monkeypatch.setattr(statements, "ROWS_AT_ONCE", 1)
    fetched = []

    def fail_later(*arguments):
        for row in exports_rows(*arguments):
            yield row
            fetched.append(row)
            raise OperationalError("the connection is lost")

    exports_rows = exports.all_rows
    monkeypatch.setattr(exports, "all_rows", fail_later)
    make_topic()
    make_topic()

    answer = client.get(f"{ROOT}topics/?format=csv")

    problem(answer, 503)
    assert len(fetched) == 1


def test_more_files_than_are_made_at_once_are_put_off(client, db, settings):
    being_sent = [client.get(f"{ROOT}topics/?format=csv") for _ in range(settings.EXPORTS_AT_ONCE)]

    refused = client.get(f"{ROOT}topics/?format=csv")
    for answer in being_sent:
        answer.getvalue()

    problem(refused, 503)
    assert int(refused["Retry-After"]) > 0
    body(client, "topics/", format="csv")


def test_rows_come_a_few_at_a_time_from_one_cursor(client, db, monkeypatch):
    monkeypatch.setattr(statements, "ROWS_AT_ONCE", 2)
    for number in range(5):
        make_jurisdiction(code=f"X{'ABCDE'[number]}")

    assert [row["code"] for row in lines(client, "jurisdictions/", on=date(2026, 1, 1))] == [
        "XA",
        "XB",
        "XC",
        "XD",
        "XE",
    ]
