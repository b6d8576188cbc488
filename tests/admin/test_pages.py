"""Promises that hold for the pages of every kind of record."""

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from regulations.models import (
    Appointment,
    Company,
    Event,
    Jurisdiction,
    Measure,
    Organisation,
    Person,
    Policy,
    Regulator,
    Source,
)
from tests import factories
from tests.admin.pages import MODELS, add_page, change_page, changelist, form_of, make, offers_of

pytestmark = pytest.mark.django_db
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


def queries_of(client, url):
    client.get(url)  # content types are read once and remembered
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert response.status_code == 200, url
    return [query["sql"][:200] for query in queries]


@every_model
def test_list_needs_the_same_queries_for_two_rows_and_for_twenty(model, admin_client):
    for _ in range(2):
        make(model)
    few = queries_of(admin_client, changelist(model))
    for _ in range(18):
        make(model)

    many = queries_of(admin_client, changelist(model))

    assert len(many) == len(few), "\n".join(many)
    # The session, the person, the count, and the page.
    assert len(many) <= 4, "\n".join(many)


@every_model
def test_list_shows_the_records(model, admin_client):
    record = make(model)

    response = admin_client.get(changelist(model))

    assert change_page(record) in response.content.decode()


@every_model
def test_search_takes_any_words(model, admin_client):
    record = make(model)

    for words in ["", "nothing like it", "%", "a\\'b\"", "Ä" * 300, str(getattr(record, "slug", "x"))]:
        assert admin_client.get(changelist(model), {"q": words}).status_code == 200


@every_model
def test_page_to_add_opens(model, admin_client):
    assert admin_client.get(add_page(model)).status_code == 200


@every_model
def test_page_opens_and_saves_unchanged(model, admin_client):
    record = make(model)
    page = admin_client.get(change_page(record))

    saved = admin_client.post(change_page(record), form_of(page))

    assert saved.status_code == 302, page.context["errors"]


@every_model
def test_no_select_loads_a_table(model, world_of, client):
    world_of(5, size=30)
    client.force_login(User.objects.create_superuser("ada"))
    record = make(model)
    limit = 25  # the longest list of coded values is shorter

    for url in [changelist(model), add_page(model), change_page(record)]:
        offers = offers_of(client.get(url))
        assert {name: len(options) for name, options in offers.items() if len(options) > limit} == {}, url


def fill_policy(policy, count):
    for _ in range(count):
        milestone = factories.make_milestone(policy=policy)
        factories.make_citation(milestone=milestone)
        factories.make_citation(policy=policy)
        part = factories.make_provision(policy=policy)
        factories.make_provision(policy=policy, parent=part)
        factories.make_policy_regulator(policy=policy)
        factories.make_policy_relation(policy=policy)
        factories.make_policy_relation(target=policy)
        factories.make_stance().policies.add(policy)
        policy.topics.add(factories.make_topic())


def fill_company(company, count):
    for _ in range(count):
        factories.make_company_name(company=company)
        factories.make_company_identifier(company=company)
        factories.make_company_relation(company=company)
        factories.make_company_relation(target=company)
        factories.make_authorisation(company=company, regulator=factories.make_regulator())
        factories.make_enforcement_action().companies.add(company)
        factories.make_measure(company=company)
        factories.make_figure(company=company)
        factories.make_appointment(company=company)
        factories.make_citation(company=company)


def fill_jurisdiction(jurisdiction, count):
    for _ in range(count):
        factories.make_membership(member=jurisdiction)
        factories.make_membership(bloc=jurisdiction)
        factories.make_regulator(jurisdiction=jurisdiction)
        factories.make_stance(jurisdiction=jurisdiction)
        factories.make_citation(jurisdiction=jurisdiction)


def fill_regulator(regulator, count):
    for _ in range(count):
        factories.make_policy_regulator(regulator=regulator)
        factories.make_authorisation(regulator=regulator)
        factories.make_appointment(regulator=regulator)


def fill_organisation(organisation, count):
    for _ in range(count):
        factories.make_appointment(organisation=organisation)


