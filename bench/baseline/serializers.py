from typing import ClassVar

from django.db import models
from rest_framework import serializers

from kbase.reading.fields import Code, KnownAt, On, Text, Url
from regulations.models import (
    Citation,
    Jurisdiction,
    Milestone,
    Policy,
    PolicyRegulator,
    PolicyRelation,
    PolicyStatus,
    Provision,
    Source,
    Topic,
)


class Serializer(serializers.ModelSerializer):
    """An ordinary ModelSerializer, which writes empty texts and coded values as our contract has them."""

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: Text,
        models.TextField: Text,
        models.URLField: Text,
    }
    serializer_choice_field = Code


class JurisdictionRef(Serializer):
    url = Url("jurisdictions", "code")

    class Meta:
        model = Jurisdiction
        fields: ClassVar = ["code", "name", "url"]


class TopicRef(Serializer):
    url = Url("topics", "slug")

    class Meta:
        model = Topic
        fields: ClassVar = ["slug", "name", "url"]


class SourceRef(Serializer):
    original_url = Text(source="url")
    url = Url("sources", "slug")

    class Meta:
        model = Source
        fields: ClassVar = ["slug", "title", "published_on", "original_url", "url"]


class PolicyRef(Serializer):
    url = Url("policies", "slug")

    class Meta:
        model = Policy
        fields: ClassVar = ["slug", "title", "url"]


class PolicyRegulatorSerializer(Serializer):
    slug = Text(source="regulator.slug")
    name = Text(source="regulator.name")
    url = Url("regulators", "slug", source="regulator")

    class Meta:
        model = PolicyRegulator
        fields: ClassVar = ["slug", "name", "url", "role"]


class PolicySerializer(Serializer):
    status = Code(choices=PolicyStatus.choices, read_only=True)
    jurisdiction = JurisdictionRef()
    regulators = PolicyRegulatorSerializer(source="policy_regulators", many=True)
    topics = TopicRef(many=True)
    url = Url("policies", "slug")

    class Meta:
        model = Policy
        fields: ClassVar = [
            "slug",
            "title",
            "abbreviation",
            "kind",
            "status",
            "jurisdiction",
            "regulators",
            "topics",
            "reference",
            "official_url",
            "introduced_on",
            "effective_from",
            "effective_until",
            "summary",
            "url",
        ]

    def get_fields(self):
        """Only those that are asked for, if any are named."""
        fields, wanted = super().get_fields(), self.context.get("fields")
        return {name: field for name, field in fields.items() if name in wanted} if wanted else fields


class CitationSerializer(Serializer):
    source = SourceRef()

    class Meta:
        model = Citation
        fields: ClassVar = ["source", "fields", "locator", "quote", "note", "read_on", "method", "read_by"]


class MilestoneSerializer(Serializer):
    citations = CitationSerializer(many=True)
    url = Url("milestones", "key")

    class Meta:
        model = Milestone
        fields: ClassVar = ["key", "kind", "date", "date_precision", "note", "citations", "url"]


class ParagraphSerializer(Serializer):
    class Meta:
        model = Provision
        fields: ClassVar = ["label", "title", "summary", "aims"]


class ArticleSerializer(Serializer):
    children = ParagraphSerializer(many=True)

    class Meta:
        model = Provision
        fields: ClassVar = [*ParagraphSerializer.Meta.fields, "children"]


class ChapterSerializer(ArticleSerializer):
    children = ArticleSerializer(many=True)


class TopProvisionSerializer(ArticleSerializer):
    children = ChapterSerializer(many=True)


class RelationSerializer(Serializer):
    policy = PolicyRef(source="target")
    citations = CitationSerializer(many=True)

    class Meta:
        model = PolicyRelation
        fields: ClassVar = ["kind", "policy", "summary", "citations"]


class InverseRelationSerializer(RelationSerializer):
    policy = PolicyRef()


class PolicyDetailSerializer(PolicySerializer):
    on = On()
    known_at = KnownAt()
    milestones = MilestoneSerializer(many=True)
    provisions = TopProvisionSerializer(many=True)
    relations = RelationSerializer(many=True)
    inverse_relations = InverseRelationSerializer(many=True)
    citations = CitationSerializer(many=True)

    class Meta:
        model = Policy
        fields: ClassVar = [
            "on",
            "known_at",
            *PolicySerializer.Meta.fields,
            "milestones",
            "provisions",
            "relations",
            "inverse_relations",
            "citations",
        ]
