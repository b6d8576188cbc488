"""A name, number, key or address leads to the record that it stands for, and the answer says why."""

from importlib import import_module

import pytest
from django.db import connection
from django.db.models import Max
from django.test import Client

from kbase.reading.statements import compile_statement
from regulations.api.resolve import Reason, address_of, ways
from regulations.api.urls import RESOURCES
from regulations.models import Change, Company, CompanyName
from tests.api.asking import ask, refusal
from tests.api.test_queries import statements
from tests.factories import (
    make_authorisation,
    make_company,
    make_company_identifier,
    make_company_name,
    make_jurisdiction,
    make_organisation,
    make_person,
    make_policy,
    make_regulator,
    make_source,
    make_topic,
)

resolve_indexes = import_module("regulations.migrations.0011_resolve_indexes")

LEI = "529900HMYYJR2NHVZ124"


def resolved(client, text, **sent):
    """The record that is meant, and why; None where it is not one alone."""
    match = ask(client, "resolve/", q=text, **sent)["match"]
    return match and (f"{match['record']['collection']}/{match['record']['key']}", match["reason"]["code"])


def candidates(client, text, **sent):
    answer = ask(client, "resolve/", q=text, **sent)
    assert answer["count"] == len(answer["candidates"])
    return [
        (f"{each['record']['collection']}/{each['record']['key']}", each["reason"]["code"])
        for each in answer["candidates"]
    ]


@pytest.fixture
def firm(db):
    firm = make_company(
        slug="acme", name="Acmé Exchange", legal_name="Acme Digital S.A.", lei=LEI, website="https://www.acme.co.uk/"
    )
    make_company_name(company=firm, name="Acmecoin", kind=CompanyName.Kind.ALIAS)
    make_company_name(company=firm, name="Acme Pay", kind=CompanyName.Kind.TRADING)
    make_company_name(company=firm, name="Roadrunner Ltd", kind=CompanyName.Kind.FORMER)
    make_company_identifier(company=firm, scheme="tax", value="GB 123-456")
    return firm


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LEI, "lei"),
        (LEI.lower(), "lei"),
        (f" {LEI[:4]} {LEI[4:]} ", "lei"),
        ("acme", "key"),
        ("ACME", "key"),
        ("gb123456", "identifier"),
        ("GB-123.456", "identifier"),
        ("Acmé Exchange", "name"),
        ("ACME EXCHANGE", "name"),
        ("acme-exchange, Ltd.", "name"),
        ("Ａｃｍｅ　Ｅｘｃｈａｎｇｅ", "name"),
        ("Аcmе Ехсhаngе", "name"),  # with look-alike Cyrillic letters
        ("Acme Digital", "legal_name"),
        ("Acme Digital SA", "legal_name"),
        ("acme coin", "alias"),
        ("ACME PAY", "trading"),
        ("Road Runner", "former"),
        ("https://acme.co.uk", "website"),
        ("www.acme.co.uk/", "website"),
        ("HTTP://ACME.CO.UK", "website"),
        ("https://support.acme.co.uk/hc/en?page=1", "domain"),
    ],
)
def test_company_is_found_by_whatever_stands_for_it(client, firm, text, reason):
    make_company(slug="other", name="Other", website="https://other.co.uk")

    assert resolved(client, text) == ("companies/acme", reason)


@pytest.mark.parametrize(
    "text",
    [
        "Acme Exchang",
        "Acm",
        "529900HMYYJR2NHVZ125",
        "co.uk",
        "https://co.uk",
        "notacme.co.uk",
        "acme.com",
        "GB",
        "!!!",
        "Ltd",
        "，",
    ],
)
def test_what_stands_for_nothing_has_no_candidates(client, firm, text):
    make_company(slug="nameless", name="!!!")
    make_source(url="")

    assert candidates(client, text) == []
    assert resolved(client, text) is None


def test_records_of_every_kind_are_found_by_their_keys(world_of, client):
    world_of(5, size=3)

    for resource in RESOURCES:
        key = resource.queryset.values_list(resource.key, flat=True).order_by("pk").first()
        assert resolved(client, key, collection=resource.collection) == (f"{resource.collection}/{key}", "key")


