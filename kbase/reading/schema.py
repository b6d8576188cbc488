"""The description of the API, OpenAPI 3.1, made from the same declarations that the answers are made from."""

from copy import deepcopy
from inspect import cleandoc
from typing import Any

import uritemplate
from django.db import models
from django.utils.text import camel_case_to_spaces
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework import serializers

from kbase.reading import responses
from kbase.reading.exports import MEDIA_TYPES
from kbase.reading.facets import MOST_VALUES, Facet
from kbase.reading.fields import Code, KnownAt, Number, OneOf, RelatedList
from kbase.reading.parameters import Parameter
from kbase.reading.questions import DEEPEST_ROW, FORMATS, LARGEST_PAGE, PAGE_SIZE, START
from kbase.reading.resources import Collections, Resource
from kbase.reading.searching import LONGEST_QUERY, PARAMETER, RELEVANCE
from kbase.reading.shapes import DATE, ENVELOPE, FACET_COUNT, FAULT, MOMENT, NULL, PATH, PROBLEM, TEXT, Schema
from kbase.reading.values import MOST_ITEMS
from kbase.reading.views import QuestionView

FACETS = (
    f"The filters by whose values the records are counted: the {MOST_VALUES} most frequent values of each, under all"
    " filters but its own. A record without a value is in no count."
)
FORMAT = (
    "The format. csv and ndjson (a record of JSON on each line) are the whole list, whatever its length, as a file, and so go without"
    " page, page_size, cursor and facets."
)
SEARCHED = (
    "Words that all have to be in the record or in the names of those that it belongs to, in any form; slips and accents"
    " are forgiven. The best match comes first, if no other ordering is asked for."
)
ORDERED = (
    "What to order by; descending after a minus. Empty values come last. `relevance`, the best match first, needs `q`."
)
KNOWN_AT = "The past moment in our records that is asked about: what we said then. Left out: what we say now."
# The variable parts of addresses.
PATH_PARTS = {"key": "The record's key.", "collection": "The collection's name."}


