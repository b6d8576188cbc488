from typing import ClassVar

from kbase.reading.fields import OneOf, Url
from kbase.reading.filters import Codes, Dates, Keys, Numbers, Reference, ResourceFilter, Words
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer
from regulations.api.refs import CompanyRef, JurisdictionRef, OrganisationRef, RegulatorRef, SourceRef
from regulations.models import Company, Figure, Jurisdiction, Organisation, Regulator, Source


class FigureSerializer(ResourceSerializer):
    subject = OneOf(
        {
            "jurisdiction": JurisdictionRef(),
            "regulator": RegulatorRef(),
            "organisation": OrganisationRef(),
            "company": CompanyRef(),
        },
        allow_null=True,
        help_text="The record that it is about; null where it is about something else.",
    )
    according_to = OneOf(
        {"according_to_company": CompanyRef(), "according_to_organisation": OrganisationRef()},
        types={"according_to_company": "company", "according_to_organisation": "organisation"},
        allow_null=True,
        help_text="Whose number it is; null for the source's own.",
    )
    source = SourceRef()
    url = Url("figures", "key")

    class Meta:
        model = Figure
        fields: ClassVar = [
            "key",
            "subject",
            "about",
            "metric",
            "comparison",
            "value",
            "unit",
            "as_of",
            "as_of_precision",
            "according_to",
            "source",
            "url",
        ]


class FigureDetailSerializer(DetailSerializer, FigureSerializer):
    class Meta:
        model = Figure
        fields: ClassVar = ["on", "known_at", *FigureSerializer.Meta.fields]


class FigureFilter(ResourceFilter):
    key = Keys()
    jurisdiction = Reference(Jurisdiction, key="code", nullable=True, help_text="The jurisdiction that it is about.")
    regulator = Reference(Regulator, nullable=True, help_text="The regulator that it is about.")
    organisation = Reference(Organisation, nullable=True, help_text="The organisation that it is about.")
    company = Reference(Company, nullable=True, help_text="The company that it is about.")
    metric = Words()
    comparison = Codes(Figure.Comparison)
    value = Numbers()
    unit = Words()
    as_of = Dates(nullable=True)
    source = Reference(Source)

    class Meta:
        model = Figure
        fields: ClassVar = []


class FigureResource(Resource):
    """Reported numbers, each with its source."""

    collection = "figures"
    key = "key"
    queryset = Figure.objects.all()
    serializer_class = FigureSerializer
    detail_serializer_class = FigureDetailSerializer
    filterset_class = FigureFilter
    order = ("metric", "value", "unit", "as_of")
    default_order = ("-as_of", "key")