def fill_person(person, count):
    for _ in range(count):
        factories.make_appointment(person=person)
        factories.make_appointment(person=person, regulator=factories.make_regulator())
        factories.make_event().speakers.add(person)


def fill_event(event, count):
    for number in range(count):
        factories.make_event_step(event=event, date=f"2024-01-{number + 1:02}" if number < 30 else None)
        factories.make_event_organiser(event=event)
        factories.make_event_organiser(event=event, regulator=factories.make_regulator())
        event.speakers.add(factories.make_person())


def fill_measure(measure, count):
    for _ in range(count):
        factories.make_measure_effect(measure=measure)
        measure.topics.add(factories.make_topic())


def fill_source(source, count):
    for _ in range(count):
        factories.make_source_relation(source=source)
        factories.make_mention(source=source)
        factories.make_mention(source=source, policy=factories.make_policy())
        factories.make_figure(source=source)
        factories.make_citation(source=source)
        factories.make_citation(source=source, stance=factories.make_stance())
        factories.make_citation(source=source, membership=factories.make_membership())
        factories.make_citation(source=source, provision=factories.make_provision())
        factories.make_citation(source=source, appointment=factories.make_appointment())
        factories.make_citation(source=source, policy_relation=factories.make_policy_relation())
        factories.make_citation(source=source, company_relation=factories.make_company_relation())
        factories.make_citation(source=source, authorisation=factories.make_authorisation())


FILLED = {
    Policy: fill_policy,
    Company: fill_company,
    Jurisdiction: fill_jurisdiction,
    Regulator: fill_regulator,
    Organisation: fill_organisation,
    Person: fill_person,
    Event: fill_event,
    Measure: fill_measure,
    Source: fill_source,
}


@pytest.mark.parametrize("model", FILLED, ids=lambda model: model.__name__)
def test_page_needs_the_same_queries_for_two_rows_and_for_ten(model, admin_client):
    record = make(model)
    FILLED[model](record, 2)
    few = queries_of(admin_client, change_page(record))
    another = make(model)
    FILLED[model](another, 10)

    many = queries_of(admin_client, change_page(another))

    assert len(many) == len(few), "\n".join(sorted(many))


def test_every_filled_page_saves_unchanged(admin_client):
    for model, fill in FILLED.items():
        record = make(model)
        fill(record, 3)
        page = admin_client.get(change_page(record))

        saved = admin_client.post(change_page(record), form_of(page))

        assert saved.status_code == 302, [model, saved.context["errors"]]


@every_model
def test_looking_up_needs_the_same_queries_for_two_rows_and_for_twenty(model, admin_client):
    field = next(
        (field for field in model._meta.related_objects if field.field.model._meta.app_label == "regulations"), None
    )
    if field is None:
        pytest.skip("nothing points to it")
    ask = {"app_label": "regulations", "model_name": field.field.model._meta.model_name, "field_name": field.field.name}
    url = reverse("admin:autocomplete") + "?" + "&".join(f"{name}={value}" for name, value in ask.items())
    make(model), make(model)
    few = queries_of(admin_client, url)
    for _ in range(18):
        make(model)

    assert len(queries_of(admin_client, url)) == len(few)


def test_all_models_of_the_domain_are_edited_somewhere():
    from django.apps import apps

    pages = set(site._registry)
    rows = {inline.model for admin in site._registry.values() for inline in admin.inlines}
    own = {model for model in apps.get_app_config("regulations").get_models() if not model._meta.auto_created}

    # The database alone writes revisions, and the words that search looks through.
    copies = {"AuthorisationFacet", "EvidenceTally", "PolicyFacet", "PolicyTally", "RecordEvidence"}
    copies |= {"SearchDocument", "SearchWord"}
    kept_by_triggers = {"Change", "DataVersion", "Revision"} | copies
    # Shown on the page of their run.
    shown = {"Extract", "ImportChange"}
    assert {model.__name__ for model in own - pages - rows} <= kept_by_triggers | shown
    assert Appointment in pages
