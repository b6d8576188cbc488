"""Questions with answers of their own shape: what front ends ask, and no list alone answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

import orjson
from django.db import models
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from kbase.reading import clock, versions
from kbase.reading.answers import list_rows
from kbase.reading.caching import validated
from kbase.reading.fields import project
from kbase.reading.filters import Reference
from kbase.reading.links import link
from kbase.reading.parameters import Parameter
from kbase.reading.problems import BadRequest, Fault, Faults, unknown
from kbase.reading.questions import read_list
from kbase.reading.renderers import JSONAnswer
from kbase.reading.resources import Resource, root_of
from kbase.reading.statements import Statement, compile_statement
from kbase.reading.values import KEY, query_parameters, read_bool, read_date, read_integer, read_items, read_moment


@dataclass(frozen=True)
class Asked:
    """One parameter of a question.

    read: turns the parameter's name and text into its value, or raises BadRequest.
    schema: its type in the description, as JSON Schema; `items` of it if a list.
    default: the value where it is left out.
    """

    read: Callable[[str, str], Any]
    schema: Mapping[str, Any]
    help_text: str
    is_list: bool = False
    is_required: bool = False
    default: Any = None


@dataclass(frozen=True)
class Question:
    """What is asked: the day, the moment in our records, the values of the parameters and of the address's parts.

    understood: the parameters as the answer repeats them. root: the address of the API.
    is_dated: whether the day is asked about by name. sent: the parameters as they came.
    """

    on: date
    known_at: datetime | None
    values: Mapping[str, Any]
    path: Mapping[str, str]
    understood: Mapping[str, Any]
    root: str
    is_dated: bool
    sent: Mapping[str, str]

    def told(self, **values: Any) -> dict[str, Any]:
        """The values that a rendering statement takes (see fields), and others by their names."""
        return {"on": self.on, "known_at": clock.shown(self.known_at), "root": self.root, **values}

    def days(self) -> dict[str, str]:
        """The two clocks as parameters of a list that is asked within this question."""
        shown = clock.shown(self.known_at)
        return {"on": self.on.isoformat(), **({"known_at": shown} if shown else {})}

    def address(self, path: str, **others: str) -> str:
        """The address of the same question, which begins below the API's root, with these parameters set anew."""
        said = {name: ",".join(value) if isinstance(value, list) else value for name, value in self.understood.items()}
        days = self.days() if self.is_dated else {name: day for name, day in self.days().items() if name != "on"}
        sent = urlencode({**said, **days, **others})
        return f"{self.root}{path}?{sent}" if sent else f"{self.root}{path}"


class AnswerSerializer(serializers.Serializer):
    """Describes an answer; a subclass adds what it tells. Statements render it, so this is for the description."""

    on = serializers.DateField(help_text="The day that the answer speaks of.")
    known_at = serializers.DateTimeField(
        allow_null=True, help_text="The moment in our records that the answer speaks of; null for what we say now."
    )
    query = serializers.DictField(help_text="The question as it was understood.")


class QuestionView(APIView):
    """A question. A subclass has a docstring for the description, says what follows, and answers.

    name: what the question is called in the description.
    parameters: by their names; `on` and `known_at` are always among them.
    answer_class: describes the answer; media_type: what it is, if it is not JSON.
    leads_on: whether an address with an old key leads on to the new one.
    """

    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, Asked]] = {}
    answer_class: ClassVar[type[serializers.Serializer]]
    media_type: ClassVar[str] = "application/json"
    leads_on: ClassVar[bool] = False

    def answer(self, question: Question) -> Mapping[str, Any] | HttpResponseBase:
        """The members of the answer, or a response of another format. Rendered JSON stands in it as orjson.Fragment.

        It is asked within the moment of the question: every query sees our records as of then.
        Raises NotFound where the address names no record.
        """
        raise NotImplementedError

    def get(self, request: Request, **path: str) -> HttpResponseBase:
        sent = query_parameters(request.META["QUERY_STRING"])
        return validated(request, sent, lambda: self._get(request, sent, path))

    def _get(self, request: Request, sent: Mapping[str, str], path: Mapping[str, str]) -> HttpResponseBase:
        versions.note(versions.EVERYTHING)
        with clock.known_at(clock.moment_asked(sent)):
            question = self._read(sent, path, root_of(request))
            answer = self.answer(question)
        if isinstance(answer, HttpResponseBase):
            answer.headers.setdefault("Link", link({})["Link"])
            return answer
        head = {"on": question.on, "known_at": clock.shown(question.known_at), "query": question.understood}
        return JSONAnswer({**head, **answer}, link({}))

    def _read(self, sent: Mapping[str, str], path: Mapping[str, str], root: str) -> Question:
        possible = [*self.parameters, "on", "known_at"]
        faults = Faults(unknown(name, "parameter", name, possible) for name in sent if name not in possible)
        read: dict[str, Any] = {"on": timezone.localdate(), "known_at": None}
        readers = {"on": read_date, "known_at": read_moment} | {
            name: each.read for name, each in self.parameters.items()
        }
        for name, asked in self.parameters.items():
            read[name] = asked.default
            if asked.is_required and name not in sent:
                faults.append(
                    Fault(name, "empty", f"{name} is missing; say {asked.help_text[:1].lower()}{asked.help_text[1:]}")
                )
        for name in sent.keys() & readers.keys():
            with faults.gathering():
                read[name] = readers[name](name, sent[name])
        faults.refuse()
        on, known_at = read.pop("on"), read.pop("known_at")
        understood = {
            name: sent[name].split(",") if self.parameters[name].is_list else sent[name]
            for name in self.parameters
            if name in sent
        }
        return Question(on, known_at, read, path, understood, root, "on" in sent, sent)


