"""The projection knows nothing of our records: here it renders random rows of models that exist only in this test."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.test.utils import isolate_apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kbase.reading.fields import OneOf, project
from kbase.reading.selection import Selection
from kbase.reading.serializers import ResourceSerializer, SmallObject, many
from kbase.reading.statements import compile_statement

EXAMPLES = 150
TOLD = {"on": date(2026, 1, 1), "known_at": None, "root": "http://testserver/api/v1/"}


@pytest.fixture
def library(db):
    """Models of a library with all kinds of column and relation, their tables, and serializers for them."""
    with isolate_apps("regulations"):
        made = library_of_this_test()
        with connection.schema_editor() as editor:
            for model in made.models:
                editor.create_model(model)
        yield made


def library_of_this_test():
    class Room(models.Model):
        name = models.CharField(max_length=50, blank=True)
        within = models.ForeignKey("self", models.CASCADE, null=True, related_name="rooms")

        class Meta:
            app_label = "regulations"
            ordering = ["name"]

    class Author(models.Model):
        name = models.TextField(blank=True)
        born_at = models.DateTimeField(null=True)

        class Meta:
            app_label = "regulations"
            ordering = ["name"]

    class Book(models.Model):
        title = models.CharField(max_length=200, blank=True)
        note = models.TextField(null=True)
        kind = models.CharField(max_length=9, blank=True, choices=[("novel", "Novel"), ("it's", 'It\'s "50 %"')])
        pages = models.BigIntegerField(null=True)
        price = models.DecimalField(max_digits=30, decimal_places=8, null=True)
        is_lent = models.BooleanField(null=True)
        printed_on = models.DateField(null=True)
        lent_at = models.DateTimeField(null=True)
        words = ArrayField(models.TextField(), default=list)
        data = models.JSONField(null=True)
        room = models.ForeignKey(Room, models.CASCADE, null=True, related_name="books")
        editor = models.ForeignKey(Author, models.CASCADE, null=True, related_name="edited")
        authors = models.ManyToManyField(Author, related_name="books")

        class Meta:
            app_label = "regulations"
            ordering = ["title"]

    class AuthorSerializer(ResourceSerializer):
        class Meta:
            model = Author
            fields = ["name", "born_at"]

    class RoomRef(SmallObject):
        class Meta:
            model = Room
            fields = ["name"]

    class OuterRoomSerializer(ResourceSerializer):
        within = RoomRef()

        class Meta:
            model = Room
            fields = ["name", "within"]

    class RoomSerializer(ResourceSerializer):
        within = OuterRoomSerializer()
        rooms = many(RoomRef())

        class Meta:
            model = Room
            fields = ["name", "within", "rooms"]

    class BookSerializer(ResourceSerializer):
        room = RoomSerializer()
        authors = many(AuthorSerializer())
        of = OneOf({"editor": AuthorSerializer(), "room": RoomRef()})

        class Meta:
            model = Book
            fields = [
                *("title", "note", "kind", "pages", "price", "is_lent", "printed_on", "lent_at", "words", "data"),
                *("room", "authors", "of"),
            ]

    class Library:
        models = [Room, Author, Book]
        room, author, book = Room, Author, Book
        serializer = BookSerializer

    return Library


# PostgreSQL has neither NUL nor half a surrogate pair in its texts.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones)
whole_seconds = moments.map(lambda moment: moment.replace(microsecond=0))
decimals = st.decimals(Decimal(-(10**21)), Decimal(10**21), places=8, allow_nan=False, allow_infinity=False)
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
authors = st.fixed_dictionaries({"name": texts, "born_at": st.none() | moments | whole_seconds})
# Where a room is within another, the number says in which of those before it.
rooms = st.lists(st.tuples(texts, st.none() | st.integers(0, 3)), max_size=4)
books = st.fixed_dictionaries(
    {
        "title": texts,
        "note": st.none() | texts,
        "kind": st.sampled_from(["", "novel", "it's"]),
        "pages": st.none() | st.integers(-(2**63), 2**63 - 1),
        "price": st.none() | decimals,
        "is_lent": st.none() | st.booleans(),
        "printed_on": st.none() | st.dates(date(1, 1, 1)),
        "lent_at": st.none() | moments | whole_seconds,
        "words": st.lists(texts, max_size=3),
        "data": anything,
    }
)
worlds = st.fixed_dictionaries(
    {
        "rooms": rooms,
        "authors": st.lists(authors, max_size=3),
        "book": books,
        "room": st.none() | st.integers(0, 3),
        "editor": st.none() | st.integers(0, 2),
        "written_by": st.sets(st.integers(0, 2)),
    }
)
PATHS = [
    *("title", "kind.code", "kind", "price", "lent_at", "data", "room", "room.name", "room.within.within.name"),
    *("room.rooms.name", "authors", "authors.born_at", "of.type", "of", "words"),
]
chosen_paths = st.none() | st.sets(st.sampled_from(PATHS), min_size=1, max_size=5)
left_out_paths = st.sets(
    st.sampled_from(["note", "room.rooms", "authors.name", "room.within", "kind.label"]), max_size=3
)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds, fields=chosen_paths, omit=left_out_paths)
def test_database_renders_what_the_serializer_renders(library, world, fields, omit):
    chosen = selection_of(fields, omit)
    with transaction.atomic():
        book = put(library, world)
        rendered = project(library.serializer(selection=chosen))

        [(shown,)] = compile_statement(library.book.objects.filter(pk=book.pk).values_list(rendered)).rows(TOLD)

        fresh = library.book.objects.get(pk=book.pk)
        said = library.serializer(fresh, selection=chosen, context=TOLD).data
        assert as_json(shown) == as_json(json.dumps(said))
        transaction.set_rollback(True)


def selection_of(fields, omit):
    """The selection, without what contradicts itself."""
    asked = None if fields is None else frozenset(tuple(path.split(".")) for path in fields)
    left_out = frozenset(tuple(path.split(".")) for path in omit)
    if asked is not None:
        left_out = frozenset(path for path in left_out if not any(each[: len(path)] == path for each in asked))
    return Selection(asked, left_out)


def put(library, world):
    """The rows of a world; its book."""
    made_rooms = []
    for name, within in world["rooms"]:
        outer = made_rooms[within] if within is not None and within < len(made_rooms) else None
        made_rooms.append(library.room.objects.create(name=name[:50], within=outer))
    made_authors = [library.author.objects.create(**author) for author in world["authors"]]
    book = library.book.objects.create(
        **world["book"],
        room=at(made_rooms, world["room"]),
        editor=at(made_authors, world["editor"]),
    )
    book.authors.set(author for author in (at(made_authors, place) for place in sorted(world["written_by"])) if author)
    return book


def at(rows, place):
    return rows[place] if place is not None and place < len(rows) else None


def as_json(text):
    """What a reader makes of it. The database writes all digits of a decimal, Python those that its float has."""
    return json.loads(text)


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2026, 3, 1, 12, 0, tzinfo=UTC), "2026-03-01T12:00:00Z"),
        (datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC), "2026-03-01T12:00:00.000001Z"),
        (datetime(2026, 3, 1, 1, 0, 0, 250000, tzinfo=timezone(timedelta(hours=2))), "2026-02-28T23:00:00.250000Z"),
        (datetime(33, 1, 1, tzinfo=UTC), "0033-01-01T00:00:00Z"),
    ],
)
def test_moment_is_rendered_in_utc_with_its_microseconds(library, moment, shown):
    library.author.objects.create(name="x", born_at=moment)
    serializer = library.serializer().fields["authors"].child

    [(rendered,)] = compile_statement(library.author.objects.values_list(project(serializer))).rows(TOLD)

    assert as_json(rendered)["born_at"] == shown
