from typing import ClassVar

from kbase.reading.fields import OneOf, Url
from kbase.reading.filters import Dates, Keys, Reference, ResourceFilter, Words
from kbase.reading.groups import Group
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api.citations import CitationSerializer
from regulations.api.refs import CompanyRef, EventRef, OrganisationRef, PersonRef, RegulatorRef
from regulations.models import Appointment, Company, Event, Organisation, Person, Regulator, Source
from regulations.models.base import span_covers

OFFICE_FIELDS = ["title", "valid_from", "valid_from_precision", "valid_until", "valid_until_precision", "held_on"]


class OfficeHolderSerializer(ResourceSerializer):
    """An office, as the body shows it in which it is held."""

    person = PersonRef()

    class Meta:
        model = Appointment
        fields: ClassVar = ["person", *OFFICE_FIELDS]


class AppointmentSerializer(ResourceSerializer):
    """An office, as the person shows it who holds it."""

    body = OneOf({"regulator": RegulatorRef(), "organisation": OrganisationRef(), "company": CompanyRef()})
    citations = many(CitationSerializer())

    class Meta:
        model = Appointment
        fields: ClassVar = ["body", *OFFICE_FIELDS, "citations"]


class PersonSerializer(ResourceSerializer):
    url = Url("people", "slug")

    class Meta:
        model = Person
        fields: ClassVar = ["slug", "name", "summary", "url"]


class PersonDetailSerializer(DetailSerializer, PersonSerializer):
    appointments = many(AppointmentSerializer())
    events = many(EventRef())
    citations = many(CitationSerializer())

    class Meta:
        model = Person
        fields: ClassVar = ["on", "known_at", *PersonSerializer.Meta.fields, "appointments", "events", "citations"]


class AppointmentFilter(ResourceFilter):
    regulator = Reference(Regulator, nullable=True, help_text="The regulator where it is held.")
    organisation = Reference(Organisation, nullable=True, help_text="The organisation where it is held.")
    company = Reference(Company, nullable=True, help_text="The company where it is held.")
    title = Words(nullable=True)
    valid_from = Dates(nullable=True)
    valid_until = Dates(nullable=True)
    held_on = Dates(nullable=True)
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Appointment
        fields: ClassVar = []


class PersonFilter(ResourceFilter):
    slug = Keys()
    name = Words()
    regulator = Reference(
        Regulator, field_name="appointments", through="regulator", help_text="A regulator of an office."
    )
    organisation = Reference(
        Organisation, field_name="appointments", through="organisation", help_text="An organisation of an office."
    )
    company = Reference(Company, field_name="appointments", through="company", help_text="A company of an office.")
    appointment = Group("appointments", AppointmentFilter, holding_on=span_covers, help_text="An office of the person.")
    event = Reference(Event, field_name="events", help_text="An event at which the person speaks.")
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Person
        fields: ClassVar = []


class PersonResource(Resource):
    """People who hold or held an office, or speak at events."""

    collection = "people"
    queryset = Person.objects.all()
    serializer_class = PersonSerializer
    detail_serializer_class = PersonDetailSerializer
    filterset_class = PersonFilter
    order = ("name",)
    default_order = ("slug",)