def a_record(model: type[models.Model], help_text: str, *, key: str = "slug", **options: Any) -> Asked:
    """A parameter that names one record by its natural key; its value is the record's id."""
    reference = Reference(model, key=key)

    def read(parameter: str, text: str) -> int:
        if len(read_items(parameter, text)) > 1:
            raise BadRequest([Fault(parameter, "malformed", f"{parameter} takes one key here.")])
        return reference.read(parameter, text)[0]

    return Asked(read, {"type": "string", "pattern": KEY}, help_text, **options)


def some_records(model: type[models.Model], help_text: str, *, key: str = "slug", **options: Any) -> Asked:
    """A parameter that names records by their natural keys; its value is the list of their ids."""
    reference = Reference(model, key=key)
    return Asked(reference.read, {"type": "string", "pattern": KEY}, help_text, is_list=True, **options)


def as_asked(parameter: Parameter) -> Asked:
    """A filter of a list as a parameter of a question."""
    return Asked(parameter.read, parameter.described(), parameter.text, is_list=parameter.is_list)


class Rendered:
    """A query whose rows are rendered by a serializer; compiled once, when it is first asked.

    rows: makes the query; what differs between two questions stands in it as Params.
    """

    def __init__(self, serializer: type[serializers.ModelSerializer], rows: Callable[[], QuerySet]) -> None:
        self.serializer, self.rows = serializer, rows

    @cached_property
    def statement(self) -> Statement:
        return compile_statement(self.rows().values_list(project(self.serializer())))

    def of(self, question: Question, **values: Any) -> list[orjson.Fragment]:
        """The rows, rendered. values: those of the query's Params."""
        return [orjson.Fragment(row[0]) for row in self.statement.rows(question.told(**values))]


def part_of_list(
    resource: type[Resource],
    question: Question,
    *,
    count: int | None = None,
    said_as: Mapping[str, str] | None = None,
    **parameters: str,
) -> dict[str, Any]:
    """The beginning of a list, within another answer: how many records there are, the first of them, and the address of all.

    count: how many there are, where that is known already. parameters: as one would write them in the list's address.
    said_as: the parameters that the address has, where others come to the same records sooner.
    """
    sent = {**question.days(), **parameters}
    count, rows = list_rows(resource, read_list(resource, sent), question.root, count)
    # How many are shown here says nothing of how many are wanted there.
    shown = {**question.days(), **(said_as or parameters)}
    whole = urlencode({name: value for name, value in shown.items() if name != "page_size"})
    url = f"{question.root}{resource.collection}/?{whole}"
    return {"count": count, "url": url, "results": orjson.Fragment(rows)}


def some_words(words: Sequence[str], help_text: str, **options: Any) -> Asked:
    """A parameter that names some of these words; its value is the list of them."""

    def read(parameter: str, text: str) -> list[str]:
        items = read_items(parameter, text)
        faults = (unknown(parameter, f"value of {parameter}", item, words) for item in items if item not in words)
        Faults(faults).refuse()
        return items

    return Asked(read, {"type": "string", "enum": list(words)}, help_text, is_list=True, **options)


def a_word(words: Sequence[str], help_text: str, **options: Any) -> Asked:
    """A parameter that is one of these words."""

    def read(parameter: str, text: str) -> str:
        if text not in words:
            raise BadRequest([unknown(parameter, f"value of {parameter}", text, words)])
        return text

    return Asked(read, {"type": "string", "enum": list(words)}, help_text, **options)


def a_day(help_text: str, **options: Any) -> Asked:
    """A parameter that is a day."""
    return Asked(read_date, {"type": "string", "format": "date"}, help_text, **options)


def a_flag(help_text: str, **options: Any) -> Asked:
    """A parameter that is true or false."""
    return Asked(read_bool, {"type": "boolean"}, help_text, **options)


def a_number(lowest: int, highest: int, help_text: str, **options: Any) -> Asked:
    """A parameter that is a whole number of a range."""
    schema = {"type": "integer", "minimum": lowest, "maximum": highest}
    return Asked(lambda name, text: read_integer(name, text, lowest, highest), schema, help_text, **options)
