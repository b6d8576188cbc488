from typing import Any

import orjson
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.mediatypes import media_type_matches


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
        told = formats.get(request.query_params.get("format"), renderer.media_type)
        if not any(media_type_matches(told, accepted) for accepted in self.get_accept_list(request)):
            raise NotAcceptable
        return renderer, renderer.media_type
