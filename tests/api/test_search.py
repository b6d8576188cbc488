"""Search finds what people mean, first what is called so, and says what it found where."""

from random import Random

import orjson
import pytest
from django.db import connection
from django.utils import timezone

from bench import relevance
from regulations.api import search
from regulations.api.urls import RESOURCES
from regulations.models import Company, CompanyName, Policy, SearchDocument
from tests.api.asking import ask, get, keys, problem, refusal, walk
from tests.api.test_queries import queries
from tests.api.worlds import World
from tests.factories import make_company, make_jurisdiction, make_policy, make_provision, make_regulator, make_topic

every_resource = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)


def found(client, q, path="search/", **sent):
    return [f"{row['collection']}/{row['key']}" for row in ask(client, path, q=q, **sent)["results"]]


def first(client, q, path="search/", **sent):
    return next(iter(found(client, q, path, **sent)), None)


# What the issue asks for, on the whole knowledge


@pytest.mark.parametrize(
    ("q", "answer"),
    [
        ("hong kong stablcoin", "policies/hk-stablecoins-ordinance"),
        ("SFC", "regulators/hk-sfc"),
        ("kukoin", "companies/kucoin"),
        ("societe generale forge", "companies/sg-forge"),
        ("Société Générale–Forge", "companies/sg-forge"),
        ("MAS", "regulators/sg-mas"),
        ("MiCA", "policies/eu-mica"),
        ("bit flyer", "companies/bitflyer"),
        ("crypto com", "companies/crypto-com"),
        ("산위원", "sources/kr-herald-daba"),
        ("罰", "sources/tw-bnext-fines-2025"),
    ],
)
def test_what_is_meant_comes_first(knowledge, client, q, answer):
    assert first(client, q) == answer


def test_known_queries_are_answered_well(knowledge, client):
    judgements = relevance.judged(lambda q: found(client, q, page_size=relevance.LOOKED_AT))

    assert len(judgements) >= 60
    assert relevance.mean_reciprocal_rank(judgements) >= 0.9, relevance.told(judgements)
    assert relevance.recall(judgements) >= 0.9


def test_known_answers_are_records(knowledge):
    there = {f"{collection}/{key}" for collection, key in SearchDocument.objects.values_list("collection", "key")}

    answers = {key for judgement in relevance.judged(lambda q: []) for key in judgement.answers}

    assert answers - there == set()


def test_whatever_has_a_name_is_found_by_it_before_others(knowledge, client):
    random = Random(1)
    named = list(SearchDocument.objects.order_by("pk").values_list("collection", "key", "names"))
    for collection, key, names in random.sample(named, 120):
        for called in names:
            said = called["name"][:400]
            above = []
            for row in ask(client, "search/", q=said, page_size=200)["results"]:
                if (row["collection"], row["key"]) == (collection, key):
                    break
                above.append((row["collection"], row["key"]))
            else:
                pytest.fail(f"{collection}/{key} is not found by {said}")
            # Only what is called so too may stand before it.
            for one, other in above:
                assert same_name(said, SearchDocument.objects.get(collection=one, key=other)), (said, one, other)


def same_name(said, document):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ARRAY[regulations_search_words(%s), replace(regulations_search_words(%s), ' ', '')] && %s::text[]",
            [said, said, document.folded],
        )
        return cursor.fetchone()[0]


# What is too common to rank it all


def all_found(client, q, most, monkeypatch, **sent):
    with monkeypatch.context() as patch:
        patch.setattr(search, "COUNTED", most)
        return ask(client, "search/", q=q, page_size=200, **sent)


def test_bounded_search_answers_as_if_all_were_ranked_where_no_more_match(knowledge, client, monkeypatch):
    queries = [judgement.query for judgement in relevance.judged(lambda q: [])]
    for q in [*queries, "stablecoin", "bank", "licence", "the"]:
        whole = all_found(client, q, 10**6, monkeypatch)
        bounded = all_found(client, q, max(whole["count"], 1), monkeypatch)
        assert bounded == whole, q


def test_of_too_many_those_that_are_meant_are_still_first(knowledge, client, monkeypatch):
    def few_ranked(q):
        rows = all_found(client, q, 100, monkeypatch)["results"]
        return [f"{row['collection']}/{row['key']}" for row in rows]

    judgements = relevance.judged(few_ranked)

    assert relevance.mean_reciprocal_rank(judgements) >= 0.9, relevance.told(judgements)
    assert relevance.recall(judgements) >= 0.9


