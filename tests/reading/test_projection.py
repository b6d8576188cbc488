"""What PostgreSQL renders is what the serializers render, for every resource and every selection of fields."""

import json
import random
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from rest_framework import serializers

from kbase.reading import checks, selection
from kbase.reading.fields import Code, OneOf, RelatedList
from kbase.reading.resources import Resource
from kbase.reading.serializers import ResourceSerializer, SmallObject
from regulations.api.urls import RESOURCES
from regulations.models import Policy
from tests import factories

ROOT = "http://testserver/api/v1/"
DAYS = [date(2019, 6, 1), date(2025, 1, 15), date(2027, 1, 1)]
SELECTIONS_TRIED = 12
ROWS_COMPARED = 15


def answer(path, **parameters):
    response = Client().get(f"/api/v1/{path}", parameters)
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def rendered(serializer_class, instance, on, chosen=selection.EVERYTHING):
    """The record as the serializer itself renders it, in Python."""
    serializer = serializer_class(instance, selection=chosen, context={"on": on, "known_at": None, "root": ROOT})
    return json.loads(json.dumps(serializer.data, default=str))


def by_key(resource, keys):
    return resource.queryset.in_bulk(keys, field_name=resource.key)


@pytest.mark.parametrize("on", DAYS, ids=str)
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_rows_of_a_list_are_what_the_serializer_renders(knowledge, resource, on):
    parameters = {"page_size": ROWS_COMPARED, "ordering": f"-{resource.key}"}
    if not resource.holding_on:
        parameters["on"] = on.isoformat()
    else:
        on = date.fromisoformat(answer(f"{resource.collection}/")["on"])

    shown = answer(f"{resource.collection}/", **parameters)["results"]

    records = by_key(resource, [row[resource.key] for row in shown])
    assert shown == [rendered(resource.serializer_class, records[row[resource.key]], on) for row in shown]
    assert shown


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_a_record_alone_is_what_the_serializer_renders(knowledge, resource):
    for key in sample_of_keys(resource, 6):
        record = resource.queryset.get(**{resource.key: key})

        shown = answer(f"{resource.collection}/{key}/", on="2025-01-15")

        assert shown == rendered(resource.detail_serializer_class, record, date(2025, 1, 15))


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_any_selection_is_what_the_serializer_renders(knowledge, resource):
    dice = random.Random(resource.collection)
    key = sample_of_keys(resource, 1)[0]
    record = resource.queryset.get(**{resource.key: key})

    for _ in range(SELECTIONS_TRIED):
        parameters = random_selection(resource.detail_serializer_class, dice)
        chosen = selection.parse(*(parameters.get(name) for name in ("fields", "omit", "expand")))

        shown = answer(f"{resource.collection}/{key}/", on="2025-01-15", **parameters)

        assert shown == rendered(resource.detail_serializer_class, record, date(2025, 1, 15), chosen), parameters


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.collection)
def test_each_relation_shown_whole_is_what_the_serializer_renders(knowledge, resource):
    for path in paths(resource.detail_serializer_class(), 2, only_expandable=True):
        chosen = selection.parse(None, None, path)
        for key in sample_of_keys(resource, 2):
            record = resource.queryset.get(**{resource.key: key})

            shown = answer(f"{resource.collection}/{key}/", on="2025-01-15", expand=path)

            assert shown == rendered(resource.detail_serializer_class, record, date(2025, 1, 15), chosen), path


def test_members_stand_in_the_declared_order(knowledge):
    response = Client().get("/api/v1/policies/eu-mica/")

    assert list(json.loads(response.content)) == [
        name for name in PolicyDetail().fields if name in json.loads(response.content)
    ]


def test_numbers_lose_trailing_zeros_and_keep_their_digits(db):
    factories.make_figure(key="small", value=Decimal("0.1250"))
    factories.make_figure(key="large", value=Decimal("12345678901234567890.0000"))

    assert b'"value":0.125,' in Client().get("/api/v1/figures/small/").content
    assert b'"value":12345678901234567890,' in Client().get("/api/v1/figures/large/").content


