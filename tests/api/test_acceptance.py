"""What the knowledge base was built to answer, asked of the whole knowledge."""

import pytest

from regulations.models import AuthorisationStatus
from tests.api.asking import ask, keys, refusal

pytestmark = pytest.mark.usefixtures("knowledge")

COINNESS = [
    "coinness-2025-02-24-aspire",
    "coinness-2023-08-04-hackathon",
    "coinness-2023-09-15-aviation",
    "coinness-2023-06-29-kucoin-kyc",
]


def relations(company):
    """A company's relations as sentences: who is what to whom."""
    return {(each["company"]["slug"], each["kind"]["code"], each["target"]["slug"]) for each in company["relations"]}


# The ASPIRe roadmap


def test_aspire_roadmap_is_hong_kongs_and_issued_by_its_securities_commission(client):
    roadmap = ask(client, "policies/hk-aspire-roadmap/")

    assert roadmap["jurisdiction"]["code"] == "HK"
    assert [(each["slug"], each["name"], each["role"]["code"]) for each in roadmap["regulators"]] == [
        ("hk-sfc", "Securities and Futures Commission", "issuer")
    ]


def test_aspire_roadmap_was_announced_on_19_february_2025(client):
    steps = ask(client, "policies/hk-aspire-roadmap/")["milestones"]

    assert [step["date"] for step in steps if step["kind"]["code"] == "announced"] == ["2025-02-19"]


@pytest.mark.parametrize(
    ("day", "status"), [("2025-02-18", "not_yet_announced"), ("2025-02-19", "published"), ("2025-02-20", "published")]
)
def test_aspire_roadmap_has_the_status_of_the_day(client, day, status):
    assert ask(client, "policies/hk-aspire-roadmap/", on=day)["status"]["code"] == status


def test_aspire_roadmap_has_five_pillars_in_order_with_twelve_initiatives(client):
    pillars = ask(client, "policies/hk-aspire-roadmap/")["provisions"]

    assert [(pillar["label"], pillar["title"]) for pillar in pillars] == [
        ("A", "Access"),
        ("S", "Safeguards"),
        ("P", "Products"),
        ("I", "Infrastructure"),
        ("Re", "Relationships"),
    ]
    initiatives = [initiative for pillar in pillars for initiative in pillar["children"]]
    assert [initiative["label"] for initiative in initiatives] == [str(number) for number in range(1, 13)]
    assert all(pillar["aims"] for pillar in pillars)


def test_aspire_roadmap_rests_on_the_news_and_on_more(client):
    cited = {each["source"]["slug"] for each in ask(client, "policies/hk-aspire-roadmap/")["citations"]}

    assert "coinness-2025-02-24-aspire" in cited
    assert len(cited) > 1


# The four articles


@pytest.mark.parametrize(
    ("slug", "category", "published_on", "stated_at", "credit"),
    [
        (COINNESS[0], "Policy & Regulation", "2025-02-24", "2025-02-24 05:46", "Skull Kat on Unsplash"),
        (COINNESS[1], "Web3 & Enterprise", "2023-08-04", None, "Fotis Fotopoulos on Unsplash"),
        (COINNESS[2], "Web3 & Enterprise", "2023-09-15", None, None),
        (COINNESS[3], "Web3 & Enterprise", "2023-06-29", None, "Markus Winkler on Unsplash"),
    ],
)
def test_article_tells_its_section_its_time_as_printed_and_whose_picture_it_shows(
    client, slug, category, published_on, stated_at, credit
):
    article = ask(client, f"sources/{slug}/")

    assert article["publisher"]["slug"] == "coinness"
    assert article["category"] == category
    assert article["published_on"] == published_on
    assert article["stated_at"] == stated_at
    assert article["image_credit"] == credit


def test_first_article_shows_its_picture_and_three_more_to_read_in_order(client):
    article = ask(client, f"sources/{COINNESS[0]}/")

    assert article["image_url"].startswith("https://asset.coinness.com/")
    assert [each["slug"] for each in article["related"]] == COINNESS[1:]


@pytest.mark.parametrize(
    ("slug", "mentioned"),
    [
        (
            COINNESS[0],
            "HK hk-sfc hk-aspire-roadmap julia-leung paul-chan-mo-po consensus-hong-kong-2025 cyberport hkstp",
        ),
        (COINNESS[1], "oasys xpla com2us crit-ventures puzzle-monsters beyond-boundaries-hackathon JP KR"),
        (
            COINNESS[2],
            "galaxia-moneytree shinhan-securities eugene-investment-securities vmic-aviation cirium shin-dong-hoon "
            "kr-molit korea-civil-aviation-association KR",
        ),
        (COINNESS[3], "kucoin johnny-lyu bybit kraken coingecko SC US"),
    ],
)
def test_article_names_what_it_mentions_in_its_order(client, slug, mentioned):
    records = ask(client, f"sources/{slug}/")["mentions"]

    assert [record.get("code") or record["slug"] for record in records] == mentioned.split()
    assert all(client.get(record["url"]).status_code == 200 for record in records)


