from datetime import date
from decimal import Decimal

import pytest

from regulations.importers.faults import RefusedError
from regulations.importers.rows import parse
from regulations.importers.yaml_files import Document, read_text

POLICY = "slug: hk-law, title: A law, kind: statute, jurisdiction: HK"
COMPANY = "slug: kucoin, name: KuCoin"


def rows(text, file="facts.yaml"):
    return parse([Document(file, read_text(text.encode()))])


def reasons(text):
    with pytest.raises(RefusedError) as refused:
        rows(text)
    return [str(fault) for fault in refused.value.faults]


def test_a_row_has_its_values_its_references_its_lists_and_what_belongs_to_it():
    [policy] = rows(f"policies: [{{{POLICY}, topics: [custody], citations: [hk-page]}}]")

    assert policy.key == "hk-law"
    assert policy.values["title"] == "A law"
    assert policy.references == {"jurisdiction": "HK"}
    assert policy.lists == {"topics": ["custody"]}
    assert [(part.shape.kind, part.references) for part in policy.parts] == [("citations", {"source": "hk-page"})]


def test_a_field_that_is_left_out_has_its_default():
    [company] = rows(f"companies: [{{{COMPANY}}}]")

    assert company.values["lei"] is None
    assert company.values["summary"] == ""
    assert company.values["founded_on"] is None
    assert company.lists == {"activities": []}


@pytest.mark.parametrize(
    ("written", "day", "precision"),
    [
        ("2025-02-19", date(2025, 2, 19), "day"),
        ("2025-02", date(2025, 2, 1), "month"),
        ("2025", date(2025, 1, 1), "year"),
    ],
)
def test_a_date_is_as_exact_as_it_is_written(written, day, precision):
    [company] = rows(f"companies: [{{{COMPANY}, founded_on: {written}}}]")

    assert company.values["founded_on"] == day
    assert company.values["founded_on_precision"] == precision


def test_a_number_is_read_exactly():
    [action] = rows(
        "enforcement_actions: [{slug: x, title: T, kind: fine, regulator: a, jurisdiction: HK, "
        "penalty_amount: 297000000.10, penalty_currency: USD}]"
    )

    assert action.values["penalty_amount"] == Decimal("297000000.10")


def test_the_order_of_a_list_is_kept_where_the_model_keeps_it():
    [policy] = rows(f"policies: [{{{POLICY}, provisions: [{{title: First}}, {{title: Second}}]}}]")

    assert [(part.values["title"], part.values["position"]) for part in policy.parts] == [("First", 1), ("Second", 2)]


