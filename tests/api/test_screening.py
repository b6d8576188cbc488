"""Whether a web domain or a name stands on a warning list is told with what only resembles it apart, and with the coverage."""

from datetime import date

import pytest
from django.db import connection, transaction
from django.db.models import Max
from django.test import Client

from regulations.models import Change
from tests.api.asking import ask, refusal
from tests.api.test_covering import nodes_of
from tests.api.test_queries import statements
from tests.factories import (
    make_company,
    make_company_name,
    make_enforcement_action,
    make_enforcement_domain,
    make_enforcement_name,
    make_regulator,
)

pytestmark = pytest.mark.django_db


def warn(slug, *addresses, names=(), **facts):
    """A warning about these domains, or pairs of domain and address, and names."""
    action = make_enforcement_action(slug=slug, kind=facts.pop("kind", "warning"), **facts)
    for each in addresses:
        domain, address = each if isinstance(each, tuple) else (each, each)
        make_enforcement_domain(action=action, domain=domain, address=address)
    for name in names:
        make_enforcement_name(action=action, name=name)
    return action


def told(rows):
    return [(row["warning"]["key"], row["reason"]["code"]) for row in rows]


def exact(**sent):
    return told(ask(Client(), "screen/", **sent)["exact"])


def similar(**sent):
    return told(ask(Client(), "screen/", **sent)["similar"])


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("m.kraken-pro.xyz", "host"),
        ("https://WWW.m.Kraken-Pro.xyz/login?x=1", "host"),
        ("eu.m.kraken-pro.xyz", "below"),
        ("kraken-pro.xyz", "same_domain"),
    ],
)
def test_domain_is_the_listed_one_by_what_is_registered(asked, reason):
    warn("w", ("kraken-pro.xyz", "https://m.kraken-pro.xyz"))

    answer = ask(Client(), "screen/", domain=asked)

    assert told(answer["exact"]) == [("w", reason)]
    assert answer["exact"][0]["listed"] == {
        "domain": "kraken-pro.xyz",
        "address": "https://m.kraken-pro.xyz",
        "name": None,
    }
    assert answer["similar"] == []


def test_page_that_is_listed_is_told_from_its_whole_host():
    warn("w", ("social.example", "https://social.example/someone"))

    assert exact(domain="social.example") == [("w", "page")]


def test_kraken_is_never_a_domain_that_begins_with_its_name():
    warn("w", "kraken-pro.xyz", "kraken.com.login.xyz")

    assert exact(domain="kraken.com") == []


@pytest.mark.parametrize("asked", ["bank.co.uk", "coins.blogspot.com"])
def test_suffix_is_nobody_s_domain(asked):
    warn("w", "other.co.uk", "others.blogspot.com")
    warn("same", (asked, f"https://shop.{asked}"))

    assert exact(domain=asked) == [("same", "same_domain")]


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        ("kraken.net", "other_suffix"),
        ("kraken.co.uk", "other_suffix"),
        ("xn--krken-5ve.com", "confusable_letters"),
        ("xn--krken-hra.com", "confusable_letters"),
        ("krakem.com", "edit_distance"),
        ("krakn.com", "edit_distance"),
        ("krakeen.xyz", "edit_distance"),
        ("krrakken.com", None),
        ("kraken-pro.com", None),
    ],
)
def test_what_looks_like_a_listed_domain_stands_apart_with_its_reason(listed, reason):
    warn("w", listed)

    assert exact(domain="kraken.com") == []
    assert similar(domain="kraken.com") == ([("w", reason)] if reason else [])


@pytest.mark.parametrize(
    ("asked", "listed", "is_similar"),
    [
        ("abcde.com", "abcdx.com", False),
        ("abcdef.com", "abcdex.com", True),
        ("abcdefgh.com", "abcdefxy.com", False),
        ("abcdefghi.com", "xbcdefghy.com", True),
        ("abcdefghi.com", "xycdefghz.com", False),
    ],
)
def test_how_many_letters_may_differ_grows_with_the_label(asked, listed, is_similar):
    warn("w", listed)

    assert similar(domain=asked) == ([("w", "edit_distance")] if is_similar else [])


