from typing import ClassVar

from kbase.reading.fields import Url
from kbase.reading.filters import Dates, Keys, Reference, ResourceFilter, Words
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api.citations import CitationSerializer
from regulations.api.refs import CompanyRef, TopicRef
from regulations.models import Company, Measure, MeasureEffect, Source, Topic


class MeasureSerializer(ResourceSerializer):
    company = CompanyRef()
    topics = many(TopicRef())
    url = Url("measures", "slug")

    class Meta:
        model = Measure
        fields: ClassVar = [
            "slug",
            "title",
            "company",
            "topics",
            "announced_on",
            "announced_on_precision",
            "effective_from",
            "effective_from_precision",
            "effective_until",
            "limit_amount",
            "limit_unit",
            "limit_period",
            "summary",
            "url",
        ]


class MeasureEffectSerializer(ResourceSerializer):
    class Meta:
        model = MeasureEffect
        fields: ClassVar = ["who", "effect", "still_open", "closed"]


class MeasureDetailSerializer(DetailSerializer, MeasureSerializer):
    applies_to = many(MeasureEffectSerializer())
    citations = many(CitationSerializer())

    class Meta:
        model = Measure
        fields: ClassVar = [
            "on",
            "known_at",
            *MeasureSerializer.Meta.fields,
            "applies_to",
            "data_collected",
            "not_covered",
            "citations",
        ]


class MeasureFilter(ResourceFilter):
    slug = Keys()
    title = Words()
    company = Reference(Company)
    topic = Reference(Topic, field_name="topics", help_text="An activity or theme that it is about.")
    announced_on = Dates(nullable=True)
    effective_from = Dates(nullable=True)
    effective_until = Dates(nullable=True)
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Measure
        fields: ClassVar = []


class MeasureResource(Resource):
    """Rules that companies impose on themselves."""

    collection = "measures"
    queryset = Measure.objects.all()
    serializer_class = MeasureSerializer
    detail_serializer_class = MeasureDetailSerializer
    filterset_class = MeasureFilter
    order = ("title", "company=company__slug", "announced_on", "effective_from", "effective_until")
    default_order = ("-effective_from", "slug")
