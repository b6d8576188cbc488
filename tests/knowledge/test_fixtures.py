"""All that the files of `fixtures/` say is in the base: counted without the importer's own reading."""

from collections import Counter
from functools import cache

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command

from regulations import models
from regulations.importers.knowledge import load

pytestmark = pytest.mark.usefixtures("knowledge")

FOLDER = settings.BASE_DIR / "fixtures"
RECORDS = {
    "topics": models.Topic,
    "jurisdictions": models.Jurisdiction,
    "memberships": models.Membership,
    "regulators": models.Regulator,
    "organisations": models.Organisation,
    "sources": models.Source,
    "policies": models.Policy,
    "companies": models.Company,
    "authorisations": models.Authorisation,
    "enforcement_actions": models.EnforcementAction,
    "measures": models.Measure,
    "stances": models.Stance,
    "people": models.Person,
    "events": models.Event,
    "figures": models.Figure,
}
PARTS = {
    "policies.milestones": models.Milestone,
    "policies.regulators": models.PolicyRegulator,
    "policies.relations": models.PolicyRelation,
    "policies.provisions": models.Provision,
    "policies.topics": models.Policy.topics.through,
    "companies.names": models.CompanyName,
    "companies.relations": models.CompanyRelation,
    "companies.activities": models.Company.activities.through,
    "authorisations.activities": models.Authorisation.activities.through,
    "enforcement_actions.companies": models.EnforcementAction.companies.through,
    "enforcement_actions.policies": models.EnforcementAction.policies.through,
    "stances.policies": models.Stance.policies.through,
    "people.appointments": models.Appointment,
    "events.steps": models.EventStep,
    "events.organisers": models.EventOrganiser,
    "events.speakers": models.Event.speakers.through,
    "measures.applies_to": models.MeasureEffect,
    "measures.topics": models.Measure.topics.through,
    "sources.related": models.SourceRelation,
    "sources.mentions": models.Mention,
}


@cache
def files():
    return [yaml.load(path.read_bytes(), Loader=yaml.CBaseLoader) for path in FOLDER.rglob("*.yaml")]


def records(kind):
    return [record for file in files() for record in file.get(kind, [])]


def with_children(entry):
    return [entry, *(deeper for child in entry.get("children", []) for deeper in with_children(child))]


def count_lists(value, name):
    """How many items the lists of this name have in all, however deep they stand."""
    if isinstance(value, list):
        return sum(count_lists(item, name) for item in value)
    if not isinstance(value, dict):
        return 0
    return sum(len(inner) if key == name else count_lists(inner, name) for key, inner in value.items())


def test_no_kind_of_record_is_left_out():
    assert {kind for file in files() for kind in file} == set(RECORDS)


@pytest.mark.parametrize("kind", RECORDS)
def test_the_base_has_every_record_and_no_other(kind):
    key = next((name for name in ("key", "slug", "code") if name in records(kind)[0]), None)

    assert RECORDS[kind].objects.count() == len(records(kind))
    if key:
        assert set(RECORDS[kind].objects.values_list(key, flat=True)) == {record[key] for record in records(kind)}


@pytest.mark.parametrize("path", PARTS)
def test_the_base_has_everything_that_belongs_to_the_records(path):
    kind, name = path.split(".")
    rows = [row for record in records(kind) for row in record.get(name, [])]
    if name == "provisions":
        rows = [deeper for row in rows for deeper in with_children(row)]

    assert rows
    assert PARTS[path].objects.count() == len(rows)


def test_the_base_has_every_citation():
    expected = sum(count_lists(file, "citations") for file in files())

    assert models.Citation.objects.count() == expected > 4000


def test_every_field_that_the_files_give_is_filled_as_often_in_the_base():
    given, filled = Counter(), Counter()
    for kind, model in RECORDS.items():
        plain = {field.name: field for field in model._meta.fields if not field.is_relation and field.editable}
        for record in records(kind):
            given.update(f"{kind}.{name}" for name in record if name in plain and name != "law_applies")
        for row in model.objects.values(*plain):
            filled.update(
                f"{kind}.{name}" for name in plain if f"{kind}.{name}" in given and row[name] not in ("", None, [])
            )
    defaults = {"sources.language", "figures.comparison"}

    assert {name: count for name, count in filled.items() if name not in defaults} == {
        name: count for name, count in given.items() if name not in defaults
    }


def test_loading_the_files_again_changes_nothing():
    changes = load(FOLDER)

    assert not any(change.added or change.changed or change.removed for change in changes)


def test_the_knowledge_has_no_fault():
    call_command("check_knowledge", "--strict", "--on", "2026-11-22", verbosity=0)


def test_the_example_of_the_docs_can_be_loaded(tmp_path):
    page = (settings.BASE_DIR / "docs" / "knowledge.md").read_text()
    (tmp_path / "example.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])

    load(tmp_path)

    policy = models.Policy.objects.get(slug="hk-stablecoins-example")
    assert [str(part) for part in policy.provisions.all()] == ["Part 3 Licensing", "s. 8 Who needs a licence"]
