"""Whoever has the answer already is told so, and nobody is told so wrongly."""

from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
from django.db import connection
from django.utils import timezone

from kbase.reading import caching, kept
from kbase.reading.versions import VERSIONS
from tests.api.asking import ROOT, problem
from tests.api.test_queries import statements
from tests.factories import make_jurisdiction, make_policy

NOW = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
LIST = ROOT + "policies/"
RECORD = ROOT + "policies/mica/"
PAST = "2026-02-01T00:00:00Z"


@pytest.fixture
def clock(monkeypatch):
    """A function that sets the time of day; it is NOW at first."""

    def set_to(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)

    set_to(NOW)
    return set_to


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    """What is kept from one answer to the next, as it is in the server; empty at first."""
    monkeypatch.setattr(kept, "memory", kept.Memory(2**20))


@pytest.fixture
def old_build(monkeypatch):
    monkeypatch.setattr(caching, "build", lambda: caching.Build("a", datetime(2026, 1, 1, tzinfo=UTC)))


@pytest.fixture
def policy(db, clock, old_build):
    made = make_policy(slug="mica", title="Markets in Crypto-Assets")
    commit(NOW - timedelta(days=10))
    return made


def commit(moment):
    """Give what was changed so far its moment, as the end of a transaction does; but this one."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in ("data_version", "regulations_change"):
            cursor.execute(f"UPDATE {table} SET moment = %s WHERE moment = (SELECT max(moment) FROM {table})", [moment])


def rename(policy, moment):
    policy.title += " again"
    policy.save()
    commit(moment)


def tag_of(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer["ETag"]


def revalidated(client, address, **headers):
    return client.get(address, headers=headers).status_code


@pytest.mark.parametrize("address", [ROOT, LIST, RECORD, f"{LIST}?cursor=*", f"{LIST}?known_at={PAST}&on=2026-01-01"])
def test_who_has_the_answer_is_told_so_without_a_body(client, policy, address):
    if "known_at" in address:
        commit(datetime(2026, 1, 15, tzinfo=UTC))
    first = client.get(address)

    again = client.get(address, headers={"if-none-match": first["ETag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    for name in ("ETag", "Cache-Control", "Vary", "Access-Control-Allow-Origin"):
        assert again[name] == first[name], name


def test_who_has_the_answer_costs_one_statement(client, policy):
    tag = tag_of(client, f"{LIST}?jurisdiction={policy.jurisdiction.code}")

    with statements() as run:
        again = client.get(f"{LIST}?jurisdiction={policy.jurisdiction.code}", headers={"if-none-match": tag})

    assert again.status_code == 304
    assert run == [VERSIONS]


@pytest.mark.parametrize("address", [LIST, RECORD])
def test_answer_has_another_tag_after_a_change(client, policy, address):
    tag = tag_of(client, address)

    rename(policy, NOW - timedelta(days=5))

    assert tag_of(client, address) != tag
    assert revalidated(client, address, **{"if-none-match": tag}) == 200


def test_each_question_has_a_tag_of_its_own(client, policy):
    addresses = [
        LIST,
        RECORD,
        f"{LIST}?fields=slug",
        f"{LIST}?page_size=1",
        f"{LIST}?on=2026-03-01",
        f"{LIST}?known_at={PAST}",
    ]
    tags = [tag_of(client, address) for address in addresses]
    tags.append(client.get(LIST, headers={"host": "127.0.0.1"})["ETag"])

    assert len(set(tags)) == len(tags)


def test_order_of_the_parameters_makes_no_other_tag(client, policy):
    assert tag_of(client, f"{LIST}?page=1&page_size=5") == tag_of(client, f"{LIST}?page_size=5&page=1")


def test_another_program_gives_another_tag(client, policy, monkeypatch):
    tag = tag_of(client, LIST)

    monkeypatch.setattr(caching, "build", lambda: caching.Build("b", NOW - timedelta(days=1)))

    assert revalidated(client, LIST, **{"if-none-match": tag}) == 200
    assert client.get(LIST)["Last-Modified"] != ""


def test_build_is_made_of_our_files():
    assert caching.build().digest
    assert caching.build().changed_at < timezone.now()


@pytest.mark.parametrize(("on", "status"), [("", 200), ("?on=2026-03-01", 304)])
def test_tag_ends_at_midnight_unless_the_day_was_given(client, policy, clock, on, status):
    clock(datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC))
    tag = tag_of(client, LIST + on)

    clock(datetime(2026, 3, 2, 0, 0, 0, tzinfo=UTC))

    assert revalidated(client, LIST + on, **{"if-none-match": tag}) == status


def test_tag_at_a_past_moment_stays_when_records_change(client, policy):
    address = f"{LIST}?on=2026-01-01&known_at={PAST}"
    tag = tag_of(client, address)

    rename(policy, NOW - timedelta(days=5))

    assert revalidated(client, address, **{"if-none-match": tag}) == 304


@pytest.mark.parametrize("form", ["{}", '"other", {}', 'W/"other",{}', "*"])
def test_tag_is_found_in_whatever_list_it_stands(client, policy, form):
    assert revalidated(client, LIST, **{"if-none-match": form.format(tag_of(client, LIST))}) == 304


def test_tag_is_compared_weakly(client, policy):
    assert revalidated(client, LIST, **{"if-none-match": tag_of(client, LIST).removeprefix("W/")}) == 304


@pytest.mark.parametrize("form", ['"other"', "nonsense", "", '"'])
def test_other_tags_get_the_answer(client, policy, form):
    assert revalidated(client, LIST, **{"if-none-match": form}) == 200


@pytest.mark.parametrize("header", ["if-none-match", "if-modified-since"])
@pytest.mark.parametrize(("address", "status"), [(f"{LIST}?nope=1", 400), (f"{LIST}nope/", 404)])
def test_no_header_hides_what_is_wrong_with_a_question(client, policy, header, address, status):
    sent = {"if-none-match": "*", "if-modified-since": "Sun, 01 Mar 2026 12:00:00 GMT"}[header]

    refused = client.get(address, headers={header: sent})

    problem(refused, status)
    assert refused["Cache-Control"] == "no-store"
    assert "ETag" not in refused
    assert "Last-Modified" not in refused


def test_last_modified_is_the_last_change_or_the_beginning_of_the_day_that_is_spoken_of(client, policy):
    today, dated = client.get(LIST), client.get(f"{LIST}?on=2026-03-01")

    assert parsedate_to_datetime(today["Last-Modified"]) == MIDNIGHT
    assert parsedate_to_datetime(dated["Last-Modified"]) == (NOW - timedelta(days=10)).replace(microsecond=0)


def test_unmodified_since_is_told_in_whole_seconds(client, policy):
    address = f"{LIST}?on=2026-03-01"
    changed = client.get(address)["Last-Modified"]
    before = "Thu, 19 Feb 2026 11:59:59 GMT"

    assert changed == "Thu, 19 Feb 2026 12:00:00 GMT"
    assert revalidated(client, address, **{"if-modified-since": changed}) == 304
    assert revalidated(client, address, **{"if-modified-since": before}) == 200
    assert revalidated(client, address, **{"if-modified-since": "nonsense"}) == 200


def test_a_tag_outweighs_the_time(client, policy):
    headers = {"if-none-match": '"other"', "if-modified-since": "Sun, 01 Mar 2026 12:00:00 GMT"}

    assert revalidated(client, f"{LIST}?on=2026-03-01", **headers) == 200


def test_two_changes_in_one_second_are_never_taken_for_one(client, policy, clock):
    """RFC 9110, section 8.8.2.2."""
    address = f"{LIST}?on=2026-03-01"
    rename(policy, NOW)
    clock(NOW + timedelta(milliseconds=100))
    between = client.get(address)

    rename(policy, NOW + timedelta(milliseconds=200))
    clock(NOW + timedelta(hours=1))

    assert "Last-Modified" not in between
    assert revalidated(client, address, **{"if-none-match": between["ETag"]}) == 200
    assert client.get(address)["Last-Modified"] == "Sun, 01 Mar 2026 12:00:00 GMT"


def test_change_that_is_not_committed_has_no_tag_of_its_own(client, policy):
    tag = tag_of(client, LIST)

    make_jurisdiction(code="XA")

    assert tag_of(client, LIST) == tag


@pytest.mark.parametrize(
    ("time", "question", "freshness"),
    [
        ("12:00:00", "", "public, max-age=60, stale-while-revalidate=300"),
        ("23:58:00", "", "public, max-age=60, stale-while-revalidate=60"),
        ("23:59:30", "", "public, max-age=30, stale-while-revalidate=0"),
        ("23:59:30", "?on=2026-03-01", "public, max-age=60, stale-while-revalidate=300"),
        ("12:00:00", f"?known_at={PAST}", "public, max-age=43200, stale-while-revalidate=0"),
        ("12:00:00", f"?known_at={PAST}&on=2026-03-01", "public, max-age=86400, stale-while-revalidate=86400"),
    ],
)
def test_no_cache_gives_an_answer_about_today_again_tomorrow(client, policy, clock, time, question, freshness):
    clock(datetime.fromisoformat(f"{date(2026, 3, 1)}T{time}+00:00"))

    assert client.get(LIST + question)["Cache-Control"] == freshness


def test_answer_tells_where_its_neighbours_are(client, policy):
    make_policy(slug="a")
    make_policy(slug="b")

    page = client.get(f"{LIST}?page_size=1&page=2&on=2026-03-01")
    walk = client.get(f"{LIST}?page_size=1&cursor=*&on=2026-03-01")
    record = client.get(RECORD)

    root = f"http://testserver{LIST}?page_size=1"
    assert page["Link"] == (
        f'<{root}&page=3&on=2026-03-01>; rel="next", <{root}&page=1&on=2026-03-01>; rel="prev",'
        f' <{root}&page=1&on=2026-03-01>; rel="first", </api/schema/>; rel="service-desc"'
    )
    assert f'<{walk.json()["next"]}>; rel="next"' in walk["Link"]
    assert record["Link"] == f'<http://testserver{LIST}>; rel="collection", </api/schema/>; rel="service-desc"'


def test_head_stays_short_however_long_the_question(client, policy):
    question = "slug__not=" + ",".join(f"{'a' * 100}{number}" for number in range(30))

    assert client.get(f"{LIST}?{question}")["Link"] == '</api/schema/>; rel="service-desc"'


# Compression


def test_compressed_answer_keeps_its_tag_and_its_bytes(client, policy):
    """ConditionalGet before GZip, with random padding, would give each answer another tag, and never a 304."""
    plain = client.get(LIST)
    packed = [client.get(LIST, headers={"accept-encoding": "gzip, br"}) for _ in range(3)]

    assert {answer["ETag"] for answer in packed} == {plain["ETag"]}
    assert len({answer.content for answer in packed}) == 1
    assert packed[0]["Content-Encoding"] == "gzip"
    assert int(packed[0]["Content-Length"]) == len(packed[0].content) < len(plain.content)
    assert plain["Vary"] == packed[0]["Vary"] == "Accept-Encoding"
    again = client.get(LIST, headers={"accept-encoding": "gzip", "if-none-match": packed[0]["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("br", False),
        ("nonsense;;", False),
    ],
)
def test_gzip_is_for_those_who_take_it(client, policy, accepted, is_packed):
    answer = client.get(LIST, headers={"accept-encoding": accepted})

    assert answer.has_header("Content-Encoding") == is_packed


def test_short_answers_are_not_compressed(client, policy):
    assert "Content-Encoding" not in client.get(f"{RECORD}?fields=slug", headers={"accept-encoding": "gzip"})
