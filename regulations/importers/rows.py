"""From what the files say to rows that can be stored: pure, strict, and all faults at once."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import BooleanField, DateField, DecimalField

from regulations.importers.faults import Fault, Place, RefusedError, nearest
from regulations.importers.shapes import SHAPES, AnyField, Shape, is_list_of_text
from regulations.importers.yaml_files import Document, Value
from regulations.models.base import DatePrecision

DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,10})?", re.ASCII)
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
PRECISIONS = {
    1: DatePrecision.YEAR,
    2: DatePrecision.MONTH,
    3: DatePrecision.DAY,
}


@dataclass(frozen=True)
class Row:
    """One record, or one row that belongs to a record.

    values: what its own fields hold, complete: a field that the file leaves out has its default.
    references: the natural key of the record that each given foreign key names.
    lists: the natural keys of the records that each many-to-many field names.
    parts: the rows that belong to it.
    """

    shape: Shape
    place: Place
    values: dict[str, Any] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    parts: list["Row"] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Its natural key, as other records name it."""
        return " ".join(filter(None, self.identity()))

    def identity(self) -> tuple[str, ...]:
        """What tells it from the others of its kind, in words; all that it says where its shape names nothing."""
        given = {**self.values, **self.references}
        names = self.shape.identity or tuple(sorted(given))
        return tuple("" if given.get(name) is None else str(given[name]) for name in names)

    def of(self, shape: Shape) -> list["Row"]:
        """The rows of this shape that belong to it."""
        return [part for part in self.parts if part.shape is shape]


class WrongError(Exception):
    """What a field says cannot be; the message is the reason."""


def parse(documents: Iterable[Document]) -> list[Row]:
    """Turn the files' entries into rows, each checked by itself.

    Raises RefusedError with every unknown kind or field, missing or malformed value and duplicate key.
    """
    faults: list[Fault] = []
    rows = [row for document in documents for row in _parse_document(document, faults)]
    faults.extend(_duplicates(rows))
    if faults:
        raise RefusedError(faults)
    return rows


def read_record(
    shape: Shape,
    entry: dict[str, Value],
    place: Place,
    faults: list[Fault],
    base: Row | None = None,
    emptied: Collection[str] = (),
) -> Row:
    """Turn one entry without parts into a row; what is wrong with it is put among the faults.

    base: the record as it is; what the entry leaves out stays so, but for the fields that are `emptied`.
    """
    return _Reader(shape, place, faults, base, emptied).read(entry)


def refuse_duplicates(rows: Iterable[Row], faults: list[Fault]) -> None:
    """Put among the faults each natural key that stands there twice."""
    faults.extend(_duplicates(rows))


def _parse_document(document: Document, faults: list[Fault]) -> Iterator[Row]:
    kinds = {shape.kind: shape for shape in SHAPES}
    for kind, entries in document.entry.items():
        top = Place(document.file, document.entry.line)
        if kind not in kinds:
            reason = f"there is no kind “{kind}”.{nearest(kind, kinds)}"
            faults.append(Fault(top, reason))
        elif not isinstance(entries, list) or not entries:
            faults.append(Fault(top, f"{kind}: must be a list of records"))
        else:
            for entry in entries:
                yield _Reader(kinds[kind], top, faults).read(entry)


