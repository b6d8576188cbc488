"""Wrong questions, made of right ones: each operation of the description, each parameter, each way to get it wrong."""

import re
from dataclasses import dataclass
from urllib.parse import quote

import yaml
from django.conf import settings
from jsonschema import Draft202012Validator

# What the operations that need a parameter are given.
GIVEN = {"since": "*", "q": "hong kong", "activity": "exchange", "jurisdiction": "HK"}
_SUFFIX = re.compile(r"(__count)?__(not|all|isnull|contains|count|gte?|lte?)$")
HUGE = "1" + "0" * 30
LONG = "a" * 10_000


@dataclass(frozen=True)
class Mutation:
    """A wrong question: what is wrong with it, its query, and the parameter that a refusal has to name.

    may_be_meant: whether the value is a right one for this parameter after all, such as any word for a text.
    """

    wrong: str
    parameter: str
    query: str
    may_be_meant: bool = False


def operations():
    """The addresses of the description with their parameters."""
    document = yaml.load((settings.BASE_DIR / "docs" / "openapi.yaml").read_text(), Loader=yaml.CSafeLoader)
    return {path: described["get"].get("parameters", []) for path, described in document["paths"].items()}


def mutations(parameters):
    """All wrong questions about an operation with these parameters."""
    asked, needed = [each for each in parameters if each["in"] == "query"], needs(parameters)
    for parameter in asked:
        yield from _of_one(parameter, {each["name"] for each in asked}, needed)
    yield from _reversed_ranges({each["name"]: each for each in asked}, needed)


def needs(parameters):
    """What an operation with these parameters has to be given."""
    needed = {each["name"]: given(each) for each in parameters if each["in"] == "query" and each.get("required")}
    # A screening wants one of both.
    is_either = {"domain", "name"} <= {each["name"] for each in parameters}
    return needed | ({"domain": "example.com"} if is_either else {})


def given(parameter):
    """A value that the parameter takes."""
    return GIVEN.get(parameter["name"]) or _value(parameter["schema"])


def _of_one(parameter, names, needed):
    name, right = parameter["name"], given(parameter)
    others = {other: value for other, value in needed.items() if other != name}
    renamed = next(each for each in (name[:-1], name + name[-1], name + "x") if each and each not in names)
    yield Mutation("renamed by one letter", renamed, _query({**needed, renamed: right}))
    yield Mutation("empty", name, _query({**others, name: ""}))
    yield Mutation("given twice", name, f"{_query({**others, name: right})}&{_query({name: right})}")
    for wrong, value in (("of another type", "banana split"), ("a huge number", HUGE)):
        yield Mutation(wrong, name, _query({**others, name: value}), _is_valid(value, parameter["schema"]))
    yield Mutation("with NUL", name, _query({**others, name: f"{right}\0"}))
    yield Mutation("of 10,000 characters", name, _query({**others, name: LONG}))


def _reversed_ranges(asked, needed):
    for low, high in [(f"{stem}__{lower}", f"{stem}__{upper}") for stem, lower, upper in _ranges(asked)] + [
        ("from", "until")
    ]:
        if low in asked and high in asked:
            values = ("2025-01-02", "2025-01-01") if asked[low]["schema"].get("format") == "date" else ("2", "1")
            query = _query({**needed, low: values[0], high: values[1]})
            # The lower bound is told by the name of both; of two names the second one comes too early.
            yield Mutation("a reversed range", stem_of(low) if stem_of(low) != low else high, query)


def stem_of(name):
    """The filter that a parameter belongs to."""
    return _SUFFIX.sub("", name)


def _ranges(asked):
    stems = dict.fromkeys(name.rsplit("__", 1)[0] for name in asked if name.endswith(("__gte", "__gt")))
    return [(stem, lower, upper) for stem in stems for lower in ("gt", "gte") for upper in ("lt", "lte")]


def _value(schema):
    if "enum" in schema:
        return str(schema["enum"][0])
    if schema["type"] == "array":
        return _value(schema["items"])
    values = {"boolean": "true", "integer": str(schema.get("minimum", 1)), "number": "1"}
    formats = {"date": "2025-01-31", "date-time": "2025-01-31T00:00:00Z"}
    return values.get(schema["type"]) or formats.get(schema.get("format")) or "word"


def _is_valid(text, schema):
    """Whether the description lets the text be a value."""
    if schema["type"] == "array":
        return all(_is_valid(item, schema["items"]) for item in text.split(","))
    if schema["type"] != "string":
        return schema["type"] in ("integer", "number") and text.isdigit() and _accepts(int(text), schema)
    return schema.get("format") is None and _accepts(text, schema)


def _accepts(value, schema):
    return Draft202012Validator(schema).is_valid(value)


def _query(parameters):
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in parameters.items())
