from typing import ClassVar

from kbase.reading.fields import Url
from kbase.reading.filters import Codes, Dates, Keys, Numbers, Reference, ResourceFilter, Words
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api.citations import CitationSerializer
from regulations.api.refs import CompanyRef, JurisdictionRef, PolicyRef, RegulatorRef
from regulations.models import Company, EnforcementAction, Jurisdiction, Policy, Regulator, Source


class EnforcementActionSerializer(ResourceSerializer):
    regulator = RegulatorRef()
    jurisdiction = JurisdictionRef()
    companies = many(CompanyRef())
    policies = many(PolicyRef(), order=["slug"])
    url = Url("enforcement-actions", "slug")

    class Meta:
        model = EnforcementAction
        fields: ClassVar = [
            "slug",
            "title",
            "kind",
            "regulator",
            "jurisdiction",
            "companies",
            "policies",
            "announced_on",
            "announced_on_precision",
            "concluded_on",
            "concluded_on_precision",
            "penalty_amount",
            "penalty_currency",
            "summary",
            "url",
        ]


class EnforcementActionDetailSerializer(DetailSerializer, EnforcementActionSerializer):
    citations = many(CitationSerializer())

    class Meta:
        model = EnforcementAction
        fields: ClassVar = ["on", "known_at", *EnforcementActionSerializer.Meta.fields, "citations"]


class EnforcementActionFilter(ResourceFilter):
    slug = Keys()
    title = Words()
    kind = Codes(EnforcementAction.Kind)
    regulator = Reference(Regulator)
    jurisdiction = Reference(Jurisdiction, key="code")
    company = Reference(Company, field_name="companies", nullable=True, help_text="Against whom.")
    policy = Reference(Policy, field_name="policies", nullable=True, help_text="A policy breached.")
    announced_on = Dates(nullable=True)
    concluded_on = Dates(nullable=True)
    penalty_amount = Numbers(nullable=True, help_text="In the currency's own units: filter the currency too.")
    penalty_currency = Words(nullable=True)
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = EnforcementAction
        fields: ClassVar = []


class EnforcementActionResource(Resource):
    """Regulators' acts against companies."""

    collection = "enforcement-actions"
    queryset = EnforcementAction.objects.all()
    serializer_class = EnforcementActionSerializer
    detail_serializer_class = EnforcementActionDetailSerializer
    filterset_class = EnforcementActionFilter
    order = (
        "title",
        "kind",
        "regulator=regulator__slug",
        "jurisdiction=jurisdiction__code",
        "announced_on",
        "concluded_on",
        "penalty_amount",
    )
    default_order = ("-announced_on", "slug")