def test_what_is_not_counted_is_null_and_never_a_lesser_number(knowledge, client, monkeypatch):
    whole = all_found(client, "stablecoin", 10**6, monkeypatch)
    exact = {each["collection"]: each["count"] for each in whole["collections"]}
    uncounted = 0
    for most in (10, 60, 150, 250, whole["count"] - 1):
        answer = all_found(client, "stablecoin", most, monkeypatch)
        assert answer["count"] is None
        counts = {each["collection"]: each["count"] for each in answer["collections"]}
        assert exact.keys() <= counts.keys()
        assert all(count == exact[collection] for collection, count in counts.items() if count is not None)
        uncounted += list(counts.values()).count(None)
    assert uncounted > 5
    some = all_found(client, "stablecoin", 250, monkeypatch, collection="topics,companies")
    assert some["count"] == exact["topics"] + exact["companies"]


def test_pages_of_too_many_end_with_those_that_are_ranked(knowledge, client, monkeypatch):
    monkeypatch.setattr(search, "COUNTED", 100)

    pages = list(walk(client, "search/", q="stablecoin", page_size=7))

    rows = [(row["collection"], row["key"]) for page in pages for row in page["results"]]
    assert 20 <= len(rows) == len(set(rows)) < 200
    assert refusal(client, "search/", q="stablecoin", page=len(pages) + 1, page_size=7)[0]["code"] == "out_of_range"


def test_too_many_as_of_a_moment_are_the_same_ever_after(committed, client, monkeypatch):
    monkeypatch.setattr(search, "COUNTED", 20)
    for number in range(60):
        make_policy(slug=f"zebra-{number}", title="Zebra " + "x" * number)
    now = found(client, "zebra", page_size=100)
    moment = timezone.now().isoformat().replace("+00:00", "Z")
    then = ask(client, "search/", q="zebra", page_size=100, known_at=moment)
    assert [f"policies/{row['key']}" for row in then["results"]] == now

    Policy.objects.filter(slug__endswith="1").update(title="Horse")
    make_policy(slug="zebra", title="Zebra")

    assert ask(client, "search/", q="zebra", page_size=100, known_at=moment) == then


# Finding


def test_words_are_found_in_any_form_case_and_accent(db, client):
    make_policy(slug="one", title="Règulated Custodians’ Act")

    for q in ["regulation", "REGULATE", "règulated", "custodian", "custodians act", "regul"]:
        assert first(client, q) == "policies/one", q


def test_all_words_have_to_be_there_but_not_in_one_field(db, client):
    place = make_jurisdiction(code="HK", name="Hong Kong")
    make_policy(slug="one", title="Stablecoins Ordinance", jurisdiction=place)
    make_policy(slug="two", title="Stablecoins Act")

    assert found(client, "hong kong stablecoins", collection="policies") == ["policies/one"]
    assert found(client, "hong kong staking") == []


def test_stop_words_count_only_where_there_are_no_others(db, client):
    make_policy(slug="one", title="Custody of tokens")
    make_company(slug="who", name="The Who")

    assert found(client, "the custody") == ["policies/one"]
    assert found(client, "the") == ["companies/who"]


def test_names_weigh_more_than_related_names_and_those_more_than_summaries(db, client):
    place = make_jurisdiction(code="MC", name="Zephyria")
    make_policy(slug="by-summary", summary="About Zephyria.")
    part = make_policy(slug="by-provision")
    make_provision(policy=part, title="Zephyria")
    make_policy(slug="by-place", jurisdiction=place)
    make_policy(slug="by-name", title="Rules of Zephyria")

    assert found(client, "zephyria", collection="policies") == [
        "policies/by-name",
        "policies/by-place",
        "policies/by-summary",
        "policies/by-provision",
    ]


def test_slip_is_corrected_and_told_but_a_word_that_is_there_is_not(db, client):
    make_company(slug="kucoin", name="KuCoin")

    for q in ["kukoin", "kucion", "kucoinn", "kcoin"]:
        answer = ask(client, "search/", q=q)
        assert (answer["understood_as"], answer["count"]) == ("kucoin", 1), q
    assert ask(client, "search/", q="kucoin")["understood_as"] is None
    assert ask(client, "search/", q="unlikely")["count"] == 0


