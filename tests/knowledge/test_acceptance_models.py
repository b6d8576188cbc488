"""The acceptance cases of the ground, asked of the models."""

from datetime import date
from decimal import Decimal

import pytest

from regulations.models import (
    Authorisation,
    Company,
    EnforcementAction,
    Event,
    Figure,
    Jurisdiction,
    Measure,
    Policy,
    Source,
    Stance,
)

pytestmark = pytest.mark.usefixtures("knowledge")

ASPIRE = "coinness-2025-02-24-aspire"
HACKATHON = "coinness-2023-08-04-hackathon"
AVIATION = "coinness-2023-09-15-aviation"
KYC = "coinness-2023-06-29-kucoin-kyc"


def policies_in(code, on):
    place = Jurisdiction.objects.get(code=code)
    return set(Policy.objects.applying_in(place, on).in_force(on).values_list("slug", flat=True))


def sources_of(record):
    return {citation.source.slug for citation in record.citations.all()}


def relations_of(company):
    return {(relation.company.slug, relation.kind, relation.target.slug) for relation in company.relations.all()}


# ASPIRe


def test_aspire_is_a_roadmap_of_hong_kong_issued_by_its_securities_commission():
    policy = Policy.objects.get(slug="hk-aspire-roadmap")

    assert policy.jurisdiction.code == "HK"
    assert [(link.regulator.slug, link.role) for link in policy.policy_regulators.all()] == [("hk-sfc", "issuer")]
    assert policy.regulators.get().name == "Securities and Futures Commission"
    assert policy.milestones.get(kind="announced").date == date(2025, 2, 19)
    assert ASPIRE in sources_of(policy)
    assert len(sources_of(policy)) > 1


def test_aspire_has_five_pillars_in_order_with_twelve_initiatives_below_them():
    pillars = Policy.objects.get(slug="hk-aspire-roadmap").provisions.filter(parent=None)

    assert [(pillar.label, pillar.title) for pillar in pillars] == [
        ("A", "Access"),
        ("S", "Safeguards"),
        ("P", "Products"),
        ("I", "Infrastructure"),
        ("Re", "Relationships"),
    ]
    assert [child.label for pillar in pillars for child in pillar.children.all()] == [str(n) for n in range(1, 13)]
    assert all(pillar.aims for pillar in pillars)
    assert pillars[0].aims[0] == "global participation under an aligned regime"


# The four articles


def test_the_articles_are_there_with_category_time_image_and_credit():
    articles = Source.objects.filter(slug__startswith="coinness-20").order_by("slug")

    assert [(article.slug, article.category) for article in articles] == [
        (KYC, "Web3 & Enterprise"),
        (HACKATHON, "Web3 & Enterprise"),
        (AVIATION, "Web3 & Enterprise"),
        (ASPIRE, "Policy & Regulation"),
    ]
    assert {article.publisher.slug for article in articles} == {"coinness"}
    first = Source.objects.get(slug=ASPIRE)
    assert first.stated_at == "2025-02-24 05:46"
    assert first.image_url.endswith("/01134812a80e62c573301874530f5f01.webp")
    assert first.image_credit == "Skull Kat on Unsplash"


def test_the_first_article_has_three_related_ones_in_order():
    related = Source.objects.get(slug=ASPIRE).related_sources.all()

    assert [link.target.slug for link in related] == [HACKATHON, AVIATION, KYC]


@pytest.mark.parametrize(
    ("slug", "mentioned"),
    [
        (
            ASPIRE,
            "HK hk-sfc hk-aspire-roadmap julia-leung paul-chan-mo-po consensus-hong-kong-2025 cyberport hkstp",
        ),
        (HACKATHON, "oasys xpla com2us crit-ventures puzzle-monsters beyond-boundaries-hackathon JP KR"),
        (
            AVIATION,
            "galaxia-moneytree shinhan-securities eugene-investment-securities vmic-aviation cirium shin-dong-hoon "
            "kr-molit korea-civil-aviation-association KR",
        ),
        (KYC, "kucoin johnny-lyu bybit kraken coingecko SC US"),
    ],
)
def test_each_article_says_what_it_mentions(slug, mentioned):
    records = [mention.record for mention in Source.objects.get(slug=slug).mentions.all()]

    assert [getattr(record, "slug", None) or record.code for record in records] == mentioned.split()


# Measures