class _Reader:
    """Reads one entry: takes fields off it until none is left."""

    def __init__(
        self,
        shape: Shape,
        above: Place,
        faults: list[Fault],
        base: Row | None = None,
        emptied: Collection[str] = (),
    ) -> None:
        self.base = base
        self.emptied = emptied
        self.shape = shape
        self.above = above
        self.faults = faults
        self.row = Row(shape, above)
        self.left: dict[str, Value] = {}

    def read(self, entry: Value, position: int = 0) -> Row:
        """Return the row that the entry describes; what is wrong with it stands among the faults."""
        if isinstance(entry, str) and self.shape.short:
            entry = {self.shape.short: entry}
        if not isinstance(entry, dict):
            self._fault(f"{self.shape.kind}: “{entry}” is no record")
            return self.row
        self.row = Row(self.shape, self._place(entry, position))
        self.left = dict(entry)
        self._take_fields(position)
        self._take_lists()
        self._take_parts()
        self._refuse_the_rest()
        self._check_citation()
        return self.row

    def _place(self, entry: dict[str, Value], position: int) -> Place:
        """Name the row by its natural key, or by what it belongs to, its kind and its place in the list."""
        line = getattr(entry, "line", self.above.line)
        if self.shape.owner:
            name = f"{self.above.record}, {self.shape.kind} {position}"
        else:
            keys = [str(entry.get(name, "")) for name in self.shape.identity]
            name = " ".join([self.shape.kind, *filter(None, keys)])
        return Place(self.above.file, line, name)

    def _take_fields(self, position: int) -> None:
        if self.shape.is_ordered:
            self.row.values["position"] = position
        for name, model_field in self.shape.fields.items():
            try:
                self._take_field(name, model_field)
            except WrongError as wrong:
                self._fault(f"{name}: {wrong}")

    def _take_field(self, name: str, model_field: AnyField) -> None:
        if name not in self.left:
            self._leave_out(name, model_field)
            return
        value = self.left.pop(name)
        if name in self.shape.references:
            self.row.references[name] = _text(value)
        elif isinstance(model_field, DateField):
            self._take_date(name, value)
        else:
            self.row.values[name] = _checked(model_field, _typed(model_field, value))

    def _leave_out(self, name: str, model_field: AnyField) -> None:
        if self.base and name not in self.emptied:
            self._leave_alone(name, self.base)
            return
        if not (model_field.has_default() or model_field.blank or model_field.null):
            raise WrongError("is missing")
        if name not in self.shape.references:
            self.row.values[name] = model_field.get_default()
        if self.shape.has_precision(name):
            self.row.values[f"{name}_precision"] = DatePrecision.DAY

    def _leave_alone(self, name: str, base: Row) -> None:
        if name in base.references:
            self.row.references[name] = base.references[name]
        for told in (name, f"{name}_precision"):
            if told in base.values:
                self.row.values[told] = base.values[told]

    def _take_date(self, name: str, value: Value) -> None:
        day, precision = _date(_text(value))
        if self.shape.has_precision(name):
            self.row.values[f"{name}_precision"] = precision
        elif precision != DatePrecision.DAY:
            raise WrongError(f"“{value}” must be a full date, such as 2025-02-19")
        self.row.values[name] = day

    def _take_lists(self) -> None:
        for name in self.shape.lists:
            try:
                keys = _texts(self.left.pop(name)) if name in self.left else []
            except WrongError as wrong:
                self._fault(f"{name}: {wrong}")
            else:
                self.row.lists[name] = keys

    def _take_parts(self) -> None:
        for shape in self.shape.parts:
            entries = self.left.pop(shape.kind, [])
            if not isinstance(entries, list):
                self._fault(f"{shape.kind}: must be a list")
                continue
            for position, entry in enumerate(entries, start=1):
                reader = _Reader(shape, self.row.place, self.faults)
                self.row.parts.append(reader.read(entry, position))

    def _refuse_the_rest(self) -> None:
        for name in self.left:
            meant = nearest(name, self.shape.words)
            self._fault(f"{name}: there is no such field.{meant or self._known_words()}")

    def _known_words(self) -> str:
        return f" The fields are {', '.join(self.shape.words)}."

    def _check_citation(self) -> None:
        """A citation's fields are fields of what it cites."""
        for name in self.row.values.get("fields") or []:
            known = self._fields_cited()
            if name not in known:
                self._fault(f"fields: there is no “{name}”.{nearest(name, known)}")

    def _fields_cited(self) -> set[str]:
        cited: Any = self.shape.model._meta.get_field(self.shape.owner).related_model
        return {model_field.name for model_field in cited._meta.get_fields()}

    def _fault(self, reason: str) -> None:
        self.faults.append(Fault(self.row.place, reason))


def _duplicates(rows: Iterable[Row]) -> Iterator[Fault]:
    """A natural key stands once in all files; what tells rows of one record apart, once in the record."""
    seen: dict[tuple[Any, ...], Place] = {}
    for row, owner in walk(rows):
        is_public = not owner or row.shape.identity == ("key",)
        scope = () if is_public else (id(owner),)
        mark = (row.shape.kind, row.shape.model, *scope, row.identity())
        if mark in seen:
            yield Fault(row.place, f"“{row.key}” stands already at {seen[mark]}")
        seen.setdefault(mark, row.place)


def walk(rows: Iterable[Row], owner: Row | None = None) -> Iterator[tuple[Row, Row | None]]:
    """Each row with the row that it belongs to, records first, then what belongs to them."""
    for row in rows:
        yield row, owner
        yield from walk(row.parts, row)


def _typed(model_field: AnyField, value: Value) -> Any:
    if is_list_of_text(model_field):
        return _texts(value)
    text = _text(value)
    if isinstance(model_field, BooleanField):
        return _truth(text)
    if isinstance(model_field, DecimalField):
        return _number(text)
    return text


def _checked(model_field: AnyField, value: Any) -> Any:
    """The value, if the field's own rules allow it: length, choices, form."""
    words = [word for word, _ in model_field.flatchoices]
    if words and value not in words:
        raise WrongError(f"“{value}” is none of {', '.join(words)}.{nearest(value, words)}")
    try:
        return model_field.clean(value, None)
    except ValidationError as error:
        raise WrongError(f"“{value}”: {' '.join(error.messages)}") from error


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise WrongError("must be a plain value, no list or mapping")
    if not value.strip():
        raise WrongError("is empty: leave the field out, or fill it")
    if value != value.strip():
        raise WrongError(f"“{value}” begins or ends with a space or a line break")
    if CONTROL.search(value):
        raise WrongError("holds a control character")
    return value


def _texts(value: Value) -> list[str]:
    if not isinstance(value, list):
        raise WrongError("must be a list")
    texts = [_text(item) for item in value]
    twice = {text for text in texts if texts.count(text) > 1}
    if twice:
        raise WrongError(f"names {', '.join(sorted(twice))} more than once")
    return texts


def _date(text: str) -> tuple[date, DatePrecision]:
    """A day 2025-02-19, a month 2025-02 or a year 2025, with how exact it is."""
    match = DATE.fullmatch(text)
    given = [int(number) for number in match.groups() if number] if match else []
    try:
        return date(*([*given, 1, 1][:3])), PRECISIONS[len(given)]
    except (ValueError, TypeError, KeyError):
        raise WrongError(f"“{text}” is no date: write a day 2025-02-19, a month 2025-02 or a year 2025") from None


def _number(text: str) -> Decimal:
    if not NUMBER.fullmatch(text):
        raise WrongError(f"“{text}” is no number: write digits, such as 297000000 or 0.5")
    return Decimal(text)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise WrongError(f"“{text}” must be true or false")
    return text == "true"
