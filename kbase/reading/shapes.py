"""Shapes that all answers share, as JSON Schema."""

from typing import Any

Schema = dict[str, Any]

NULL: Schema = {"type": "null"}
TEXT: Schema = {"type": "string"}
# A field, and after dots the fields of its value.
PATH: Schema = {"type": "string", "pattern": r"^[a-z_]+(\.[a-z_]+){0,3}$"}
DATE: Schema = {"type": "string", "format": "date"}
MOMENT: Schema = {"type": "string", "format": "date-time"}

FAULT: Schema = {
    "type": "object",
    "properties": {
        "parameter": {**TEXT, "description": "The query parameter at fault, as it was sent."},
        "code": {
            **TEXT,
            "enum": ["unknown", "empty", "repeated", "malformed", "out_of_range", "contradictory"],
            "description": "What is wrong.",
        },
        "detail": {**TEXT, "description": "What is wrong and what to do, as a sentence."},
        "allowed": {"type": "array", "items": TEXT, "description": "What is possible, where it can be listed."},
        "nearest": {**TEXT, "description": "The possible one that comes closest to what was sent."},
    },
    "required": ["parameter", "code", "detail"],
}
PROBLEM: Schema = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {**TEXT, "format": "uri-reference"},
        "title": {**TEXT, "description": "The status in words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {**TEXT, "description": "What went wrong and what to do, as a sentence."},
        "instance": {**TEXT, "format": "uri-reference", "description": "The path that was asked for."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
        "nearest": {**TEXT, "description": "The key that comes closest to the one that is not there."},
        "gone_at": {**TEXT, "format": "date-time", "description": "When the record was taken out."},
        "kind": {**TEXT, "description": "By what kind of change it was taken out."},
        "reason": {"type": ["string", "null"], "description": "Why it was taken out; null if that was not stated."},
        "history": {**TEXT, "format": "uri", "description": "Where the record's history is."},
    },
    "required": ["type", "title", "status", "detail", "instance"],
}
ENVELOPE: Schema = {
    "count": {
        "type": ["integer", "null"],
        "description": "How many records meet the filters, exactly; null on a walk by cursor, and where words are found in"
        " too many to count.",
    },
    "next": {"type": ["string", "null"], "format": "uri", "description": "The address of the next page."},
    "previous": {"type": ["string", "null"], "format": "uri", "description": "The address of the page before."},
    "on": {**DATE, "description": "The day that the answer speaks of."},
    "known_at": {
        "type": ["string", "null"],
        "format": "date-time",
        "description": "The moment in our records that the answer speaks of; null for what we say now.",
    },
    "query": {
        "type": "object",
        "description": "The question as it was understood: the filters with their values, the whole ordering, the page.",
        "additionalProperties": {
            "oneOf": [
                {"type": "string"},
                {"type": "number"},
                {"type": "boolean"},
                {"type": "array", "items": {"type": "string"}},
                {
                    "type": "object",
                    "description": "The conditions on one related record.",
                    "additionalProperties": True,
                },
            ]
        },
    },
}
FACET_COUNT: Schema = {
    "type": "object",
    "properties": {
        "value": {**TEXT, "description": "The value, as the filter takes it."},
        "label": {**TEXT, "description": "The value, as people read it."},
        "count": {"type": "integer", "minimum": 1, "description": "How many records have it, exactly."},
    },
    "required": ["value", "label", "count"],
}