def test_kucoin_s_measure_says_who_is_affected_and_what_stays_open():
    measure = Measure.objects.get(slug="kucoin-mandatory-kyc-2023")

    assert (measure.company.slug, measure.effective_from) == ("kucoin", date(2023, 7, 15))
    assert {topic.slug for topic in measure.topics.all()} == {"kyc", "aml-cft"}
    new, old = measure.applies_to.all()
    assert new.who == "users who register from that day"
    assert len(old.still_open) == 6
    assert old.closed == ["new deposits"]
    assert KYC in sources_of(measure)


def test_measures_on_identity_by_the_end_of_july_2023_are_kucoin_s_and_bybit_s():
    found = Measure.objects.filter(topics__slug="kyc", effective_from__lte=date(2023, 7, 31))

    assert {measure.slug for measure in found} == {"kucoin-mandatory-kyc-2023", "bybit-withdrawal-limit-2023"}
    limit = found.get(company__slug="bybit")
    assert (limit.limit_amount, limit.limit_unit, limit.limit_period) == (Decimal(20000), "USDT", "month")
    assert limit.effective_from_precision == "month"


# Events


def test_the_hackathon_has_its_days_its_steps_its_organisers_and_its_prize():
    event = Event.objects.get(slug="beyond-boundaries-hackathon")

    assert (event.starts_on, event.ends_on) == (date(2023, 8, 18), date(2023, 9, 3))
    assert [(step.kind, step.date) for step in event.steps.all()] == [
        ("submissions_open", date(2023, 8, 18)),
        ("submissions_close", date(2023, 8, 27)),
        ("finalists_announced", date(2023, 8, 29)),
        ("demo_day", date(2023, 9, 3)),
    ]
    assert [organiser.company.slug for organiser in event.organisers.all()] == ["oasys", "xpla"]
    assert (event.prize_amount, event.prize_currency) == (Decimal(60000), "USD")
    assert len(event.themes) == 3


def test_consensus_hong_kong_has_its_two_speakers():
    event = Event.objects.get(slug="consensus-hong-kong-2025")

    assert {person.slug for person in event.speakers.all()} == {"julia-leung", "paul-chan-mo-po"}


# Companies


def test_galaxia_moneytree_s_consortium_tells_each_member_s_part():
    members = Company.objects.get(slug="galaxia-moneytree").inverse_relations.filter(kind="consortium")

    assert {relation.company.slug: relation.part for relation in members} == {
        "shinhan-securities": "funds the platform; manages trusts and accounts",
        "eugene-investment-securities": "funds the platform; manages trusts and accounts",
        "vmic-aviation": "manages the aircraft engines as assets",
        "cirium": "values the aircraft engines",
    }
    assert {relation.group for relation in members} == {"Aviation tokenisation consortium"}
    assert all("Galaxia Moneytree develops and operates" in relation.summary for relation in members)


def test_galaxia_moneytree_has_its_chief_executive_and_its_application_to_the_sandbox():
    company = Company.objects.get(slug="galaxia-moneytree")

    [appointment] = company.appointments.all()
    assert (appointment.person.name, appointment.title) == ("Shin Dong-hoon", "Chief Executive Officer")
    [sandbox] = company.authorisations.filter(kind="sandbox", jurisdiction__code="KR")
    assert sandbox.applied_on == date(2023, 9, 15)
    statuses = {
        day: Authorisation.objects.with_status(day).get(pk=sandbox.pk).status
        for day in (date(2023, 9, 14), date(2023, 9, 15), date(2024, 4, 29), date(2024, 4, 30))
    }
    assert list(statuses.values()) == ["not_yet", "applied", "applied", "active"]


def test_com2us_validates_oasys_and_leads_xpla_and_its_venture_arm_invested_in_puzzle_monsters():
    com2us = Company.objects.get(slug="com2us")

    assert {("com2us", "validator", "oasys"), ("com2us", "lead", "xpla")} <= relations_of(com2us)
    arm = com2us.inverse_relations.get(kind="venture_arm").company
    assert arm.slug == "crit-ventures"
    assert ("crit-ventures", "investor", "puzzle-monsters") in relations_of(arm)


def test_relations_read_as_sentences():
    bridge = Company.objects.get(slug="bridge")

    assert bridge.inverse_relations.get(kind="parent").company.slug == "stripe"


# Figures


