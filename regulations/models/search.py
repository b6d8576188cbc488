"""What is searched: a document of words for each record, kept by the database (triggers search_*, migration 0005)."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import connection, models, transaction
from django.db.models import F


class SearchDocument(models.Model):
    """The words by which a record is found. A copy of what other tables say, never a fact of its own.

    As of a past moment, a view of the same name makes the documents from what the tables said then.
    """

    collection = models.CharField(max_length=32, db_collation="C", help_text="The record's collection in the API.")
    record_id = models.BigIntegerField(help_text="The record's id in its own table.")
    key = models.CharField(max_length=120, db_collation="C", help_text="The record's natural key.")
    title = models.TextField(help_text="What the record is called, or what it says in short.")
    names = models.JSONField(help_text="What it is called, each name with its kind: name, alias, former ...")
    related = models.TextField(help_text="The names of the records that it belongs to.")
    summary = models.TextField(help_text="Its summary.")
    contents = models.TextField(help_text="What else it says.")
    folded = ArrayField(models.TextField(), help_text="The names in plain small letters, with and without spaces.")
    vector = SearchVectorField(help_text="Names weigh A, related names B, the summary C, contents D.")
    change_id = models.BigIntegerField(
        null=True, help_text="The change that made it so; empty if that was before documents were kept."
    )

    segment = models.SmallIntegerField(
        help_text="Which part of the documents it is in; a search reads one after the other."
    )

    class Meta:
        # The table is divided by segment, and its indexes of words are made by regulations_index_search().
        constraints = [
            models.UniqueConstraint(name="searchdocument_once", fields=["collection", "record_id", "segment"])
        ]

    def __str__(self) -> str:
        return self.title


class SearchWord(models.Model):
    """A word that was ever written in a document, for its other forms and for slips. It may stand here twice."""

    word = models.TextField(db_collation="C", help_text="The word, in plain small letters.")
    stem = models.TextField(db_collation="C", help_text="What its other forms share.")

    class Meta:
        indexes = [
            models.Index(fields=["word"], name="searchword_word"),
            models.Index(fields=["stem"], name="searchword_stem"),
            # What has numbers in it is mostly a reference; nobody is taken to have meant it by a slip.
            GinIndex(
                OpClass(F("word"), name="gin_trgm_ops"),
                name="searchword_alike",
                condition=~models.Q(word__regex="[0-9]{2}"),
            ),
        ]

    def __str__(self) -> str:
        return self.word


@contextmanager
def search_refreshed_at_end() -> Iterator[None]:
    """Let what writes many rows have their documents made once, at its end, and not once for each table.

    Until then searches of the same transaction find what was there before.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('kbase.search_later', 'yes', true)")
        yield
        cursor.execute("SELECT set_config('kbase.search_later', '', true), regulations_refresh_due_search()")
