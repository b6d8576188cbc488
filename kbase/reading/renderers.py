from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.mediatypes import media_type_matches

# The same few clients ask with the same few headers.
HEADERS_KEPT = 100


class JSONAnswer(HttpResponse):
    """A good answer: JSON that is rendered already, or else anything that orjson writes.

    The framework's own response would look for a renderer first.
    """

    def __init__(self, answer: Any, headers: Mapping[str, str]) -> None:
        body = answer if isinstance(answer, bytes) else orjson.dumps(answer)
        super().__init__(body, headers={"Content-Type": JSONRenderer.media_type, **headers})


class JSONRenderer(BaseRenderer):
    """Pass on what the database has rendered already; write the rest with orjson."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """data: rendered JSON as bytes, or anything orjson writes; None is an empty body."""
        if isinstance(data, bytes):
            return data
        return b"" if data is None else orjson.dumps(data)


class AddressNegotiation(DefaultContentNegotiation):
    """The address alone tells the format, so that it can be linked and cached; `Accept` may refuse it.

    A view's `formats` are the media types of the values of its parameter `format`, but for json.
    """

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        renderer, *others = renderers
        if others:
            # The description is written in several formats, each with a renderer.
            return super().select_renderer(request, renderers, format_suffix)
        formats = getattr(request.parser_context["view"], "formats", {})
        query = request.META.get("QUERY_STRING", "")
        # Seldom there, and to take a query apart costs more than to see that.
        asked = request.query_params.get("format") if "format" in query or "%" in query else None
        told = formats.get(asked, renderer.media_type)
        if not _is_accepted(told, request.META.get("HTTP_ACCEPT", "*/*")):
            raise NotAcceptable
        return renderer, renderer.media_type


@lru_cache(HEADERS_KEPT)
def _is_accepted(media_type: str, header: str) -> bool:
    return any(media_type_matches(media_type, accepted.strip()) for accepted in header.split(","))
