"""Which record is meant: by a number, a key, an address, or a name that is exactly one of its names. No search."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.db import models
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from rest_framework import serializers

from kbase.reading.expressions import Param
from kbase.reading.fields import Code
from kbase.reading.problems import BadRequest, Fault
from kbase.reading.statements import Statement, compile_statement
from kbase.reading.unions import union
from kbase.reading.values import LONGEST_TEXT, read_text
from kbase.reading.views import AnswerSerializer, Asked, Question, QuestionView, some_words
from regulations.api.entries import KNOWN
from regulations.api.records import (
    BY_COLLECTION,
    BY_MODEL,
    KINDS,
    RecordKind,
    RecordLineSerializer,
    ids_by_place,
    lines,
)
from regulations.models import (
    Company,
    CompanyIdentifier,
    CompanyName,
    Jurisdiction,
    Organisation,
    Policy,
    Regulator,
    Source,
)
from regulations.models.identities import Folded, Numbered, Once, Place, below, formerly, written
from regulations.models.screening import suffixes

# More than these are no answer; how many there are is told.
MOST_CANDIDATES = 50


class Reason(models.TextChoices):
    """Why a record is meant, the strongest first."""

    LEI = "lei", "Legal entity identifier"
    KEY = "key", "Key"
    IDENTIFIER = "identifier", "Number in a register"
    WEBSITE = "website", "Web address"
    NAME = "name", "Name"
    LEGAL_NAME = "legal_name", "Legal name"
    ABBREVIATION = "abbreviation", "Abbreviation"
    REFERENCE = "reference", "Official citation"
    ALIAS = "alias", "Alias"
    TRADING = "trading", "Trading name"
    FORMER = "former", "Former name"
    FORMER_KEY = "former_key", "Former key"
    DOMAIN = "domain", "Domain of its website"


TEXT = models.TextField()
ASKED = Param("asked", TEXT)
NAMES: tuple[tuple[type[models.Model], Reason, str], ...] = (
    *((kind.model, Reason.NAME, "name") for kind in KINDS if any(f.name == "name" for f in kind.model._meta.fields)),
    *((kind.model, Reason.NAME, "title") for kind in KINDS if any(f.name == "title" for f in kind.model._meta.fields)),
    (Jurisdiction, Reason.LEGAL_NAME, "official_name"),
    (Company, Reason.LEGAL_NAME, "legal_name"),
    *((model, Reason.ABBREVIATION, "abbreviation") for model in (Regulator, Organisation, Policy)),
)
WEBSITES = (
    (Company, "website"),
    (Regulator, "website"),
    (Organisation, "website"),
    (Source, "url"),
    (Policy, "official_url"),
)
# A page of theirs is no site of theirs: a publisher's domain does not mean each of its articles.
OWNERS = (Company, Regulator, Organisation)


@dataclass(frozen=True)
class Way:
    """A way to come to a record: for which reason, of which kind, and the ids of the records."""

    reason: Reason
    kind: RecordKind
    ids: QuerySet


def ways() -> Iterator[Way]:
    """All ways, each with the text that is asked for left open."""
    yield Way(Reason.LEI, BY_MODEL[Company], Company.objects.filter(lei=Param("asked_lei", TEXT)).values("pk"))
    for kind in KINDS:
        rows = kind.model._base_manager
        yield Way(Reason.KEY, kind, rows.filter(written(F(kind.key), ASKED)).values("pk"))
        had = formerly(kind.model, ASKED, KNOWN).order_by().values("row_id")
        yield Way(Reason.FORMER_KEY, kind, rows.filter(pk__in=had).exclude(written(F(kind.key), ASKED)).values("pk"))
    numbers = CompanyIdentifier.objects.filter(_same(Numbered, "value"))
    yield Way(Reason.IDENTIFIER, BY_MODEL[Company], numbers.values("company_id"))
    yield Way(Reason.REFERENCE, BY_MODEL[Policy], Policy.objects.filter(_same(Numbered, "reference")).values("pk"))
    for model, reason, name in NAMES:
        yield Way(reason, BY_MODEL[model], model._base_manager.filter(_same(Folded, name)).values("pk"))
    for word in CompanyName.Kind:
        named = CompanyName.objects.filter(_same(Folded, "name"), kind=word.value)
        yield Way(Reason(word.value), BY_MODEL[Company], named.values("company_id"))
    yield from _addresses()


def _addresses() -> Iterator[Way]:
    asked = Param("asked_place", TEXT)
    for model, field in WEBSITES:
        # Said of the question first, or all that have no address would be looked at where it is none.
        is_there = ~Q(Exact(asked, Value(""))) & Q(Exact(Lower(Place(F(field))), asked))
        yield Way(Reason.WEBSITE, BY_MODEL[model], model._base_manager.filter(is_there).values("pk"))
    for model in OWNERS:
        is_of_domain = below("website", Param("asked_domain", TEXT))
        yield Way(Reason.DOMAIN, BY_MODEL[model], model._base_manager.filter(is_of_domain).values("pk"))


def _same(fold: type[models.Func], field: str) -> Q:
    """The rows whose field, folded, is what is asked for, folded, and is not empty then."""
    asked = Once(fold(ASKED))
    return Q(Exact(fold(F(field)), asked)) & ~Q(Exact(asked, Value("")))


@lru_cache(100)
def _statement(collections: tuple[str, ...]) -> Statement:
    """The records that are meant: place of the kind, id, rank of the strongest reason, and how many there are."""
    ranks = list(Reason)
    parts = [
        compile_statement(
            way.ids.order_by().annotate(rank=Value(ranks.index(way.reason)), place=Value(KINDS.index(way.kind)))
        )
        for way in ways()
        if way.kind.collection in collections
    ]
    every = union(parts)
    sql = (
        f"SELECT place, row_id, min(rank), count(*) OVER () FROM ({every.sql}) AS every (row_id, rank, place)"  # noqa: S608 (compiled by the ORM)
        f" GROUP BY place, row_id ORDER BY min(rank), place, row_id LIMIT {MOST_CANDIDATES}"
    )
    return Statement(sql, every.params)


def address_of(text: str) -> tuple[str, str]:
    """The web address that the text is, without scheme and www, and the domain that is registered; both empty if none.

    A suffix under which others register, such as gov.uk, is nobody's domain.
    """
    written = text if "://" in text else f"//{text}"
    try:
        parts = urlsplit(written.lower())
        host = (parts.hostname or "").encode("idna").decode() if " " not in text else ""
    except ValueError:
        return "", ""
    if "." not in host.strip("."):
        return "", ""
    place = host.removeprefix("www.") + parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")
    return place, suffixes().privatesuffix(host) or ""


class CandidateSerializer(serializers.Serializer):
    """A record that may be meant."""

    record = RecordLineSerializer(help_text="The record.")
    reason = Code(Reason.choices, help_text="The strongest reason why it may be meant.")


class ResolveSerializer(AnswerSerializer):
    """Which record is meant."""

    match = CandidateSerializer(
        allow_null=True, help_text="The record that is meant, where the strongest reason speaks for one alone."
    )
    count = serializers.IntegerField(help_text="How many records may be meant, exactly.")
    candidates = CandidateSerializer(
        many=True, help_text=f"The records that may be meant, the strongest reason first; {MOST_CANDIDATES} at most."
    )


class ResolveView(QuestionView):
    """The record that a number, key, web address or name stands for, and why; or all candidates, if it is not one alone.

    It compares and does not search: names are the same if case, accents, punctuation, the legal form and look-alike
    letters are all that they differ in."""

    name = "resolve"
    parameters = {
        "q": Asked(
            read_text,
            {"type": "string", "maxLength": LONGEST_TEXT},
            "A LEI, number in a register, key, former key, web address, domain, name, abbreviation, alias or former name.",
            is_required=True,
        ),
        "collection": some_words(tuple(BY_COLLECTION), "The collections of the records that may be meant."),
    }
    answer_class = ResolveSerializer

    def answer(self, question: Question) -> Mapping[str, Any]:
        collections = tuple(sorted(question.values["collection"] or BY_COLLECTION))
        rows = _statement(collections).rows(question.told(**_asked(question.values["q"])))
        candidates = _candidates(rows, question)
        is_alone = len(rows) == 1 or (len(rows) > 1 and rows[0][2] < rows[1][2])
        return {
            "match": candidates[0] if is_alone else None,
            "count": rows[0][3] if rows else 0,
            "candidates": candidates,
        }


def _asked(text: str) -> dict[str, str]:
    """The text in the forms in which it is compared.

    Raises BadRequest for a text of spaces alone.
    """
    if not text.strip():
        raise BadRequest([Fault("q", "empty", "q has only spaces; say which record is meant.")])
    place, domain = address_of(text.strip())
    return {
        "asked": text.strip(),
        "asked_lei": "".join(text.split()).upper(),
        "asked_place": place,
        "asked_domain": domain,
    }


def _candidates(rows: list[tuple[Any, ...]], question: Question) -> list[dict[str, Any]]:
    """The records as they are answered, in the order of the rows."""
    if not rows:
        return []
    ids: dict[int, list[int]] = {}
    for place, row_id, *_ in rows:
        ids.setdefault(place, []).append(row_id)
    told = {
        (place, row_id): (key, title) for place, row_id, key, title in lines(frozenset(ids)).rows(ids_by_place(ids))
    }
    reasons = list(Reason)
    return [
        {
            "record": KINDS[place].answered(*told[place, row_id], question.root),
            "reason": {"code": reasons[rank].value, "label": reasons[rank].label},
        }
        for place, row_id, rank, _ in rows
    ]
