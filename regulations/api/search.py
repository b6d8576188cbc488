"""Search over all records: by words on each list, ranked over all collections, and as one types."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, Expression, F, Func, OuterRef, Q, Subquery
from django.db.models.lookups import Lookup
from rest_framework import serializers

from kbase.reading import clock
from kbase.reading.expressions import Param
from kbase.reading.problems import BadRequest, Fault, Faults, unknown
from kbase.reading.questions import DEEPEST_ROW, LARGEST_PAGE
from kbase.reading.searching import LONGEST_QUERY, MANY, SOME, WHOLE, Search, Sought, read_query
from kbase.reading.statements import Statement
from kbase.reading.values import read_integer, read_items
from kbase.reading.views import AnswerSerializer, Asked, Question, QuestionView
from regulations.api.highlights import has_all, marked, snippet
from regulations.api.understanding import Understood, understand
from regulations.models import SearchDocument
from regulations.models.search_documents import DOCUMENTS, SEGMENTS


class TextQuery(models.Field):
    """A query in PostgreSQL's language of full text."""

    def db_type(self, connection: object) -> str:
        return "tsquery"


QUERY = Param("q_query", TextQuery())
IN_NAMES = Param("q_in_names", TextQuery())
ASKED = Param("q_asked", ArrayField(models.TextField()))
IDS = Param("q_ids", ArrayField(models.BigIntegerField()))
RANKED = Param("q_ranked", ArrayField(models.BigIntegerField()))
RELEVANCES = Param("q_relevances", ArrayField(models.IntegerField()))


class Has(Lookup):
    """`vector @@ query`, for a query that is a Param."""

    prepare_rhs = False
    lookup_name = "has"
    output_field = models.BooleanField()

    def as_sql(self, compiler, connection):
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} @@ {right}", [*left_params, *right_params]


class Distance(Func):
    """How far the most relevant rows are; 0 for those that are not among them."""

    output_field = models.IntegerField()

    def __init__(self) -> None:
        super().__init__(F("pk"), RANKED, RELEVANCES)

    def as_sql(self, compiler, connection):
        (key, key_params), (ids, ids_params), (relevances, relevances_params) = map(
            compiler.compile, self.source_expressions
        )
        sql = f"CASE WHEN {key} = ANY ({ids}) THEN -({relevances})[array_position({ids}, {key})] ELSE 0 END"
        return sql, [*key_params, *ids_params, *relevances_params, *ids_params, *key_params]


class DocumentSearch(Search):
    """Finds the records of a collection by their documents."""

    def understand(self, text: str) -> Sought:
        understood = understand(text)
        values = understood.values()
        counted = COUNT.rows({**values, "collections": [self.collection], "most": COUNTED})
        are_many = any(count > COUNTED for _, count, _ in counted)
        ranked = RANK.rows({**values, "collections": [self.collection], "most": COUNTED, "are_many": are_many})
        found = [row[0] for row in ranked]
        values |= {"q_ids": found, "q_ranked": found, "q_relevances": [row[1] for row in ranked]}
        if not are_many:
            return Sought(values, understood.meant, WHOLE)
        if clock.current():
            # Documents of the past are made as they are read: no row is looked at alone.
            return Sought(values, understood.meant, SOME)
        ids = self._gathered(values, counted[0][2])
        return Sought({**values, "q_ids": ids}, understood.meant, WHOLE if ids else MANY)

    def _gathered(self, values: Mapping[str, Any], reached: int) -> list[int]:
        """The ids of all that match; none if these are too many. reached: the segment by which enough had matched."""
        first, last = self._segments()
        if reached < min(first + TELLING, last):
            return []
        ids = [row[0] for row in GATHER.rows({**values, "collections": [self.collection], "most": GATHERED + 1})]
        return ids if len(ids) <= GATHERED else []

    def _segments(self) -> tuple[int, int]:
        return next((first, last) for collection, first, last in SEGMENTS if collection == self.collection)

    def is_found(self, shape: str, record: str = "pk") -> Q | Expression:
        if shape == WHOLE:
            return Q(**{f"{record}__any_of": IDS})
        documents = SearchDocument.objects.filter(
            collection=self.collection, segment__range=self._segments(), record_id=OuterRef(record)
        )
        if shape == MANY:
            # As a value, and no EXISTS, which would be turned into a join that reads all documents before the first row.
            return Subquery(documents.values(has=Has(F("vector"), QUERY)), output_field=models.BooleanField())
        return Exists(documents.filter(Has(F("vector"), QUERY)))

    def is_ranked(self, record: str = "pk") -> Q:
        return Q(**{f"{record}__any_of": RANKED})

    def distance(self) -> Distance:
        return Distance()


