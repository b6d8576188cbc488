"""The evidence, as each record shows it with its detail."""

from typing import ClassVar

from kbase.reading.serializers import ResourceSerializer
from regulations.api.refs import SourceRef
from regulations.models import Citation


class CitationSerializer(ResourceSerializer):
    source = SourceRef()

    class Meta:
        model = Citation
        fields: ClassVar = ["source", "fields", "locator", "quote", "note", "read_on", "method", "read_by"]
