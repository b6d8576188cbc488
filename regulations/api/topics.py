from typing import ClassVar

from kbase.reading.fields import Url
from kbase.reading.filters import Codes, Keys, ResourceFilter, Words
from kbase.reading.resources import Resource
from kbase.reading.serializers import DetailSerializer, ResourceSerializer
from regulations.models import Topic


class TopicSerializer(ResourceSerializer):
    url = Url("topics", "slug")

    class Meta:
        model = Topic
        fields: ClassVar = ["slug", "name", "kind", "summary", "url"]


class TopicDetailSerializer(DetailSerializer, TopicSerializer):
    class Meta:
        model = Topic
        fields: ClassVar = ["on", "known_at", *TopicSerializer.Meta.fields]


class TopicFilter(ResourceFilter):
    slug = Keys()
    name = Words()
    kind = Codes(Topic.Kind)

    class Meta:
        model = Topic
        fields: ClassVar = []


class TopicResource(Resource):
    """The controlled vocabulary: activities that firms carry out, and themes that rules are about."""

    collection = "topics"
    queryset = Topic.objects.all()
    serializer_class = TopicSerializer
    detail_serializer_class = TopicDetailSerializer
    filterset_class = TopicFilter
    order = ("name", "kind")
    default_order = ("slug",)