def test_domain_in_other_letters_is_the_same_however_it_is_written():
    warn("w", "xn--bcher-kva.example")

    assert exact(domain="BÜCHER.example") == exact(domain="xn--bcher-kva.example") == [("w", "host")]


@pytest.mark.parametrize("name", ["Dobibo", "DOBIBO Ltd.", "Dobíbo", "Dоbibо"])
def test_name_is_the_listed_one_if_folded_alike(name):
    warn("w", names=["Dobibo"])

    assert exact(name=name) == [("w", "name")]
    assert similar(name=name) == []


def test_name_much_like_a_listed_one_stands_apart():
    warn("w", names=["Stock Credit Wallet"])
    warn("far", names=["Spazio Finanziario"])

    answer = ask(Client(), "screen/", name="Stock Credit Wallets")

    assert answer["exact"] == []
    assert told(answer["similar"]) == [("w", "name")]
    assert "Stock Credit Wallet" in answer["similar"][0]["explanation"]


def test_company_of_ours_that_is_warned_of_is_found_by_its_website_and_names():
    company = make_company(slug="mexc", name="MEXC", website="https://www.mexc.com/de")
    make_company_name(company=company, name="MXC")
    warn("w").companies.add(company)

    assert exact(domain="m.mexc.com") == exact(name="mexc") == exact(name="MXC") == [("w", "company")]


def test_companies_with_the_domain_are_told_from_those_it_resembles():
    make_company(slug="kraken", website="https://www.kraken.com")
    make_company(slug="far", website="https://kraken-pro.xyz")

    its_own = ask(Client(), "screen/", domain="support.kraken.com")
    like_it = ask(Client(), "screen/", domain="krakem.com")

    assert [each["record"]["key"] for each in its_own["known_companies"]] == ["kraken"]
    assert its_own["resembles"] == []
    assert like_it["known_companies"] == []
    assert [(each["record"]["key"], each["reason"]["code"]) for each in like_it["resembles"]] == [
        ("kraken", "edit_distance")
    ]


@pytest.mark.parametrize(
    ("on", "stands"), [("2025-02-11", False), ("2025-02-12", True), ("2025-12-31", True), ("2026-01-01", False)]
)
def test_warning_stands_from_its_day_until_the_day_before_its_end(on, stands):
    warn("w", "dobibo.com", announced_on=date(2025, 2, 12), concluded_on=date(2026, 1, 1))

    assert exact(domain="dobibo.com", on=on) == ([("w", "host")] if stands else [])


def test_only_warnings_count():
    warn("w", "dobibo.com", kind="fine")

    assert exact(domain="dobibo.com") == []


def test_past_moment_knows_what_was_listed_then(committed):
    action = warn("w", "dobibo.com", names=["Dobibo"])
    moment = Change.objects.aggregate(Max("moment"))["moment__max"].isoformat().replace("+00:00", "Z")
    action.domains.all().delete()
    action.names.all().delete()

    assert exact(domain="dobibo.com", name="Dobibo") == similar(domain="dobibo.net") == []
    assert exact(domain="dobibo.com", name="Dobibo", known_at=moment) == [("w", "host"), ("w", "name")]
    assert similar(domain="dobibo.net", known_at=moment) == [("w", "other_suffix")]


def test_coverage_says_by_authority_what_we_hold_and_that_absence_is_no_clearance():
    consob, afm = make_regulator(slug="it-consob"), make_regulator(slug="nl-afm")
    warn("a", "a.com", names=["A", "B"], regulator=consob, announced_on=date(2025, 2, 12))
    warn("b", names=["C"], regulator=consob, announced_on=date(2025, 3, 4))
    warn("c", "c.com", "d.com", regulator=afm)
    warn("d", regulator=afm).companies.add(make_company())
    warn("e", regulator=make_regulator())

    answer = ask(Client(), "screen/", domain="nothing-like-it.com")

    def counts(row):
        return [row[f"{part}_count"] for part in ("domain", "name", "company")]

    held = [(row["authority"]["key"], row["count"], *counts(row), row["latest_on"]) for row in answer["coverage"]]
    assert held == [("it-consob", 2, 1, 2, 0, "2025-03-04"), ("nl-afm", 2, 1, 0, 1, None)]
    assert "no clearance" in answer["caveat"]
    assert answer["is_complete"]