def test_other_kinds_are_found_by_their_own_names(db, client):
    make_jurisdiction(code="HK", name="Hong Kong", official_name="Hong Kong Special Administrative Region")
    make_regulator(slug="hk-sfc", name="Securities and Futures Commission", abbreviation="SFC")
    make_organisation(slug="cyberport", name="Cyberport", website="https://www.cyberport.hk/en")
    make_policy(slug="eu-mica", title="Markets in Crypto-Assets", abbreviation="MiCA", reference="CELEX 32023R1114")
    make_person(slug="julia-leung", name="Júlia Leung")
    make_topic(slug="custody", name="Custody of assets")
    make_source(slug="news", title="Old news", url="https://example.com/news/1")

    assert resolved(client, "hk") == ("jurisdictions/HK", "key")
    assert resolved(client, "hong kong special administrative region") == ("jurisdictions/HK", "legal_name")
    assert resolved(client, "sfc") == ("regulators/hk-sfc", "abbreviation")
    assert resolved(client, "cyberport.hk") == ("organisations/cyberport", "domain")
    assert resolved(client, "cyberport.hk/en/") == ("organisations/cyberport", "website")
    assert resolved(client, "mica") == ("policies/eu-mica", "abbreviation")
    assert resolved(client, "celex 32023r1114") == ("policies/eu-mica", "reference")
    assert resolved(client, "Julia  Leung") == ("people/julia-leung", "name")
    assert resolved(client, "custody of assets") == ("topics/custody", "name")
    assert resolved(client, "http://www.example.com/news/1") == ("sources/news", "website")
    assert candidates(client, "example.com") == []


def test_old_key_leads_to_the_record_that_had_it(db, client):
    firm = make_company(slug="huobi", name="HTX")
    firm.slug = "htx-global"
    firm.save()

    assert resolved(client, "huobi") == ("companies/htx-global", "former_key")
    assert resolved(client, "Huobi") == ("companies/htx-global", "former_key")
    assert resolved(client, "htx-global") == ("companies/htx-global", "key")


def test_key_that_another_record_has_now_leads_to_that_one(db, client):
    firm = make_company(slug="taken", name="First")
    firm.slug = "first"
    firm.save()
    make_company(slug="taken", name="Second")

    assert resolved(client, "taken") == ("companies/taken", "key")
    assert candidates(client, "taken") == [("companies/taken", "key"), ("companies/first", "former_key")]


def test_records_for_which_the_same_reason_speaks_are_all_candidates(db, client):
    make_regulator(slug="hk-sfc", abbreviation="SFC")
    make_regulator(slug="kr-sfc", abbreviation="SFC")
    make_company_name(company=make_company(slug="sfc-holding", name="Holding"), name="SFC")

    assert resolved(client, "SFC") is None
    assert candidates(client, "SFC") == [
        ("regulators/hk-sfc", "abbreviation"),
        ("regulators/kr-sfc", "abbreviation"),
        ("companies/sfc-holding", "alias"),
    ]


def test_collection_narrows_what_may_be_meant(db, client):
    make_topic(slug="custody")
    make_company(slug="custody")

    assert resolved(client, "custody") is None
    assert resolved(client, "custody", collection="companies") == ("companies/custody", "key")
    assert candidates(client, "custody", collection="policies,people") == []


def test_record_is_a_candidate_once_for_its_strongest_reason(db, client):
    firm = make_company(slug="acme", name="Acme", legal_name="ACME LTD")
    make_company_name(company=firm, name="ACME.")

    assert candidates(client, "Acme") == [("companies/acme", "key")]


def test_more_candidates_than_can_be_looked_over_are_counted(db, client):
    for number in range(51):
        make_person(slug=f"person-{number}", name="John Smith")

    answer = ask(client, "resolve/", q="john smith")

    assert (answer["match"], answer["count"], len(answer["candidates"])) == (None, 51, 50)


@pytest.mark.parametrize(
    ("sent", "parameter", "code"),
    [
        ({}, "q", "empty"),
        ({"q": "  "}, "q", "empty"),
        ({"q": "x" * 401}, "q", "out_of_range"),
        ({"q": "x", "collection": "firms"}, "collection", "unknown"),
        ({"q": "x", "query": "x"}, "query", "unknown"),
    ],
)
def test_what_could_be_misread_is_refused(db, client, sent, parameter, code):
    faults = refusal(client, "resolve/", **sent)

    assert [(fault["parameter"], fault["code"]) for fault in faults] == [(parameter, code)]