# KuCoin


def test_kucoins_identity_checks_say_who_is_affected_what_stays_open_and_what_closes(client):
    measure = ask(client, "measures/kucoin-mandatory-kyc-2023/")

    assert measure["company"]["slug"] == "kucoin"
    assert measure["effective_from"] == "2023-07-15"
    assert {topic["slug"] for topic in measure["topics"]} == {"kyc", "aml-cft"}
    newcomers, others = measure["applies_to"]
    assert newcomers["who"] == "users who register from that day"
    assert others["who"] == "users registered before that day who have not verified"
    assert others["still_open"] == [
        "withdrawals",
        "spot sell orders",
        "futures deleveraging",
        "margin deleveraging",
        "KuCoin Earn redemptions",
        "ETF redemptions",
    ]
    assert others["closed"] == ["new deposits"]


def test_identity_checks_in_effect_by_july_2023_are_kucoins_and_bybits(client):
    found = keys(client, "measures/", topic="kyc", effective_from__lte="2023-07-31")

    assert found == ["kucoin-mandatory-kyc-2023", "bybit-withdrawal-limit-2023"]


def test_figures_of_kucoin_each_name_their_source(client):
    figures = ask(client, "figures/", company="kucoin")["results"]

    assert {(each["value"], each["unit"], each["metric"], each["as_of"]) for each in figures} == {
        (20_000_000, "accounts", "registered accounts", "2022-07-01"),
        (540_000_000, "USD", "daily trading volume", "2023-06-29"),
        (8_000_000, "visits", "monthly visits", "2023-06-29"),
    }
    assert {each["as_of_precision"]["code"] for each in figures if each["as_of"] == "2022-07-01"} == {"month"}
    assert {each["source"]["slug"] for each in figures} == {COINNESS[3]}


def test_enforcement_against_kucoin_comes_newest_first(client):
    actions = ask(client, "enforcement-actions/", company="kucoin", ordering="-announced_on")["results"]

    days = [action["announced_on"] for action in actions]
    assert "us-doj-kucoin-2025" in {action["slug"] for action in actions}
    assert days == sorted(days, reverse=True)
    assert all("kucoin" in {company["slug"] for company in action["companies"]} for action in actions)


# Events


def test_hackathon_tells_its_days_steps_organisers_and_prize(client):
    event = ask(client, "events/beyond-boundaries-hackathon/")

    assert (event["starts_on"], event["ends_on"]) == ("2023-08-18", "2023-09-03")
    assert [(step["kind"]["code"], step["date"]) for step in event["steps"]] == [
        ("submissions_open", "2023-08-18"),
        ("submissions_close", "2023-08-27"),
        ("finalists_announced", "2023-08-29"),
        ("demo_day", "2023-09-03"),
    ]
    assert [each["slug"] for each in event["organisers"]] == ["oasys", "xpla"]
    assert (event["prize_amount"], event["prize_currency"]) == (60000, "USD")


def test_consensus_hong_kong_had_its_two_speakers(client):
    event = ask(client, "events/consensus-hong-kong-2025/")

    assert {speaker["slug"] for speaker in event["speakers"]} == {"julia-leung", "paul-chan-mo-po"}


# Companies and what they are to each other


def test_galaxia_moneytree_tells_the_part_of_each_member_of_its_consortium(client):
    company = ask(client, "companies/galaxia-moneytree/")

    parts = {
        each["company"]["slug"]: each["part"] for each in company["relations"] if each["kind"]["code"] == "consortium"
    }
    assert parts == {
        "shinhan-securities": "funds the platform; manages trusts and accounts",
        "eugene-investment-securities": "funds the platform; manages trusts and accounts",
        "vmic-aviation": "manages the aircraft engines as assets",
        "cirium": "values the aircraft engines",
    }


def test_galaxia_moneytree_is_led_by_shin_dong_hoon(client):
    [office] = ask(client, "companies/galaxia-moneytree/")["appointments"]

    assert office["person"]["name"] == "Shin Dong-hoon"
    assert office["title"] == "Chief Executive Officer"
    assert office["held_on"] == "2023-09-15"


@pytest.mark.parametrize(
    ("day", "status"), [("2023-09-14", "not_yet"), ("2023-09-15", "applied"), ("2024-04-29", "applied")]
)
def test_galaxia_moneytree_applied_to_the_korean_sandbox(client, day, status):
    [application] = ask(client, "authorisations/", company="galaxia-moneytree", kind="sandbox", on=day)["results"]

    assert application["jurisdiction"]["code"] == "KR"
    assert application["policy"]["slug"] == "kr-innovative-financial-service-sandbox"
    assert application["status"]["code"] == status


def test_com2us_validates_oasys_leads_xpla_and_has_a_venture_arm(client):
    assert {
        ("com2us", "validator", "oasys"),
        ("com2us", "lead", "xpla"),
        ("crit-ventures", "venture_arm", "com2us"),
    } <= relations(ask(client, "companies/com2us/"))