class ReadingSchema(AutoSchema):
    """Describes resources, their filters and their errors; knows every field that PostgreSQL can render."""

    def get_tags(self) -> list[str]:
        if isinstance(self.view, QuestionView):
            return ["questions"]
        return [self.view.collection] if isinstance(self.view, Resource) else ["collections"]

    def get_summary(self) -> str:
        if isinstance(self.view, QuestionView):
            return str(self.view.name).capitalize()
        if not isinstance(self.view, Resource):
            return "The collections"
        return f"List {self._name()}" if self._is_list() else f"One of {self._name()}"

    def get_description(self) -> str:
        said = [type(self.view).__doc__]
        if self._is_resource():
            said.append(getattr(type(self.view), self.view.action).__doc__)
        return "\n\n".join(cleandoc(text or "") for text in said)

    def get_operation_id(self) -> str:
        if isinstance(self.view, QuestionView):
            return str(self.view.name).replace(" ", "_")
        if not self._is_resource():
            return "collections"
        return f"{self.view.collection.replace('-', '_')}_{'list' if self._is_list() else 'retrieve'}"

    def get_auth(self) -> list[Schema]:
        return []

    def _get_parameters(self) -> list[Schema]:
        if isinstance(self.view, QuestionView):
            return self._asked()
        if not self._is_resource():
            return []
        common = [_parameter(name, schema, text) for name, schema, text in self._common_parameters()]
        if not self._is_list():
            path = {"in": "path", "name": "key", "required": True, "schema": TEXT}
            return [{**path, "description": f"The record's key (`{self.view.key}`)."}, *common]
        filters = self.view.filterset_class.base_filters
        return [*(_filter_parameter(name, parameter) for name, parameter in filters.items()), *common]

    def _asked(self) -> list[Schema]:
        path = [
            {"in": "path", "name": name, "required": True, "schema": TEXT, "description": PATH_PARTS[name]}
            for name in uritemplate.variables(self.path)
        ]
        found = [
            _parameter(name, _many(dict(asked.schema)) if asked.is_list else dict(asked.schema), asked.help_text)
            | ({"required": True} if asked.is_required else {})
            for name, asked in self.view.parameters.items()
        ]
        day = _parameter("on", DATE, "The day in the world that is asked about; today if left out.")
        return [*path, *found, day, _parameter("known_at", MOMENT, KNOWN_AT)]

    def _common_parameters(self) -> list[tuple[str, Schema, str]]:
        day = "The day in the world that is asked about; today if left out."
        if self._is_list() and self.view.holding_on:
            day += " If given, only the records that hold on the day are listed."
        found = [
            ("on", DATE, day),
            ("known_at", MOMENT, KNOWN_AT),
            ("fields", _many(PATH), "The fields to show; a field of a related record after a dot."),
            ("omit", _many(PATH), "The fields to leave out."),
            ("expand", _many(PATH), "The relations whose records to show whole; relations of these after a dot."),
        ]
        if not self._is_list():
            return found
        columns = [sign + name for name in self.view.columns() for sign in ("", "-")]
        pages = {"type": "integer", "minimum": 1, "maximum": DEEPEST_ROW}
        sizes = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE_SIZE}
        order = _many({**TEXT, "enum": [RELEVANCE, *columns] if self.view.search else columns})
        query = {**TEXT, "minLength": 1, "maxLength": LONGEST_QUERY}
        return [
            *found,
            *([(PARAMETER, query, SEARCHED)] if self.view.search else []),
            ("ordering", order, ORDERED),
            ("page", pages, f"The number of the page, up to row {DEEPEST_ROW}."),
            ("page_size", sizes, "How many records a page has."),
            ("facets", _many({**TEXT, "enum": list(self._facets())}), FACETS),
            ("format", {**TEXT, "enum": list(FORMATS), "default": "json"}, FORMAT),
            ("cursor", TEXT, f"Walks the whole list at constant cost: start with `{START}`, then follow `next`."),
        ]

    def _get_response_bodies(self, direction: str = "response") -> Schema:
        is_detail = (self._is_resource() and not self._is_list()) or getattr(self.view, "leads_on", False)
        errors = (
            {400, 406, 414, 429, 500, 503} | ({404} if "{" in self.path else set()) | ({410} if is_detail else set())
        )
        media_type = self.view.media_type if isinstance(self.view, QuestionView) else "application/json"
        content = {media_type: {"schema": self._answer()}}
        if self._is_list():
            content |= {media_type: {"schema": TEXT} for media_type in MEDIA_TYPES.values()}
        self._component("Fault", FAULT)
        problem = self._component("Problem", PROBLEM)
        return {
            **responses.answered(content, is_list=self._is_list()),
            **(responses.moved() if is_detail else {}),
            **responses.refused(errors, problem),
        }

    def _answer(self) -> Schema:
        if isinstance(self.view, QuestionView):
            is_json = self.view.media_type == "application/json"
            return self._serializer_component(self.view.answer_class()) if is_json else TEXT
        if not self._is_resource():
            return {"type": "object", "additionalProperties": {**TEXT, "format": "uri"}}
        whole, part = self._record()
        if not self._is_list():
            return {"anyOf": [whole, part]}
        return {"anyOf": [self._list_of(whole, ""), self._list_of(part, "Part")]}

    def _record(self) -> tuple[Schema, Schema]:
        """The record, and what of it may be chosen."""
        serializer = (self.view.serializer_class if self._is_list() else self.view.detail_serializer_class)()
        part = responses.part_of(list(serializer.fields))
        return self._serializer_component(serializer), self._component(f"{_title(type(serializer))}Part", part)

    def _list_of(self, record: Schema, suffix: str) -> Schema:
        properties = {**ENVELOPE, "results": {"type": "array", "items": record}}
        envelope = {
            "type": "object",
            "properties": {**properties, "facets": self._facet_counts()},
            "required": list(properties),
        }
        return self._component(f"{_title(self.view.serializer_class)}List{suffix}", envelope)

    def _facets(self) -> dict[str, Facet]:
        return self.view.filterset_class.facets()

    def _facet_counts(self) -> Schema:
        counts = {"type": "array", "maxItems": MOST_VALUES, "items": self._component("FacetCount", FACET_COUNT)}
        properties = dict.fromkeys(self._facets(), counts)
        described = "For each facet that was asked for its values, the most frequent first."
        return {"type": "object", "description": described, "properties": properties, "additionalProperties": False}

    def _serializer_component(self, serializer: serializers.ModelSerializer) -> Schema:
        name = _title(type(serializer))
        key = (name, ResolvedComponent.SCHEMA)
        if key not in self.registry._components:
            # Registered before it is filled, so that a record may refer to one of its own kind.
            component = ResolvedComponent(
                name=name, type=ResolvedComponent.SCHEMA, object=name, schema={"type": "object"}
            )
            self.registry.register_on_missing(component)
            component.schema = self._object(serializer)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, serializer: serializers.Serializer) -> Schema:
        properties = {name: self._described(field) for name, field in serializer.fields.items()}
        is_of_model = isinstance(serializer, serializers.ModelSerializer)
        described = cleandoc((serializer.Meta.model.__doc__ if is_of_model else type(serializer).__doc__) or "")
        required = [name for name, field in serializer.fields.items() if is_of_model or field.required]
        return {"type": "object", "description": described, "properties": properties, "required": required}

    def _described(self, field: Any) -> Schema:
        schema = self._nullable(field, self._type(field))
        text = field.help_text or _help_of(field)
        return {**schema, "description": str(text)} if text else schema

    def _nullable(self, field: Any, schema: Schema) -> Schema:
        if not _may_be_missing(field):
            return schema
        if "$ref" in schema or "oneOf" in schema:
            return {"oneOf": [*schema.get("oneOf", [schema]), NULL]}
        return {**schema, "type": [schema["type"], "null"]}

    def _type(self, field: Any) -> Schema:
        if isinstance(field, serializers.ListSerializer | serializers.ListField):
            return {"type": "array", "items": self._type(field.child)}
        if isinstance(field, serializers.Serializer):
            return self._serializer_component(field)
        if isinstance(field, OneOf):
            return {"oneOf": [self._arm(field, name) for name in field.arms]}
        if isinstance(field, Code):
            return self._code(field)
        if isinstance(field, serializers.ChoiceField):
            return {**TEXT, "enum": list(field.choices)}
        return _plain_type(field)

    def _arm(self, field: OneOf, name: str) -> Schema:
        arm, word = field.arms[name], field.type_of(name)
        schema = self._object(arm)
        properties = {"type": {"const": word, "type": "string"}, **schema["properties"]}
        typed = {**schema, "properties": properties, "required": list(properties)}
        return self._component(f"Typed{_title(type(arm))}", typed)

    def _code(self, field: Code) -> Schema:
        words = field.words()
        schema = {
            "type": "object",
            "properties": {"code": {**TEXT, "enum": list(words)}, "label": {**TEXT, "enum": list(words.values())}},
            "required": ["code", "label"],
        }
        return self._component(_code_title(field), schema)

    def _component(self, name: str, schema: Schema) -> Schema:
        # What is done to a description afterwards must not reach our constants: the next one is made of them too.
        own = deepcopy(schema)
        component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, object=name, schema=own)
        self.registry.register_on_missing(component)
        return {"$ref": f"#/components/schemas/{name}"}

    def _is_resource(self) -> bool:
        return isinstance(self.view, Resource)

    def _is_index(self) -> bool:
        return isinstance(self.view, Collections)

    def _is_list(self) -> bool:
        return getattr(self.view, "action", None) == "list"

    def _name(self) -> str:
        return str(self.view.collection).replace("-", " ")