def test_word_that_was_deleted_corrects_no_slip(db, client):
    make_company(slug="one", name="Kucoin").delete()

    answer = ask(client, "search/", q="kukoin")

    assert (answer["count"], answer["understood_as"]) == (0, None)


@pytest.mark.parametrize("q", ["상", "자산", "상자산위", "香港虛", "務", "ワーキ"])
def test_unspaced_scripts_are_found_by_any_part(db, client, q):
    make_policy(slug="one", title="가상자산위원회 香港虛擬資產服務 ワーキング")

    assert first(client, q) == "policies/one"


def test_parts_in_another_order_are_not_found(db, client):
    make_policy(title="가상자산위원회")

    assert found(client, "산자상가") == []
    assert found(client, "원위") == []


def test_name_changed_by_raw_sql_is_found_by_the_new_one_only(db, client):
    make_company(slug="one", name="Huobi")

    with connection.cursor() as cursor:
        cursor.execute("UPDATE regulations_company SET name = 'Zanzibar'")

    assert found(client, "zanzibar") == ["companies/one"]
    assert found(client, "huobi") == []


def test_search_as_of_a_moment_finds_what_we_said_then_and_never_anything_else(committed, client):
    make_company(slug="one", name="Huobi")
    moment = timezone.now().isoformat().replace("+00:00", "Z")
    Company.objects.update(name="HTX")
    make_company(slug="two", name="Huobbi")

    then = {q: get(client, "search/", q=q, known_at=moment, on="2026-01-01").json() for q in ("huobi", "huobo", "htx")}
    assert [row["key"] for row in then["huobi"]["results"]] == ["one"]
    assert then["huobi"]["known_at"] == moment
    assert then["huobo"]["understood_as"] == "huobi"
    assert then["htx"]["count"] == 0
    assert keys(client, "companies/", q="huobi", known_at=moment) == ["one"]
    assert first(client, "huo", "suggest/", known_at=moment) == "companies/one"
    make_company(slug="three", name="Huobo")
    CompanyName.objects.create(company=Company.objects.get(slug="two"), name="htx", kind="alias")

    assert then == {
        q: get(client, "search/", q=q, known_at=moment, on="2026-01-01").json() for q in ("huobi", "huobo", "htx")
    }


# What is answered


def test_counts_leave_the_collections_out_and_pages_follow_each_other(knowledge, client):
    whole = ask(client, "search/", q="stablecoin", page_size=200)
    some = ask(client, "search/", q="stablecoin", collection="policies,topics", page_size=7)

    assert some["collections"] == whole["collections"]
    counts = {each["collection"]: each["count"] for each in whole["collections"]}
    assert whole["count"] == sum(counts.values()) > 250
    assert some["count"] == counts["policies"] + counts["topics"]
    for collection, count in counts.items():
        assert ask(client, f"{collection}/", q="stablecoin", page_size=1)["count"] == count
    pages = list(walk(client, "search/", q="stablecoin", collection="policies,topics", page_size=7))
    rows = [(row["collection"], row["key"]) for page in pages for row in page["results"]]
    assert len(rows) == len(set(rows)) == some["count"]
    assert client.get(pages[1]["previous"]).json()["results"] == pages[0]["results"]


def test_matches_are_marked_in_escaped_text(db, client):
    make_policy(
        slug="one", title="Tokens & <Custody>", summary="a " * 100 + "Custodians keep “tokens” <here>." + " b" * 200
    )

    [row] = ask(client, "search/", q="custody tokens")["results"]

    assert row["highlights"]["title"] == "<mark>Tokens</mark> &amp; &lt;<mark>Custody</mark>&gt;"
    assert "“<mark>tokens</mark>” &lt;here&gt;." in row["highlights"]["summary"]
    assert row["highlights"]["summary"].startswith("… ")
    assert len(row["highlights"]["summary"]) < 400
    assert row["highlights"]["contents"] is None