@pytest.mark.parametrize(
    ("sent", "parameter", "words"),
    [
        ({}, "domain", "domain nor name"),
        ({"domain": "192.0.2.1"}, "domain", "IP address"),
        ({"domain": "http://[2001:db8::1]/"}, "domain", "IP address"),
        ({"domain": "someone@kraken.com"}, "domain", "e-mail"),
        ({"domain": "co.uk"}, "domain", "suffix"),
        ({"domain": "blogspot.com"}, "domain", "suffix"),
        ({"domain": "kraken"}, "domain", "point"),
        ({"domain": f"{'a.' * 130}com"}, "domain", "253"),
        ({"domain": "kra\u200dken.com"}, "domain", "internationalised"),
        ({"name": "!!!"}, "name", "no letters"),
        ({"name": "Kraken", "domain": "co.uk"}, "domain", "suffix"),
    ],
)
def test_what_cannot_be_looked_for_is_refused_with_what_to_do(sent, parameter, words):
    [fault] = refusal(Client(), "screen/", **sent)

    assert fault["parameter"] == parameter
    assert words in fault["detail"]


def test_question_costs_as_many_queries_whatever_is_found():
    sent, runs = {"domain": "kraken.com", "name": "Kraken"}, []
    for n in range(5):
        action = warn(f"w{n}", "kraken.com", "kraken.net", names=["Kraken", "Krakens"])
        action.companies.add(make_company(slug=f"c{n}", name="Kraken", website="https://kraken.com"))
        make_company(slug=f"d{n}", website="https://kraken.net")
        with statements() as run:
            answer = ask(Client(), "screen/", **sent)
        runs.append(len(run))

    assert min(len(answer[part]) for part in ("exact", "similar", "known_companies", "resembles")) >= 5
    # The versions before and after, companies by domain, by name (ids and rows) and alike, domains and names that are
    # the same and alike, warnings about the companies, and what we hold.
    assert runs == [12] * 5


@pytest.mark.parametrize(
    ("sent", "index"),
    [
        ({"domain": "kraken-exchange.com"}, "enforcementdomain_domain"),
        ({"domain": "kraken-exchange.com"}, "enforcementdomain_alike"),
        ({"domain": "kraken-exchange.com"}, "company_website_host"),
        ({"domain": "kraken-exchange.com"}, "company_website_alike"),
        ({"name": "Kraken Exchange"}, "enforcementname_folded"),
        ({"name": "Kraken Exchange"}, "enforcementname_alike"),
        ({"name": "Kraken Exchange"}, "company_name_folded"),
    ],
)
def test_indexes_find_what_is_compared(sent, index):
    for n in range(30):
        warn(f"w{n}", f"site-number{n}.com", names=[f"Site number {n}"])
        make_company(slug=f"c{n}", website=f"https://company{n}.com")
    run = []

    def note(execute, sql, params, many, context):
        run.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        ask(Client(), "screen/", **sent)

    # What is counted of all warnings is read from end to end, and kept.
    nodes = [node for sql, params in run if "count(" not in sql.lower() for node in plan_of(sql, params)]
    assert index in {node.get("Index Name") for node in nodes if "Index Cond" in node}
    large = {"regulations_enforcementdomain", "regulations_enforcementname", "regulations_company"}
    assert [node for node in nodes if node["Node Type"] == "Seq Scan" and node["Relation Name"] in large] == []


def plan_of(sql, params):
    with transaction.atomic(), connection.cursor() as cursor:
        # Of few rows any plan is good.
        cursor.execute(
            "ANALYZE regulations_enforcementaction, regulations_enforcementdomain, regulations_enforcementname, regulations_company"
        )
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        [plan] = cursor.fetchone()[0]
    return nodes_of(plan["Plan"])
