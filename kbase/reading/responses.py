"""What the description says of answers beside their records: their heads, redirects, errors, and parts of them."""

from typing import Any

from kbase.reading.problems import MEDIA_TYPE

Schema = dict[str, Any]

ERRORS = {
    400: "The question could be misread; `errors` names each fault.",
    404: "There is no such record, and never was.",
    406: "The answer is of a media type that the request does not accept.",
    410: "The record was taken out; the answer says when and why.",
    414: "The address is too long.",
    429: "This reader has asked more often than it may; go on after the seconds of `Retry-After`.",
    500: "Something went wrong on our side.",
    503: "The database does not answer, or is busy with exports; try again after the seconds of `Retry-After`.",
}
HEADERS: dict[str, Schema] = {
    "ETag": {
        "description": "Names this answer to this question; send it back as `If-None-Match`. Weak (RFC 9110).",
        "required": True,
        "schema": {"type": "string", "pattern": '^W/"[0-9a-f]{32}"$'},
    },
    "Cache-Control": {
        "description": "How long the answer may be given again unasked (RFC 9111); `no-store` for refusals.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Last-Modified": {
        "description": "The last change; left out while it is younger than a minute, as seconds cannot tell two changes.",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": "Where its neighbours are (RFC 8288): next, prev, first, collection, service-desc.",
        "schema": {"type": "string"},
    },
    "Content-Disposition": {"description": "The name of a file.", "schema": {"type": "string"}},
    "RateLimit-Policy": {
        "description": "How many requests (`q`) a reader has in so many seconds (`w`); left out where there is no limit.",
        "schema": {"type": "string", "pattern": '^"requests";q=[0-9]+;w=[0-9]+$'},
    },
    "RateLimit": {
        "description": "How many of these remain (`r`), and in how many seconds (`t`) they are all there again.",
        "schema": {"type": "string", "pattern": '^"requests";r=[0-9]+;t=[0-9]+$'},
    },
    "Retry-After": {
        "description": "After so many seconds it is worth trying again.",
        "schema": {"type": "integer", "minimum": 1},
    },
}
LIMITS = ("RateLimit-Policy", "RateLimit")
MORE_HEADERS = {429: ("Retry-After", *LIMITS), 503: ("Retry-After",)}
UNMODIFIED = (
    "You have the answer: its tag is in the request's `If-None-Match`, or it has not changed since `If-Modified-Since`."
)


def heads(*names: str) -> Schema:
    """The headers of an answer, by reference."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def answered(content: Schema, *, is_list: bool) -> Schema:
    """The responses to a good question: the answer, or that the reader has it already."""
    validators = ("ETag", "Cache-Control", "Last-Modified", *LIMITS)
    more = ("Link", "Content-Disposition") if is_list else ("Link",)
    return {
        "200": {"description": "The answer.", "headers": heads(*validators, *more), "content": content},
        "304": {"description": UNMODIFIED, "headers": heads(*validators)},
    }


def moved() -> Schema:
    """The response to who asks for a record by a key that it had before."""
    location = {"schema": {"type": "string", "format": "uri-reference"}, "description": "Its address by that key."}
    return {
        "308": {
            "description": "The record has another key now.",
            "headers": {"Location": location, **heads("Cache-Control")},
        }
    }


def refused(statuses: set[int], problem: Schema) -> Schema:
    """The responses to a question that is not answered."""
    return {
        str(status): {
            "description": ERRORS[status],
            "headers": heads("Cache-Control", *MORE_HEADERS.get(status, ())),
            "content": {MEDIA_TYPE: {"schema": problem}},
        }
        for status in sorted(statuses)
    }


def part_of(names: list[str]) -> Schema:
    """A record of which `fields` or `omit` chose some fields; of related records there may be parts, too."""
    return {
        "type": "object",
        "description": "Those fields of the record that `fields` and `omit` choose, and of its related records those parts.",
        "propertyNames": {"enum": names},
        "additionalProperties": True,
    }


def with_headers(result: Schema, **_: Any) -> Schema:
    """Add the headers to the document's components; a hook of drf-spectacular, which knows only of schemas there."""
    result["components"]["headers"] = HEADERS
    return result
