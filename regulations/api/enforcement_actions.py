from typing import ClassVar

from django.db.models import Exists, OuterRef, Q, TextField

from kbase.reading.fields import Url
from kbase.reading.filters import Codes, Dates, Declared, Keys, Numbers, Reference, ResourceFilter, Words
from kbase.reading.parameters import Parameter
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from kbase.reading.values import read_text
from regulations.api.citations import CitationSerializer
from regulations.api.refs import CompanyRef, JurisdictionRef, PolicyRef, RegulatorRef
from regulations.models import (
    Company,
    EnforcementAction,
    EnforcementDomain,
    EnforcementName,
    Jurisdiction,
    Policy,
    Regulator,
    Source,
)


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


class EnforcementDomainSerializer(ResourceSerializer):
    class Meta:
        model = EnforcementDomain
        fields: ClassVar = ["domain", "address"]


class EnforcementNameSerializer(ResourceSerializer):
    class Meta:
        model = EnforcementName
        fields: ClassVar = ["name"]


class EnforcementActionDetailSerializer(DetailSerializer, EnforcementActionSerializer):
    domains = many(EnforcementDomainSerializer(), help_text="The web domains that it names.")
    names = many(EnforcementNameSerializer(), help_text="Whom it names that is no company of ours.")
    citations = many(CitationSerializer())

    class Meta:
        model = EnforcementAction
        fields: ClassVar = ["on", "known_at", *EnforcementActionSerializer.Meta.fields, "domains", "names", "citations"]


class NamedDomain(Declared):
    """A web domain that the action names."""

    def expand(self, name):
        return {
            name: Parameter(
                read=read_text,
                condition=lambda domain: Q(
                    Exists(EnforcementDomain.objects.filter(action=OuterRef("pk"), domain=domain).order_by())
                ),
                param=TextField(),
                schema={"type": "string"},
                help_text=self.text,
            )
        }


class EnforcementActionFilter(ResourceFilter):
    slug = Keys()
    title = Words()
    kind = Codes(EnforcementAction.Kind)
    regulator = Reference(Regulator)
    jurisdiction = Reference(Jurisdiction, key="code")
    company = Reference(Company, field_name="companies", nullable=True, help_text="Against whom.")
    policy = Reference(Policy, field_name="policies", nullable=True, help_text="A policy breached.")
    domain = NamedDomain(help_text="A domain that it names, exactly, in small letters as DNS has it.")
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