@pytest.mark.parametrize(
    "text",
    ["http://", "//", "http://[", "a..b", ".", "%", "'", "\\", "xn--a.com", "a" * 400, "é.com", "😀", "a.b:99999"],
)
def test_awkward_text_is_answered(db, client, text):
    make_company(website="https://example.com")

    assert candidates(client, text) == []


@pytest.mark.parametrize(
    ("text", "place", "domain"),
    [
        ("kucoin.com", "kucoin.com", "kucoin.com"),
        ("https://www.kucoin.com/support/?a=1", "kucoin.com/support?a=1", "kucoin.com"),
        ("hkma.gov.hk", "hkma.gov.hk", "hkma.gov.hk"),
        ("gov.hk", "gov.hk", ""),
        ("kucoin", "", ""),
        ("Mr. Smith", "", ""),
    ],
)
def test_domain_is_what_somebody_registered(text, place, domain):
    assert address_of(text) == (place, domain)


def test_answer_costs_as_many_queries_however_many_candidates(db, client):
    for number in range(30):
        make_person(slug=f"person-{number}", name="John Smith")
        make_company(slug=f"firm-{number}", name="John Smith")

    with statements() as run:
        ask(client, "resolve/", q="john smith")

    # 1. SELECT the versions of the tables. 2. SELECT who may be meant. 3. SELECT these records. 4. SELECT the versions again.
    assert len(run) == 4


def test_every_reason_is_reached():
    assert {way.reason for way in ways()} == set(Reason)


def test_companies_of_the_knowledge_are_found_by_lei_and_name(knowledge):
    client = Client()
    for firm in Company.objects.exclude(lei=None)[:25]:
        assert resolved(client, firm.lei) == (f"companies/{firm.slug}", "lei")
        assert f"companies/{firm.slug}" in dict(candidates(client, firm.name.upper()))


def test_authorisation_is_found_by_its_key_alone(db, client):
    make_authorisation(key="acme-sfc-licence", company=make_company(slug="acme", name="Acme"))

    assert candidates(client, "acme-sfc-licence") == [("authorisations/acme-sfc-licence", "key")]


def test_past_moment_knows_the_names_and_keys_of_then(committed):
    client, firm = Client(), make_company(slug="huobi", name="Huobi")
    moment = Change.objects.aggregate(Max("moment"))["moment__max"].isoformat().replace("+00:00", "Z")
    firm.slug, firm.name = "htx", "HTX Global"
    firm.save()

    assert resolved(client, "huobi", known_at=moment) == ("companies/huobi", "key")
    assert resolved(client, "htx global", known_at=moment) is None
    assert candidates(client, "htx", known_at=moment) == []
    assert resolved(client, "huobi") == ("companies/htx", "former_key")
    assert resolved(client, "htx global") == ("companies/htx", "name")


def test_no_large_table_is_read_whole(world_of):
    """Each way ends at an index on the very expression by which it compares; one that was altered would miss it."""
    world_of(5, size=30)
    columns = {column for _, names in resolve_indexes.COMPARED.values() for column in names.split()}
    with connection.cursor() as cursor:
        # Where all rows say the same, an index is of no use.
        for table, _, field in (column.partition(".") for column in columns):
            cursor.execute(f"UPDATE regulations_{table} SET {field} = 'https://a' || id || '.org'")
        cursor.execute("ANALYZE")
        # Of few rows any plan is good.
        cursor.execute("SET LOCAL enable_seqscan = off")
        for way in ways():
            statement = compile_statement(way.ids)
            values = {"known_at": None, **dict.fromkeys(("asked", "asked_lei", "asked_place", "asked_domain"), "a.org")}
            given = [param.value_in(values) for param in statement.params]
            cursor.execute(f"EXPLAIN {statement.sql}", given)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            table = way.ids.model._meta.db_table
            whole = [line for line in plan.splitlines() if f"Scan on {table}" in line and "Seq" in line]
            assert not whole, (way.reason, plan)
            assert "Index Cond" in plan, (way.reason, plan)