def _parameter(name: str, schema: Schema, description: str) -> Schema:
    if schema == TEXT:
        # No parameter is empty.
        schema = {**TEXT, "minLength": 1}
    found: Schema = {"in": "query", "name": name, "schema": schema, "description": description}
    if schema["type"] == "array":
        # Several values stand in one parameter, separated by commas.
        found |= {"style": "form", "explode": False}
    return found


def _filter_parameter(name: str, parameter: Parameter) -> Schema:
    schema = parameter.described()
    return _parameter(name, _many(schema) if parameter.is_list else schema, parameter.text)


def _many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema, "minItems": 1, "maxItems": MOST_ITEMS, "uniqueItems": True}


def _plain_type(field: Any) -> Schema:
    if isinstance(field, Number):
        return {"type": "number"}
    if isinstance(field, KnownAt | serializers.DateTimeField):
        return {"type": "string", "format": "date-time"}
    if isinstance(field, serializers.DateField):
        return DATE
    if isinstance(field, serializers.BooleanField):
        return {"type": "boolean"}
    if isinstance(field, serializers.IntegerField):
        return {"type": "integer"}
    if isinstance(field, serializers.DictField):
        return {"type": "object", "additionalProperties": True}
    if isinstance(field, serializers.JSONField):
        return {"type": "array", "items": TEXT}
    return _text(field.field_name)


def _text(name: str) -> Schema:
    if name == "url":
        return {**TEXT, "format": "uri"}
    # The addresses of others may have letters of any script.
    return {**TEXT, "format": "iri"} if name.endswith("url") or name == "website" else TEXT


def _may_be_missing(field: Any) -> bool:
    """Whether the field can be null: where its column or a relation on the way to it may be empty."""
    if isinstance(field, OneOf) or not isinstance(field.parent, serializers.ModelSerializer):
        return bool(field.allow_null)
    if isinstance(field, RelatedList) or field.source == "*":
        return isinstance(field, KnownAt)
    return any(_is_empty_allowed(column) for column in _columns(field))


def _is_empty_allowed(column: Any) -> bool:
    is_text = isinstance(column, models.CharField | models.TextField)
    return column.null or (is_text and column.blank)


def _columns(field: Any) -> list[Any]:
    """The model's fields on the way from the serializer's model to what the field shows; none if it is computed."""
    model, found = getattr(getattr(field.parent, "Meta", None), "model", None), []
    for name in field.source_attrs:
        names = {column.name: column for column in model._meta.get_fields()} if model else {}
        if name not in names:
            return found
        found.append(names[name])
        model = names[name].related_model
    return found


def _help_of(field: Any) -> str:
    columns = _columns(field) if field.source != "*" else []
    return str(getattr(columns[-1], "help_text", "")) if columns else ""


def _title(serializer: type) -> str:
    return serializer.__name__.removesuffix("Serializer")


def _code_title(field: Code) -> str:
    if field.described_as:
        return field.described_as
    if field.field_name.endswith("_precision"):
        return "DatePrecision"
    is_of_model = isinstance(field.parent, serializers.ModelSerializer)
    model = field.parent.Meta.model.__name__ if is_of_model else _title(type(field.parent))
    own = "".join(word.title() for word in camel_case_to_spaces(field.field_name).replace("_", " ").split())
    return f"{model}Kind" if model == own else f"{model}{own}"