# Words that say what sort of name was found, where it is not what the record is called.
NAMED = {
    "abbreviation": "abbreviated",
    "alias": "also known as",
    "former": "formerly",
    "trading": "trading as",
    "legal": "legal name",
    "official": "officially",
    "reference": "reference",
    "lei": "LEI",
}
COLLECTIONS = [document.collection for document in DOCUMENTS]
FOUND_PAGE = 20
SUGGESTED, MOST_SUGGESTED = 10, 25

WITHIN_THESE = Param("collections", ArrayField(models.TextField()))
ARE_MANY = Param("are_many", models.BooleanField())
ROW = models.BigIntegerField()

# Up to so many matches, all are counted and ranked; of more, those that are likelier meant.
COUNTED = 500
# Up to so many matches in a list, their ids are gathered. Where enough are found before the fourth segment of five, which is
# a sixteenth of all, there are very likely more.
GATHERED = 10_000
TELLING = 3

MOST = Param("most", models.IntegerField())

COUNT = Statement(
    "SELECT collection, count(*), max(segment) FROM regulations_search_walk("
    "%s::tsquery, false, %s::text[], %s::integer + 1, NULL, NULL, NULL) GROUP BY collection ORDER BY count(*) DESC, collection",
    (QUERY, WITHIN_THESE, MOST),
)
FIND = Statement(
    "WITH found AS MATERIALIZED ("
    " SELECT * FROM regulations_search_found(%s::tsquery, %s::tsquery, %s::text[], %s::text[], %s::integer, %s::boolean,"
    " %s::boolean)"
    "), page AS (SELECT *, count(*) OVER () AS ranked FROM found"
    " ORDER BY relevance DESC, collection, key LIMIT %s OFFSET %s)"
    " SELECT ranked, is_all, page.collection, page.key, title, names::json, summary, contents"
    # The limit keeps the planner from reading all documents at once.
    " FROM page CROSS JOIN LATERAL (SELECT * FROM regulations_searchdocument AS document"
    " WHERE (document.segment, document.collection, document.record_id) ="
    " (page.segment, page.collection, page.record_id) LIMIT 1) AS document"
    " ORDER BY relevance DESC, page.collection, page.key",
    (
        QUERY,
        IN_NAMES,
        ASKED,
        WITHIN_THESE,
        MOST,
        Param("is_typing", models.BooleanField()),
        ARE_MANY,
        Param("size", ROW),
        Param("offset", ROW),
    ),
)


RANK = Statement(
    "SELECT record_id, relevance FROM regulations_search_found("
    "%s::tsquery, %s::tsquery, %s::text[], %s::text[], %s::integer, false, %s::boolean)",
    (QUERY, IN_NAMES, ASKED, WITHIN_THESE, MOST, ARE_MANY),
)
GATHER = Statement(
    "SELECT record_id FROM regulations_search_walk(%s::tsquery, false, %s::text[], %s::integer, NULL, NULL, NULL)",
    (QUERY, WITHIN_THESE, MOST),
)


def counts(values: Mapping[str, Any]) -> dict[str, int | None]:
    """How many records of each collection match, most first; None where there are too many in all to count them.

    Those that are not counted come last, in the order in which documents are looked through.
    """
    found = COUNT.rows({**values, "collections": COLLECTIONS, "most": COUNTED})
    if sum(number for _, number, _ in found) <= COUNTED:
        return {collection: number for collection, number, _ in found}
    reached = max(segment for _, _, segment in found)
    uncounted = {collection: None for collection, _, last in SEGMENTS if last >= reached}
    return {collection: number for collection, number, _ in found if collection not in uncounted} | uncounted


def read_collections(parameter: str, text: str) -> list[str]:
    """Names of collections, separated by commas."""
    names = read_items(parameter, text)
    Faults(unknown(parameter, "collection", name, COLLECTIONS) for name in names if name not in COLLECTIONS).refuse()
    return names


