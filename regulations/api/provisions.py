"""The parts of a policy, each with the parts below it, as deep as they may be nested (models.provisions.DEEPEST)."""

from typing import ClassVar

from kbase.reading.serializers import ResourceSerializer, many
from regulations.models import Provision

PART_FIELDS = ["label", "title", "summary", "aims"]


class ParagraphSerializer(ResourceSerializer):
    class Meta:
        model = Provision
        fields: ClassVar = PART_FIELDS


class ArticleSerializer(ResourceSerializer):
    children = many(ParagraphSerializer(), order=["position"])

    class Meta:
        model = Provision
        fields: ClassVar = [*PART_FIELDS, "children"]


class ChapterSerializer(ResourceSerializer):
    children = many(ArticleSerializer(), order=["position"])

    class Meta:
        model = Provision
        fields: ClassVar = [*PART_FIELDS, "children"]


class TopProvisionSerializer(ResourceSerializer):
    children = many(ChapterSerializer(), order=["position"])

    class Meta:
        model = Provision
        fields: ClassVar = [*PART_FIELDS, "children"]