def test_kucoin_s_figures_have_their_source():
    figures = Figure.objects.filter(company__slug="kucoin")

    assert {(figure.value, figure.unit, figure.comparison, figure.source.slug) for figure in figures} == {
        (Decimal(20_000_000), "accounts", "more_than", KYC),
        (Decimal(540_000_000), "USD", "more_than", KYC),
        (Decimal(8_000_000), "visits", "more_than", KYC),
    }
    accounts = figures.get(unit="accounts")
    assert (accounts.as_of, accounts.as_of_precision) == (date(2022, 7, 1), "month")


# Whose law reaches whom


def test_eu_law_is_in_force_in_germany_from_its_day_on():
    assert {"eu-mica", "eu-tfr"} <= policies_in("DE", date(2025, 1, 15))
    assert not {"eu-mica", "eu-tfr"} & policies_in("DE", date(2022, 1, 15))


def test_a_law_of_mainland_china_never_reaches_hong_kong():
    hong_kong = Jurisdiction.objects.get(code="HK")

    for on in (date(1997, 7, 1), date(2013, 12, 31), date(2021, 9, 24), date(2026, 6, 30), date(2046, 1, 1)):
        assert not Policy.objects.applying_in(hong_kong, on).filter(jurisdiction__code="CN").exists()


@pytest.mark.parametrize("code", ["GB", "GI"])
@pytest.mark.parametrize(
    ("on", "reaches"),
    [
        (date(1972, 12, 31), False),
        (date(1973, 1, 1), True),
        (date(2019, 6, 1), True),
        (date(2020, 12, 31), True),
        (date(2021, 1, 1), False),
        (date(2025, 6, 1), False),
    ],
)
def test_eu_law_reached_the_united_kingdom_until_its_transition_ended(code, on, reaches):
    applying = Policy.objects.applying_in(Jurisdiction.objects.get(code=code), on)

    assert applying.filter(jurisdiction__code="EU").exists() is reaches


def test_an_eu_act_was_in_force_in_the_united_kingdom_in_2019_and_none_in_2025():
    eu = set(Policy.objects.filter(jurisdiction__code="EU").values_list("slug", flat=True))

    assert eu & policies_in("GB", date(2019, 6, 1))
    assert not eu & policies_in("GB", date(2025, 6, 1))


@pytest.mark.parametrize("code", ["NO", "IS", "LI", "CH"])
def test_eu_law_does_not_of_itself_reach_states_outside_the_union(code):
    assert not any(slug.startswith("eu-") for slug in policies_in(code, date(2025, 6, 1)))


def test_federal_law_reaches_new_york_and_dubai():
    assert any(
        slug.startswith("us-") and not slug.startswith("us-ny") for slug in policies_in("US-NY", date(2026, 1, 1))
    )
    applying = Policy.objects.applying_in(Jurisdiction.objects.get(code="AE-DU"), date(2026, 1, 1))
    assert applying.filter(jurisdiction__code="AE").exists()


@pytest.mark.parametrize(("day", "members"), [(date(2013, 6, 30), 27), (date(2013, 7, 1), 28), (date(2021, 1, 1), 27)])
def test_the_union_has_its_number_of_member_states(day, members):
    union = Jurisdiction.objects.get(code="EU")

    assert union.members.on(day).filter(member__kind="country").count() == members


# Stances, authorisations, enforcement


def test_hong_kong_requires_a_licence_for_issuing_stablecoins_since_august_2025():
    stances = Stance.objects.filter(jurisdiction__code="HK", topic__slug="stablecoin-issuance")

    [stance] = stances.on(date(2025, 9, 1))
    assert stance.stance == "licence_required"
    assert [policy.slug for policy in stance.policies.all()] == ["hk-stablecoins-ordinance"]
    assert "licence_required" not in {stance.stance for stance in stances.on(date(2025, 7, 1))}


def test_hong_kong_has_authorisations_that_are_active_in_2026():
    active = Authorisation.objects.filter(jurisdiction__code="HK").active(date(2026, 1, 1))

    assert active.exists()
    assert all(authorisation.granted_on <= date(2026, 1, 1) for authorisation in active)


def test_kucoin_s_enforcement_actions_come_newest_first():
    actions = EnforcementAction.objects.filter(companies__slug="kucoin").order_by("-announced_on", "slug")

    days = [action.announced_on for action in actions]
    assert len(days) > 1
    assert days == sorted(days, reverse=True)