def test_text_of_any_script_and_with_any_sign_arrives_unharmed(db):
    title = 'Ça «coûte» 5 % – "北京" 🏛 \\ /\n\t'
    factories.make_policy(slug="strange", title=title, summary="%s %(on)s {0}")

    shown = answer("policies/strange/", fields="title,summary")

    assert shown == {"title": title, "summary": "%s %(on)s {0}"}


def test_labels_with_signs_that_mean_something_to_sql_arrive_unharmed(db):
    factories.make_company_identifier(company=factories.make_company(slug="acme"), scheme="supervisor", value="7")

    shown = answer("companies/acme/", fields="identifiers.scheme")

    assert shown == {"identifiers": [{"scheme": {"code": "supervisor", "label": "Supervisor's reference number"}}]}


class Unprojectable(serializers.Field):
    def to_representation(self, value):
        return "only Python knows"


class UnprojectableSerializer(ResourceSerializer):
    odd = Unprojectable(source="*")

    class Meta:
        model = Policy
        fields = ["slug", "odd"]


def test_a_field_that_postgresql_cannot_render_is_an_error_of_the_system_check(monkeypatch):
    resource = RESOURCES[0]
    monkeypatch.setattr(resource, "detail_serializer_class", UnprojectableSerializer)

    errors = checks.resources_can_be_read(None)

    assert [error.id for error in errors] == ["reading.E001"]
    assert "UnprojectableSerializer.odd" in errors[0].msg


def test_every_resource_is_checked():
    assert set(Resource.__subclasses__()) == set(RESOURCES)
    assert checks.resources_can_be_read(None) == []


# Selections


PolicyDetail = next(resource for resource in RESOURCES if resource.collection == "policies").detail_serializer_class


def sample_of_keys(resource, size):
    keys = list(resource.queryset.order_by(resource.key).values_list(resource.key, flat=True))
    return random.Random(resource.collection).sample(keys, min(size, len(keys)))


def random_selection(serializer_class, dice):
    """Parameters that the resource allows: some fields, some left out, some relations whole."""
    expandable = list(paths(serializer_class(), 2, only_expandable=True))
    expand = dice.sample(expandable, min(len(expandable), dice.randint(0, 2)))
    fields = list(paths(serializer_class(), 2))
    chosen = dice.sample(fields, dice.randint(1, min(6, len(fields))))
    asked = tuple(f"{path}." for path in chosen)
    # What is asked for, or has a part that is, cannot be left out.
    left_out = [
        path
        for path in dice.sample(fields, dice.randint(0, 2))
        if not any(each.startswith(f"{path}.") for each in asked)
    ]
    parameters = {"fields": ",".join(chosen), "omit": ",".join(left_out), "expand": ",".join(expand)}
    if dice.random() < 0.5:
        del parameters["fields"]
    return {name: text for name, text in parameters.items() if text}


def paths(serializer, depth, *, only_expandable=False, prefix=""):
    for name, field in serializer.fields.items():
        child = field.child if isinstance(field, RelatedList) else field
        is_serializer = isinstance(child, ResourceSerializer)
        is_expandable = isinstance(child, SmallObject) or (is_serializer and hasattr(child.Meta, "inline"))
        if not only_expandable or is_expandable:
            yield f"{prefix}{name}"
        if isinstance(child, Code) and not only_expandable:
            yield from (f"{prefix}{name}.{part}" for part in ("code", "label"))
        if isinstance(child, OneOf) and not only_expandable:
            yield from (f"{prefix}{name}.{part}" for part in ("type", "name", "url"))
        if is_serializer and depth > 1:
            yield from paths(child, depth - 1, only_expandable=only_expandable, prefix=f"{prefix}{name}.")