def test_unspaced_parts_and_accents_are_marked(db, client):
    make_policy(slug="one", title="가상자산위원회 Générale")

    assert ask(client, "search/", q="자산 generale")["results"][0]["highlights"]["title"] == (
        "가상<mark>자산</mark>위원회 <mark>Générale</mark>"
    )


def test_former_name_that_matched_is_told(db, client):
    company = make_company(slug="htx", name="HTX")
    CompanyName.objects.create(company=company, name="Huobi", kind="former")

    for path in ("search/", "suggest/"):
        [row] = ask(client, path, q="huobi")["results"]
        assert row["title"] == "HTX"
        assert row["matched_name"] == {"name": "Huobi", "kind": "former", "text": "formerly <mark>Huobi</mark>"}
        [row] = ask(client, path, q="htx")["results"]
        assert row["matched_name"] is None


def test_results_lead_to_their_records(knowledge, client):
    for row in ask(client, "search/", q="bank", page_size=50)["results"]:
        assert client.get(row["url"]).status_code == 200


# While one types


def test_suggestions_complete_what_is_typed(knowledge, client):
    assert first(client, "ho", "suggest/", collection="jurisdictions") == "jurisdictions/HK"
    assert first(client, "hong k", "suggest/") == "jurisdictions/HK"
    assert first(client, "kuc", "suggest/") == "companies/kucoin"
    assert "companies/dunamu" in found(client, "upb", "suggest/")
    assert len(found(client, "b", "suggest/")) == 10
    assert len(found(client, "b", "suggest/", limit=3)) == 3


def test_what_is_typed_may_become_any_of_many_words(db, client):
    for number in range(30):
        make_policy(slug=f"p-{number}", title=f"Sec{chr(97 + number % 26)}{number}")
    make_policy(slug="sec", title="Sec")
    make_regulator(slug="sfc", name="Securities Commission of Zephyria")

    assert first(client, "zephyria sec", "suggest/") == "regulators/sfc"


# Lists


@every_resource
def test_list_that_is_searched_finds_what_search_finds_in_that_order(knowledge, client, resource):
    q = {"organisations": "news", "people": "chan", "events": "hackathon", "figures": "volume"}.get(
        resource.collection, "stablecoin"
    )
    searched = found(client, q, collection=resource.collection, page_size=200)
    listed = ask(client, f"{resource.collection}/", q=q, page_size=200, fields=resource.key)

    assert searched or resource.collection == "measures"
    assert [f"{resource.collection}/{row[resource.key]}" for row in listed["results"]] == searched
    assert listed["query"]["ordering"] == ["relevance", resource.key]


def test_search_of_a_list_works_with_filters_orders_cursors_and_facets(knowledge, client):
    sent = {"q": "stablcoin", "jurisdiction": "HK,SG,US"}
    whole = ask(client, "policies/", page_size=200, facets="jurisdiction", **sent)

    assert whole["query"]["understood_as"] == "stablecoin"
    assert 10 < whole["count"] < Policy.objects.filter(jurisdiction__code__in=["HK", "SG", "US"]).count()
    everywhere = ask(client, "policies/", q="stablecoin", page_size=1)["count"]
    assert sum(each["count"] for each in whole["facets"]["jurisdiction"]) == everywhere
    slugs = [row["slug"] for row in whole["results"]]
    walked = [
        row["slug"] for page in walk(client, "policies/", cursor="*", page_size=4, **sent) for row in page["results"]
    ]
    assert walked == slugs
    ordered = ask(client, "policies/", ordering="-introduced_on", page_size=200, **sent)
    assert sorted(slugs) == sorted(row["slug"] for row in ordered["results"])
    days = [row["introduced_on"] for row in ordered["results"]]
    assert days == sorted(days, reverse=True)
    file = get(client, "policies/", format="ndjson", fields="slug", **sent)
    assert [orjson.loads(line)["slug"] for line in b"".join(file).splitlines()] == slugs
    assert ask(client, "policies/", ordering="relevance,title", page_size=200, **sent)["count"] == whole["count"]


# What is refused


@pytest.mark.parametrize("path", ["search/", "suggest/", "policies/"])
@pytest.mark.parametrize(("q", "code"), [("--", "empty"), ("…", "empty"), ("a" * 401, "out_of_range")])
def test_query_without_words_or_too_long_is_refused(db, client, path, q, code):
    [fault] = refusal(client, path, q=q)

    assert (fault["parameter"], fault["code"]) == ("q", code)


