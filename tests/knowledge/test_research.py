"""Nothing of the research that the fixtures were made of was dropped. Runs where the research files are at hand."""

import datetime
from decimal import Decimal
from functools import cache

import pytest
import yaml
from django.conf import settings

from regulations import models

RESEARCH = settings.BASE_DIR.parent / "shared" / "data" / "research"
REGIONS = ["asia-pacific", "europe", "americas", "mena-africa-intl"]

pytestmark = [
    pytest.mark.usefixtures("knowledge"),
    pytest.mark.skipif(not RESEARCH.is_dir(), reason="the research files are not beside this repository"),
]

# One sentence that the research says twice, once as partner and once as lead of the XPLA project.
MERGED_RELATIONS = {("com2us", "partner", "xpla"): ("com2us", "lead", "xpla")}


def rows(kind):
    return [row for region in REGIONS for row in region_file(region).get(kind, [])]


@cache
def region_file(region):
    return yaml.load((RESEARCH / f"{region}.yaml").read_bytes(), Loader=yaml.CSafeLoader)


@cache
def articles():
    return yaml.load((RESEARCH / "first-articles.yaml").read_bytes(), Loader=yaml.CSafeLoader)


def cited(queryset, *key):
    """Who rests on which source, as tuples of the key's values and the source's slug."""
    return set(queryset.values_list(*key, "citations__source__slug"))


def day(value):
    """A research date, or a bare year, as the base keeps it."""
    return datetime.date(value, 1, 1) if isinstance(value, int) else value


def test_every_source_is_there_as_it_was():
    base = {source.slug: source for source in models.Source.objects.select_related("publisher", "publishing_regulator")}

    for row in rows("sources"):
        source = base[row["key"]]
        publisher = source.publisher or source.publishing_regulator
        assert (source.url, source.title, source.kind) == (row["url"], row["title"], row["kind"])
        assert (source.published_on, source.language) == (row.get("published_on"), row["language"])
        assert publisher.name.casefold() == row["publisher"].casefold()


@pytest.mark.parametrize(
    ("kind", "model", "key", "fields"),
    [
        ("jurisdictions", models.Jurisdiction, "code", ["name", "kind", "summary"]),
        ("regulators", models.Regulator, "slug", ["name", "abbreviation", "kind", "website", "summary"]),
        ("policies", models.Policy, "slug", ["title", "abbreviation", "kind", "reference", "official_url", "summary"]),
        ("companies", models.Company, "slug", ["name", "legal_name", "lei", "website", "summary"]),
        (
            "enforcement_actions",
            models.EnforcementAction,
            "slug",
            ["title", "kind", "announced_on", "concluded_on", "penalty_currency", "summary"],
        ),
        ("people", models.Person, "slug", ["name"]),
        ("events", models.Event, "slug", ["name", "kind", "place", "starts_on", "ends_on"]),
    ],
)
def test_every_record_says_what_the_research_says_and_rests_on_its_sources(kind, model, key, fields):
    base = {getattr(record, key): record for record in model.objects.all()}
    evidence = cited(model.objects.all(), key)

    for row in rows(kind):
        record = base[row[key]]
        assert {name: getattr(record, name) or None for name in fields} == {name: row.get(name) for name in fields}
        assert {(row[key], source) for source in row["sources"]} <= evidence


def test_every_place_lies_where_the_research_says():
    expected = {(row["code"], row.get("parent")) for row in rows("jurisdictions")}

    assert expected <= set(models.Jurisdiction.objects.values_list("code", "parent__code"))


def test_every_record_is_of_its_jurisdiction():
    for kind, model in [("regulators", models.Regulator), ("policies", models.Policy)]:
        expected = {(row["slug"], row["jurisdiction"]) for row in rows(kind)}
        assert expected <= set(model.objects.values_list("slug", "jurisdiction__code"))


def test_every_milestone_is_there_with_its_precision_note_and_sources():
    expected = {
        (row["slug"], step["kind"], step["date"], step["precision"], step.get("note", ""), source)
        for row in rows("policies")
        for step in row["milestones"]
        for source in step["sources"]
    }

    found = cited(models.Milestone.objects.all(), "policy__slug", "kind", "date", "date_precision", "note")
    assert expected <= found
    assert models.Milestone.objects.count() == sum(len(row["milestones"]) for row in rows("policies"))


def test_every_provision_stands_in_its_place():
    expected = set()
    for row in rows("policies"):
        for part in row.get("provisions", []):
            expected.add((row["slug"], None, part.get("label", ""), part["title"], part.get("summary", "")))
            for child in part.get("children", []):
                expected.add(
                    (row["slug"], part["title"], child.get("label", ""), child["title"], child.get("summary", ""))
                )

    assert expected == set(
        models.Provision.objects.values_list("policy__slug", "parent__title", "label", "title", "summary")
    )


def test_every_relation_role_and_topic_of_a_policy_is_there():
    relations, roles, topics = set(), set(), set()
    for row in rows("policies"):
        relations |= {(row["slug"], link["kind"], link["to"]) for link in row.get("links", [])}
        roles |= {(row["slug"], body["slug"], body["role"]) for body in row.get("regulators", [])}
        topics |= {(row["slug"], topic) for topic in row["topics"]}

    assert relations == set(models.PolicyRelation.objects.values_list("policy__slug", "kind", "target__slug"))
    assert roles == set(models.PolicyRegulator.objects.values_list("policy__slug", "regulator__slug", "role"))
    assert topics == set(models.Policy.objects.values_list("slug", "topics__slug"))


