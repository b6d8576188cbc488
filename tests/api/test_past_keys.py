"""A public key never dies: it leads on to the record, or to when and why the record went."""

import pytest
from django.utils.text import camel_case_to_spaces

from regulations.api.urls import RESOURCES
from regulations.models import Change, Jurisdiction, Policy, change
from tests import factories
from tests.api.asking import ask, get, problem
from tests.factories import make_policy, make_topic

ROOT = "http://testserver/api/v1/"


def make(model):
    return getattr(factories, f"make_{camel_case_to_spaces(model.__name__).replace(' ', '_')}")()


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_an_old_key_leads_to_the_record_for_good(db, client, resource):
    row = make(resource.queryset.model)
    old, new = getattr(row, resource.key), "ZZ" if resource.key == "code" else "another-key"
    setattr(row, resource.key, new)
    row.save()

    answer = get(client, f"{resource.collection}/{old}/", fields=resource.key)

    assert (answer.status_code, answer["Location"]) == (
        308,
        f"/api/v1/{resource.collection}/{new}/?fields={resource.key}",
    )
    assert client.get(answer["Location"]).json() == {resource.key: new}


def test_a_key_that_was_changed_twice_leads_there_at_once(db, client):
    policy = make_policy(slug="first")
    for slug in ("second", "third"):
        policy.slug = slug
        policy.save()

    assert [get(client, f"policies/{slug}/")["Location"] for slug in ("first", "second")] == [
        "/api/v1/policies/third/",
        "/api/v1/policies/third/",
    ]


def test_a_key_that_another_record_has_now_leads_to_that_one(db, client):
    policy = make_policy(slug="law", title="The old law")
    policy.slug = "old-law"
    policy.save()
    make_policy(slug="law", title="The new law")

    assert ask(client, "policies/law/")["title"] == "The new law"


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_a_record_that_was_taken_out_says_when_and_why(db, client, resource):
    row = make(resource.queryset.model)
    key = getattr(row, resource.key)
    with change(actor="jane", kind=Change.Kind.CORRECTION, reason="It never was"):
        row.delete()

    gone = problem(get(client, f"{resource.collection}/{key}/"), 410)

    assert (gone["kind"], gone["reason"]) == ("correction", "It never was")
    assert gone["gone_at"]
    assert gone["history"] == f"{ROOT}{resource.collection}/{key}/history/"


def test_a_record_that_is_restored_is_there_again(db, client):
    policy = make_policy(slug="law")
    Policy.objects.filter(pk=policy.pk).delete()
    assert get(client, "policies/law/").status_code == 410
    policy.save(force_insert=True)

    assert ask(client, "policies/law/")["slug"] == "law"


def test_a_key_that_never_was_is_not_found(db, client):
    make_topic(slug="staking")

    missing = problem(get(client, "topics/stacking/"), 404)

    assert missing["nearest"] == "staking"
    assert "gone_at" not in missing


@pytest.mark.parametrize("path", ["jurisdictions/{}/profile/", "graph/jurisdictions/{}/", "jurisdictions/{}/"])
def test_whatever_is_asked_about_a_record_leads_on_by_its_old_key(db, client, path):
    place = make(Jurisdiction)
    old, place.code = place.code, "ZZ"
    place.save()

    answer = get(client, path.format(old), on="2025-01-01")

    assert (answer.status_code, answer["Location"]) == (308, f"/api/v1/{path.format('ZZ')}?on=2025-01-01")
