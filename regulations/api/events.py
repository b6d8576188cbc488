from typing import ClassVar

from kbase.reading.fields import OneOf, Url
from kbase.reading.filters import Codes, Dates, Keys, Reference, ResourceFilter, Words
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api.citations import CitationSerializer
from regulations.api.refs import CompanyRef, JurisdictionRef, OrganisationRef, PersonRef, RegulatorRef
from regulations.models import (
    Company,
    Event,
    EventStep,
    Jurisdiction,
    Organisation,
    Person,
    Regulator,
    Source,
)


class EventSerializer(ResourceSerializer):
    jurisdiction = JurisdictionRef()
    url = Url("events", "slug")

    class Meta:
        model = Event
        fields: ClassVar = [
            "slug",
            "name",
            "kind",
            "starts_on",
            "starts_on_precision",
            "ends_on",
            "jurisdiction",
            "place",
            "prize_amount",
            "prize_currency",
            "prize_note",
            "summary",
            "url",
        ]


class EventStepSerializer(ResourceSerializer):
    class Meta:
        model = EventStep
        fields: ClassVar = ["kind", "date", "date_precision", "place"]


class EventDetailSerializer(DetailSerializer, EventSerializer):
    steps = many(EventStepSerializer())
    organisers = many(OneOf({"regulator": RegulatorRef(), "organisation": OrganisationRef(), "company": CompanyRef()}))
    speakers = many(PersonRef())
    citations = many(CitationSerializer())

    class Meta:
        model = Event
        fields: ClassVar = [
            "on",
            "known_at",
            *EventSerializer.Meta.fields,
            "themes",
            "steps",
            "organisers",
            "speakers",
            "citations",
        ]


class EventFilter(ResourceFilter):
    slug = Keys()
    name = Words()
    kind = Codes(Event.Kind)
    jurisdiction = Reference(Jurisdiction, key="code", nullable=True)
    starts_on = Dates(nullable=True)
    ends_on = Dates(nullable=True)
    speaker = Reference(Person, field_name="speakers", nullable=True, help_text="Who speaks there.")
    company = Reference(Company, field_name="organisers", through="company", help_text="A company that organises it.")
    organisation = Reference(
        Organisation, field_name="organisers", through="organisation", help_text="An organisation that organises it."
    )
    regulator = Reference(
        Regulator, field_name="organisers", through="regulator", help_text="A regulator that organises it."
    )
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Event
        fields: ClassVar = []


class EventResource(Resource):
    """Conferences, hackathons, hearings."""

    collection = "events"
    queryset = Event.objects.all()
    serializer_class = EventSerializer
    detail_serializer_class = EventDetailSerializer
    filterset_class = EventFilter
    order = ("name", "kind", "starts_on", "ends_on")
    default_order = ("-starts_on", "slug")