def test_every_company_keeps_its_places_its_activities_its_names_and_its_founding():
    for row in rows("companies"):
        company = models.Company.objects.get(slug=row["slug"])
        assert (company.headquarters and company.headquarters.code) == row.get("headquarters")
        assert (company.incorporated_in and company.incorporated_in.code) == row.get("incorporated_in")
        assert {topic.slug for topic in company.activities.all()} == set(row.get("activities", []))
        assert {other.name for other in company.names.all()} == set(row.get("aliases", []))
        assert company.founded_on == day(row.get("founded"))


def test_every_company_relation_is_there_with_its_sources():
    found = cited(models.CompanyRelation.objects.all(), "company__slug", "kind", "target__slug")

    for row in rows("company_links"):
        # In the regional files the second company is the kind of the first; partners are so of each other.
        pair = (row["to"], row["kind"], row["from"])
        sentence = (row["from"], "partner", row["to"]) if row["kind"] == "partner" else pair
        sentence = MERGED_RELATIONS.get(sentence, sentence)
        assert {(*sentence, source) for source in row["sources"]} <= found


def test_every_authorisation_is_there_with_its_dates_and_sources():
    found = cited(
        models.Authorisation.objects.all(),
        "company__slug",
        "regulator__slug",
        "policy__slug",
        "jurisdiction__code",
        "kind",
        "reference",
        "granted_on",
        "ended_on",
        "end_reason",
    )

    for row in rows("authorisations"):
        facts = [row.get(name) for name in ("company", "regulator", "policy", "jurisdiction", "kind")]
        facts += [row.get("reference", ""), row.get("granted_on"), row.get("ended_on"), row.get("end_reason", "")]
        assert {(*facts, source) for source in row["sources"]} <= found
    assert models.Authorisation.objects.count() == len(rows("authorisations"))
    activities = sum(len(row.get("activities", [])) for row in rows("authorisations"))
    assert models.Authorisation.activities.through.objects.count() == activities


def test_every_enforcement_action_keeps_whom_it_meets_and_what_it_costs():
    for row in rows("enforcement_actions"):
        action = models.EnforcementAction.objects.get(slug=row["slug"])
        assert (action.regulator.slug, action.jurisdiction.code) == (row["regulator"], row["jurisdiction"])
        assert {company.slug for company in action.companies.all()} == set(row.get("companies", []))
        assert {policy.slug for policy in action.policies.all()} == set(row.get("policies", []))
        penalty = row.get("penalty_amount")
        assert action.penalty_amount == (penalty and Decimal(str(penalty)))


def test_every_position_became_a_stance_with_its_policies_and_sources():
    stances = models.Stance.objects.all()
    facts = ["jurisdiction__code", "topic__slug", "stance", "valid_from", "valid_until", "summary"]
    evidence = cited(stances, *facts)
    grounds = set(stances.values_list(*facts, "policies__slug"))

    for row in rows("positions"):
        said = [row.get(name) for name in ("jurisdiction", "topic", "stance", "valid_from", "valid_until", "summary")]
        assert {(*said, source) for source in row["sources"]} <= evidence
        assert {(*said, policy) for policy in row.get("policies", [])} <= grounds
    assert stances.count() == len(rows("positions"))


def test_every_role_became_an_appointment():
    found = {
        (person, regulator or organisation or company, title, since, until)
        for person, regulator, organisation, company, title, since, until in models.Appointment.objects.values_list(
            "person__slug",
            "regulator__slug",
            "organisation__slug",
            "company__slug",
            "title",
            "valid_from",
            "valid_until",
        )
    }
    titles = {(row["person"], row["organisation"]): row["title"] for row in articles()["appointments"]}

    for row in rows("people"):
        for role in row["roles"]:
            title = role.get("title") or titles[row["slug"], role["organisation"]]
            assert (row["slug"], role["organisation"], title, role.get("since"), role.get("until")) in found


def test_every_appointment_of_the_articles_has_the_day_on_which_it_was_held():
    for row in articles()["appointments"]:
        appointment = models.Appointment.objects.get(person__slug=row["person"], held_on=row["held_on"])
        body = appointment.regulator or appointment.company
        assert (body.slug, appointment.title) == (row["organisation"], row["title"])


def test_the_four_articles_are_there_with_all_that_the_research_says_of_them():
    for row in articles()["articles"]:
        source = models.Source.objects.get(slug=row["key"])
        image = row.get("image", {})
        assert (source.title, source.category, source.published_on) == (
            row["title"],
            row["category"],
            row["published_on"],
        )
        assert (source.stated_at, source.publisher.slug) == (row.get("stated_at", ""), "coinness")
        assert (source.image_url, source.image_credit) == (image.get("url", ""), image.get("credit", ""))
        assert [link.target.slug for link in source.related_sources.all()] == row.get("related", [])
        mentioned = [mention.record for mention in source.mentions.all()]
        assert [getattr(record, "slug", None) or record.code for record in mentioned] == row["mentions"]


def test_every_body_that_the_articles_name_is_there_once():
    for row in articles()["organisations"]:
        found = [
            model.objects.filter(slug=row["slug"], name=row["name"], jurisdiction__code=row["jurisdiction"]).count()
            for model in (models.Regulator, models.Organisation)
        ]
        assert sum(found) == 1


def test_every_company_relation_of_the_articles_is_a_sentence():
    found = set(models.CompanyRelation.objects.values_list("company__slug", "kind", "target__slug"))

    for row in articles()["company_links"]:
        if "group" not in row:
            assert (row["from"], row["kind"], row["to"]) in found


def test_every_measure_and_figure_of_the_articles_is_there():
    assert {row["slug"] for row in articles()["measures"]} == set(models.Measure.objects.values_list("slug", flat=True))
    expected = {(row["metric"], row["value"], row["unit"], row["article"]) for row in articles()["figures"]}
    assert expected == set(models.Figure.objects.values_list("metric", "value", "unit", "source__slug"))