def test_provisions_nest_four_deep():
    deep = "{title: A, children: [{title: B, children: [{title: C, children: [{title: D}]}]}]}"

    [policy] = rows(f"policies: [{{{POLICY}, provisions: [{deep}]}}]")

    assert policy.parts[0].parts[0].parts[0].parts[0].values["title"] == "D"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("policys: [{slug: x}]", "facts.yaml:1: there is no kind “policys”. Is “policies” meant?"),
        ("companies: kucoin", "facts.yaml:1: companies: must be a list of records"),
        ("companies: []", "facts.yaml:1: companies: must be a list of records"),
        ("companies: [kucoin]", "facts.yaml:1: companies: “kucoin” is no record"),
        ("companies: [{slug: kucoin}]", "companies kucoin: name: is missing"),
        (f"companies: [{{{COMPANY}, nme: x}}]", "companies kucoin: nme: there is no such field. Is “name” meant?"),
        (f"companies: [{{{COMPANY}, id: 3}}]", "id: there is no such field. The fields are slug, name, "),
        (f"policies: [{{{POLICY}, effective_from: 2025-01-01}}]", "effective_from: there is no such field."),
        (f"companies: [{{{COMPANY}, founded_on: 2025-02-30}}]", "founded_on: “2025-02-30” is no date"),
        (f"companies: [{{{COMPANY}, founded_on: 19.2.2025}}]", "founded_on: “19.2.2025” is no date"),
        (f"companies: [{{{COMPANY}, founded_on: 2025-2-9}}]", "founded_on: “2025-2-9” is no date"),
        (f"companies: [{{{COMPANY}, founded_on: 0000}}]", "founded_on: “0000” is no date"),
        (f"companies: [{{{COMPANY}, founded_on: ٢٠٢٥}}]", "is no date"),
        (
            "sources: [{slug: s, title: T, kind: news, publisher: p, published_on: 2025}]",
            "published_on: “2025” must be a full date, such as 2025-02-19",
        ),
        (
            f"companies: [{{{COMPANY}, lei: 529900T8BM49AURSDO56}}]",
            "companies kucoin: lei: “529900T8BM49AURSDO56”: The check",
        ),
        (f"companies: [{{{COMPANY}, summary: }}]", "summary: is empty: leave the field out, or fill it"),
        (f"companies: [{{{COMPANY}, summary: [a]}}]", "summary: must be a plain value, no list or mapping"),
        (f'companies: [{{{COMPANY}, summary: "a\\0b"}}]', "summary: holds a control character"),
        (f"companies: [{{{COMPANY}, summary: 'a '}}]", "summary: “a ” begins or ends with a space"),
        (f"companies: [{{{COMPANY}, activities: custody}}]", "activities: must be a list"),
        (f"companies: [{{{COMPANY}, activities: [atm, atm]}}]", "activities: names atm more than once"),
        (f"companies: [{{{COMPANY}, relations: parent}}]", "relations: must be a list"),
        (f"companies: [{{{COMPANY}, website: kucoin}}]", "website: “kucoin”: Enter a valid URL."),
        ("companies: [{slug: Ku Coin, name: KuCoin}]", "slug: “Ku Coin”: Use lower-case letters"),
        (
            "policies: [{slug: x, title: T, kind: lawn, jurisdiction: HK}]",
            "kind: “lawn” is none of statute, regulation",
        ),
        (
            "memberships: [{member: DE, bloc: EU, law_applies: yes}]",
            "memberships DE EU: law_applies: “yes” must be true or false",
        ),
        (
            "figures: [{key: f, about: all, metric: m, unit: USD, source: s, value: 3 million}]",
            "value: “3 million” is no number",
        ),
        (
            f"policies: [{{{POLICY}, citations: [{{source: s, fields: [titel]}}]}}]",
            "policies hk-law, citations 1: fields: there is no “titel”. Is “title” meant?",
        ),
        (
            f"policies: [{{{POLICY}, milestones: [{{key: k, kind: adopted}}]}}]",
            "policies hk-law, milestones 1: date: is missing",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_record_and_reason(text, reason):
    [told] = reasons(text)

    assert reason in told


def test_all_faults_are_told_at_once():
    told = reasons(f"companies: [{{{COMPANY}, nme: x, founded_on: soon}}, {{slug: okx}}]")

    assert len(told) == 3


def test_a_key_that_stands_twice_is_refused_with_both_places():
    documents = [Document(name, read_text(f"companies: [{{{COMPANY}}}]".encode())) for name in ("a.yaml", "b.yaml")]

    with pytest.raises(RefusedError) as refused:
        parse(documents)

    assert str(refused.value) == "b.yaml:1: companies kucoin: “kucoin” stands already at a.yaml:1: companies kucoin"


def test_a_milestone_s_key_stands_once_in_all_policies():
    step = "milestones: [{key: same, kind: adopted, date: 2025}]"

    told = reasons(f"policies: [{{{POLICY}, {step}}}, {{{POLICY.replace('hk-law', 'hk-other')}, {step}}}]")

    assert told == [
        "facts.yaml:1: policies hk-other, milestones 1: “same” stands already at facts.yaml:1: policies hk-law, milestones 1"
    ]


def test_the_same_row_twice_in_one_record_is_refused():
    [told] = reasons(f"policies: [{{{POLICY}, citations: [hk-page, hk-page]}}]")

    assert "policies hk-law, citations 2" in told


def test_two_records_may_rest_on_one_source():
    text = f"companies: [{{{COMPANY}, citations: [s]}}, {{slug: okx, name: OKX, citations: [s]}}]"

    assert len(rows(text)) == 2


def test_one_person_may_have_the_same_office_at_a_regulator_and_at_a_company_of_one_name():
    offices = "{regulator: same, title: Chair}, {company: same, title: Chair}"

    [person] = rows(f"people: [{{slug: p, name: P, appointments: [{offices}]}}]")

    assert len(person.parts) == 2
