from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer


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