def whole(lowest: int, highest: int, default: int, help_text: str) -> Asked:
    """A whole number within these bounds."""
    read = partial(_read_whole, lowest=lowest, highest=highest)
    schema = {"type": "integer", "minimum": lowest, "maximum": highest, "default": default}
    return Asked(read, schema, help_text, default=default)


def _read_whole(parameter: str, text: str, *, lowest: int, highest: int) -> int:
    return read_integer(parameter, text, lowest, highest)


TEXT = Asked(
    read_query,
    {"type": "string", "minLength": 1, "maxLength": LONGEST_QUERY},
    "The words to look for: names, abbreviations, former names, what the records say.",
    is_required=True,
)
WITHIN = Asked(
    read_collections,
    {"type": "string", "enum": COLLECTIONS},
    "The collections to look in; all if left out.",
    is_list=True,
    default=COLLECTIONS,
)


class MatchedNameSerializer(serializers.Serializer):
    """Another name of the record, by which it was found."""

    name = serializers.CharField(help_text="The name.")
    kind = serializers.ChoiceField(choices=list(NAMED), help_text="What sort of name it is.")
    text = serializers.CharField(
        help_text="Both as people read it, the matches in <mark>: formerly <mark>Huobi</mark>."
    )


class SuggestedSerializer(serializers.Serializer):
    """A record that may be meant."""

    collection = serializers.ChoiceField(choices=COLLECTIONS, help_text="The collection that it is in.")
    key = serializers.CharField(help_text="Its key there.")
    title = serializers.CharField(help_text="What it is called, or what it says in short.")
    url = serializers.URLField(help_text="Its address.")
    matched_name = MatchedNameSerializer(
        allow_null=True, help_text="The name by which it was found, where that is not its title."
    )


class HighlightsSerializer(serializers.Serializer):
    """The texts with matches, in HTML: escaped, the matches in <mark>; null where there is none."""

    title = serializers.CharField(allow_null=True, help_text="The title.")
    summary = serializers.CharField(allow_null=True, help_text="The part of the summary around the first match.")
    contents = serializers.CharField(
        allow_null=True, help_text="The part of what else it says (a policy's provisions) around the first match."
    )


class FoundSerializer(SuggestedSerializer):
    """A record that was found."""

    highlights = HighlightsSerializer(help_text="Where it matches.")


class CollectionCountSerializer(serializers.Serializer):
    """How many records of a collection were found."""

    collection = serializers.CharField(help_text="The collection.")
    count = serializers.IntegerField(
        allow_null=True,
        help_text="How many, exactly, whether or not `collection` asks for them; null if not counted, for there are"
        f" more than {COUNTED:,} in all. The list of the collection counts them, with the same `q`, unless there are more"
        f" than {GATHERED:,} or so.",
    )


class SearchAnswerSerializer(AnswerSerializer):
    """What was found, the best match first."""

    understood_as = serializers.CharField(
        allow_null=True, help_text="The words that were looked for, where slips were corrected; else null."
    )
    count = serializers.IntegerField(
        allow_null=True,
        help_text=f"How many records were found, exactly; null if not counted, for there are more than {COUNTED:,}. Of"
        " those, the pages show the likeliest.",
    )
    next = serializers.URLField(allow_null=True, help_text="The address of the next page.")
    previous = serializers.URLField(allow_null=True, help_text="The address of the page before.")
    collections = CollectionCountSerializer(
        many=True, help_text="How many in each collection, most first; those not counted last."
    )
    results = FoundSerializer(many=True, help_text="The records of this page.")


class SuggestAnswerSerializer(AnswerSerializer):
    """What may be meant, the likeliest first."""

    understood_as = serializers.CharField(
        allow_null=True, help_text="The words that were looked for, where slips were corrected; else null."
    )
    results = SuggestedSerializer(many=True, help_text="The records.")