def test_venture_arm_of_com2us_invested_in_puzzle_monsters(client):
    sentence = ("crit-ventures", "investor", "puzzle-monsters")

    assert sentence in relations(ask(client, "companies/crit-ventures/"))
    assert sentence in relations(ask(client, "companies/puzzle-monsters/"))


# Whose law applies where, and when


def test_mica_and_the_transfer_of_funds_regulation_apply_in_germany_in_2025_and_not_in_2022(client):
    acts = {"eu-mica", "eu-tfr"}

    assert acts <= set(keys(client, "policies/", applies_in="DE", status="in_force", on="2025-01-15"))
    assert not acts & set(keys(client, "policies/", applies_in="DE", status="in_force", on="2022-01-15"))


def test_chinese_policies_never_apply_in_hong_kong(client):
    chinese = keys(client, "policies/", jurisdiction="CN")

    assert chinese
    for year in range(1995, 2031):
        assert not set(chinese) & set(
            keys(client, "policies/", applies_in="HK", slug=",".join(chinese), on=f"{year}-07-02")
        )


def test_union_law_in_force_in_2019_applied_in_britain_then_and_none_applies_in_2025(client):
    in_2019 = keys(client, "policies/", applies_in="GB", jurisdiction="EU", status="in_force", on="2019-06-01")

    assert "eu-amld5" in in_2019
    assert keys(client, "policies/", applies_in="GB", jurisdiction="EU", on="2025-06-01") == []


@pytest.mark.parametrize(
    ("day", "applies"),
    [("2020-01-31", True), ("2020-12-30", True), ("2020-12-31", True), ("2021-01-01", False)],
)
def test_union_law_applied_in_britain_until_the_last_day_of_the_transition(client, day, applies):
    assert ("eu-amld5" in keys(client, "policies/", applies_in="GB", jurisdiction="EU", on=day)) is applies


@pytest.mark.parametrize(
    ("place", "reached"), [("DE", True), ("FR", True), ("GB", False), ("CH", False), ("HK", False)]
)
def test_mica_reaches_the_members_of_the_union_alone(client, place, reached):
    found = keys(client, "policies/", applies_in=place, status="in_force", on="2026-01-15")

    assert ("eu-mica" in found) is reached


def test_federal_law_reaches_new_york_and_new_yorks_own_stays_there(client):
    in_new_york = ask(client, "policies/", applies_in="US-NY", page_size=200, fields="jurisdiction")["results"]

    assert {row["jurisdiction"]["code"] for row in in_new_york} == {"US", "US-NY"}
    assert keys(client, "policies/", applies_in="US", jurisdiction="US-NY") == []


# Stances and authorisations as of a day


@pytest.mark.parametrize("day", ["2025-08-01", "2025-08-02", "2025-09-01"])
def test_issuing_stablecoins_in_hong_kong_needs_a_licence_and_the_answer_names_the_ordinance(client, day):
    [stance] = ask(client, "stances/", jurisdiction="HK", topic="stablecoin-issuance", on=day)["results"]

    assert stance["stance"]["code"] == "licence_required"
    assert [policy["slug"] for policy in stance["policies"]] == ["hk-stablecoins-ordinance"]


@pytest.mark.parametrize("day", ["2025-07-01", "2025-07-31"])
def test_issuing_stablecoins_in_hong_kong_needed_no_licence_before_august_2025(client, day):
    stances = ask(client, "stances/", jurisdiction="HK", topic="stablecoin-issuance", on=day)["results"]

    assert "licence_required" not in {stance["stance"]["code"] for stance in stances}


def test_authorisations_active_in_hong_kong_are_those_granted_and_not_ended_by_the_day(client):
    on = "2026-01-01"
    everything = ask(client, "authorisations/", jurisdiction="HK", page_size=200, on=on)["results"]

    active = keys(client, "authorisations/", "key", jurisdiction="HK", status="active", on=on)

    assert active
    assert set(active) == {
        row["key"]
        for row in everything
        if row["granted_on"] and row["granted_on"] <= on and not (row["ended_on"] and row["ended_on"] <= on)
    }


@pytest.mark.parametrize("status", AuthorisationStatus.values)
def test_authorisation_says_the_status_it_is_found_by(client, status):
    found = ask(client, "authorisations/", status=status, on="2024-06-01", page_size=200)["results"]

    assert {row["status"]["code"] for row in found} <= {status}


# Questions that could be misread


@pytest.mark.parametrize(
    ("parameter", "value", "told"),
    [
        ("jurisdicton", "HK", "jurisdiction"),
        ("page_size", "0", "from 1 to 200"),
        ("on", "yesterday", "a day"),
        ("kind", "lawn", "kind"),
        ("fields", "titel", "title"),
        ("ordering", "nope", "ordering"),
        ("jurisdiction", "", "jurisdiction"),
    ],
)
def test_question_that_could_be_misread_is_refused_with_the_way_out(client, parameter, value, told):
    [fault] = refusal(client, "policies/", **{parameter: value})

    assert fault["parameter"] == parameter
    assert told in fault["detail"]