def test_question_without_a_query_is_refused(db, client):
    assert [fault["code"] for fault in refusal(client, "search/")] == ["empty"]


def test_unknown_collection_is_refused_with_the_nearest(db, client):
    [fault] = refusal(client, "search/", q="a", collection="polices")

    assert (fault["parameter"], fault["nearest"]) == ("collection", "policies")


def test_page_beyond_the_last_is_refused(db, client):
    make_policy(title="Act")

    assert refusal(client, "search/", q="act", page=2)[0]["parameter"] == "page"
    assert refusal(client, "search/", q="act", page=600)[0]["code"] == "out_of_range"


def test_relevance_needs_a_query(db, client):
    [fault] = refusal(client, "policies/", ordering="relevance")

    assert (fault["parameter"], fault["code"]) == ("ordering", "contradictory")
    assert "q" in fault["detail"]
    assert refusal(client, "policies/", q="a", ordering="-relevance")[0]["nearest"] == "relevance"


def test_cursor_of_another_search_is_refused(knowledge, client):
    cursor = (
        ask(client, "policies/", q="stablecoin", cursor="*", page_size=2)["next"]
        .partition("cursor=")[2]
        .partition("&")[0]
    )
    answer = client.get(f"/api/v1/policies/?q=staking&page_size=2&cursor={cursor}")

    assert problem(answer, 400)["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize(
    "q", ["o'", "a'b:*&|!()<->\\", "a:*A", "<script>", "%00a%", "½ ª 🄰x", "𝐀𝐁", "\u0300a", "ﷺ", "1e5 0x1f", "-1 -a"]
)
def test_no_sign_upsets_the_search(knowledge, client, q):
    for path in ("search/", "suggest/", "companies/"):
        assert get(client, path, q=q).status_code == 200


# What it costs


def test_search_costs_as_many_queries_however_much_is_found(db, client):
    World(Random(5), size=3).fill()
    make_policy(title="Zebra")
    few = [len(queries(client, path, q="zebra")) for path in ("search/", "suggest/", "policies/")]
    for _ in range(20):
        make_policy(title="Zebra")
    make_regulator(name="Zebra")

    many = [len(queries(client, path, q="zebra")) for path in ("search/", "suggest/", "policies/")]

    # 1. The versions of the tables. 2. What the words mean. 3. The counts (a list: and the likeliest). 4. The page (a list:
    # the count, the page). 5. The versions, for the same state (a list: with the page).
    assert few == many == [5, 4, 6]


def plan(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE planned AS {sql}")
        cursor.execute(f"EXPLAIN EXECUTE planned ({', '.join(['%s'] * len(params))})", params)
        lines = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("DEALLOCATE planned")
    return lines


def test_segment_is_searched_by_its_indexes(knowledge):
    words = plan(
        "SELECT * FROM (SELECT * FROM regulations_searchdocument AS document WHERE document.segment = $1::smallint"
        " AND document.vector @@ $2::tsquery AND document.collection = ANY ($3::text[]) OFFSET 0) AS matching"
        " ORDER BY matching.collection, matching.record_id LIMIT 10",
        "3", "kucoin", "{policies}",
    )  # fmt: skip
    called = plan(
        "SELECT * FROM regulations_searchdocument WHERE segment = $1::smallint"
        " AND ts_filter(vector, '{a,b}') @@ $2::tsquery",
        "3", "kucoin",
    )  # fmt: skip
    begun = plan(
        "SELECT * FROM regulations_searchname WHERE left(name, 2) = $1::text ORDER BY prior + 0.8 / length(name) DESC"
        " LIMIT 10",
        "ku",
    )

    assert "Seq Scan" not in words + called + begun
    assert "vector @@" in words
    # One segment is read, the others are left out.
    assert "Subplans Removed: 30" in words
    assert "ts_filter_idx" in called
    assert "Sort" not in begun


def test_topic_that_is_only_a_theme_comes_after_what_is_called_so(db, client):
    topic = make_topic(slug="staking", name="Staking")
    make_policy(slug="about").topics.add(topic)
    make_policy(slug="named", title="Circular on staking")

    assert found(client, "staking") == ["topics/staking", "policies/named", "policies/about"]
