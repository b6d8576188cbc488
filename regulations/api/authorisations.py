from typing import ClassVar

from kbase.reading.fields import ON, ComputedCode, Url
from kbase.reading.filters import Codes, Dates, Keys, Reference, ResourceFilter, Words
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer, many
from regulations.api.citations import CitationSerializer
from regulations.api.refs import CompanyRef, JurisdictionRef, PolicyRef, RegulatorRef, TopicRef
from regulations.models import (
    Authorisation,
    AuthorisationStatus,
    Company,
    Jurisdiction,
    Policy,
    Regulator,
    Source,
    Topic,
)
from regulations.models.authorisations import active_q, status_on


class AuthorisationSerializer(ResourceSerializer):
    company = CompanyRef()
    regulator = RegulatorRef()
    policy = PolicyRef()
    jurisdiction = JurisdictionRef()
    status = ComputedCode(
        AuthorisationStatus.choices, status_on, help_text="What its dates say of it on the day asked about."
    )
    activities = many(TopicRef())
    valid_in = many(JurisdictionRef())
    url = Url("authorisations", "key")

    class Meta:
        model = Authorisation
        fields: ClassVar = [
            "key",
            "company",
            "regulator",
            "policy",
            "jurisdiction",
            "kind",
            "status",
            "reference",
            "activities",
            "valid_in",
            "applied_on",
            "applied_on_precision",
            "granted_on",
            "granted_on_precision",
            "ended_on",
            "ended_on_precision",
            "end_reason",
            "summary",
            "url",
        ]


class AuthorisationDetailSerializer(DetailSerializer, AuthorisationSerializer):
    citations = many(CitationSerializer())

    class Meta:
        model = Authorisation
        fields: ClassVar = ["on", "known_at", *AuthorisationSerializer.Meta.fields, "citations"]


class AuthorisationFilter(ResourceFilter):
    key = Keys()
    company = Reference(Company)
    regulator = Reference(Regulator, nullable=True)
    policy = Reference(Policy, nullable=True, help_text="The regime under which it is granted.")
    jurisdiction = Reference(Jurisdiction, key="code", help_text="Under whose law it is.")
    valid_in = Reference(Jurisdiction, key="code", help_text="A place where it is valid by passport.")
    kind = Codes(Authorisation.Kind)
    status = Codes(
        AuthorisationStatus,
        expression=status_on(ON),
        shortcuts={AuthorisationStatus.ACTIVE: active_q(ON)},
        help_text="The status on the day asked about.",
    )
    activity = Reference(Topic, field_name="activities", help_text="What it permits.")
    reference = Words(nullable=True)
    applied_on = Dates(nullable=True)
    granted_on = Dates(nullable=True)
    ended_on = Dates(nullable=True)
    end_reason = Codes(Authorisation.EndReason, nullable=True)
    source = Reference(Source, field_name="citations", through="source", help_text="A source that it rests on.")

    class Meta:
        model = Authorisation
        fields: ClassVar = []


class AuthorisationResource(Resource):
    """Companies' permissions from regulators."""

    collection = "authorisations"
    key = "key"
    queryset = Authorisation.objects.all()
    serializer_class = AuthorisationSerializer
    detail_serializer_class = AuthorisationDetailSerializer
    filterset_class = AuthorisationFilter
    order = (
        "company=company__slug",
        "regulator=regulator__slug",
        "jurisdiction=jurisdiction__code",
        "kind",
        "applied_on",
        "granted_on",
        "ended_on",
    )
    default_order = ("-granted_on", "key")