class SearchView(QuestionView):
    """Search all collections at once.

    A record is found if each word is in its names, in the names of the records that it belongs to, in its summary or its
    contents. Case, accents and the form of a word do not matter; a word that no record has is corrected.
    """

    name = "search"
    parameters: ClassVar = {
        "q": TEXT,
        "collection": WITHIN,
        "page": whole(1, DEEPEST_ROW, 1, f"The number of the page, up to row {DEEPEST_ROW}."),
        "page_size": whole(1, LARGEST_PAGE, FOUND_PAGE, "How many records a page has."),
    }
    answer_class = SearchAnswerSerializer

    def answer(self, question: Question) -> Mapping[str, Any]:
        number, size = question.values["page"], question.values["page_size"]
        if number * size > DEEPEST_ROW:
            detail = f"page is {number}; pages of {size} end at {DEEPEST_ROW // size}. Say more, or search one list."
            raise BadRequest([Fault("page", "out_of_range", detail)])
        understood = understand(question.values["q"])
        values = {**understood.values(), "collections": question.values["collection"]}
        counted = counts(values)
        are_many = None in counted.values() and len(question.values["collection"]) == len(COLLECTIONS)
        found = _find(values, size, (number - 1) * size, are_many=are_many)
        if number > 1 and not found:
            detail = (
                f"page is {number}; there are fewer pages of {size}. Of very many records only the likeliest are shown."
            )
            raise BadRequest([Fault("page", "out_of_range", detail)])
        ranked, is_all = found[0][:2] if found else (0, True)
        return {
            "understood_as": understood.meant,
            "count": ranked if is_all else None,
            "next": _page(question, number + 1) if number * size < ranked else None,
            "previous": _page(question, number - 1) if number > 1 else None,
            "collections": [{"collection": collection, "count": number} for collection, number in counted.items()],
            "results": [_found(question, understood, *row[2:]) for row in found],
        }


class SuggestView(QuestionView):
    """What may be meant, while it is typed: records whose names, or whose and their owners' names, begin so."""

    name = "suggestions"
    parameters: ClassVar = {
        "q": TEXT,
        "collection": WITHIN,
        "limit": whole(1, MOST_SUGGESTED, SUGGESTED, "How many records at most."),
    }
    answer_class = SuggestAnswerSerializer

    def answer(self, question: Question) -> Mapping[str, Any]:
        understood = understand(question.values["q"], is_typing=True)
        values = {**understood.values(), "collections": question.values["collection"]}
        found = _find(values, question.values["limit"], is_typing=True)
        results = [_suggested(question, understood, *row[2:6]) for row in found]
        return {"understood_as": understood.meant, "results": results}


def _find(
    values: Mapping[str, Any], size: int, offset: int = 0, *, is_typing: bool = False, are_many: bool = False
) -> list[tuple[Any, ...]]:
    """A page of what is found, the likeliest first (see regulations_search_found)."""
    return FIND.rows(
        {**values, "most": COUNTED, "is_typing": is_typing, "are_many": are_many, "size": size, "offset": offset}
    )


def _page(question: Question, number: int) -> str:
    """The address of another page of the same search."""
    sent = {name: ",".join(value) if isinstance(value, list) else value for name, value in question.understood.items()}
    return f"{question.root}search/?{urlencode({**sent, **question.days(), 'page': number})}"


def _suggested(
    question: Question, understood: Understood, collection: str, key: str, title: str, names: bytes
) -> dict[str, Any]:
    return {
        "collection": collection,
        "key": key,
        "title": title,
        "url": f"{question.root}{collection}/{key}/",
        "matched_name": _matched_name(understood, title, orjson.loads(names)),
    }


def _found(
    question: Question,
    understood: Understood,
    collection: str,
    key: str,
    title: str,
    names: bytes,
    summary: str,
    contents: str,
) -> dict[str, Any]:
    words = understood.highlighted()
    highlights = {
        "title": marked(title, words),
        "summary": snippet(summary, words),
        "contents": snippet(contents, words),
    }
    return {**_suggested(question, understood, collection, key, title, names), "highlights": highlights}


def _matched_name(understood: Understood, title: str, names: Iterable[Mapping[str, str]]) -> dict[str, str] | None:
    """The first other name with a word that the title has not."""
    missing = [word for word in understood.highlighted() if not has_all(title, [word])]
    if len(missing) == 0 or any(has_all(title, way) for way in understood.ways()):
        return None
    for named in names:
        if named["kind"] in NAMED and marked(named["name"], missing):
            text = f"{NAMED[named['kind']]} {marked(named['name'], understood.highlighted())}"
            return {"name": named["name"], "kind": named["kind"], "text": text}
    return None
