"""A search of very many ranks fewer, and each sooner; what is only counted is not sorted."""

from importlib import import_module

from django.db import migrations

_segments = import_module("regulations.migrations.0009_search_segments")
_likely = import_module("regulations.migrations.0013_search_likely")


def function(source: str, name: str) -> str:
    """The statement that makes a function, from those of an earlier migration."""
    start = source.index(f"CREATE FUNCTION {name}(")
    return source[start : source.index("$$;", start) + 3].replace("CREATE", "CREATE OR REPLACE", 1)


def changed(statement: str, *changes: tuple[str, str]) -> str:
    """The statement with these changes, each of which is there to make."""
    for before, after in changes:
        assert before in statement, before
        statement = statement.replace(before, after)
    return statement


# Who is called so, or begins so, is found apart; of the others, a sample is ranked anyway.
FOUND = changed(
    function(_likely.FOUND, "regulations_search_found"), ("most * 2 / 5", "most / 5"), ("few / 4", "few / 2")
)
# What is only counted or gathered may be any that match, and need not be sorted.
WALK = changed(
    function(_segments.FINDING, "regulations_search_walk"),
    (
        """            ) AS one;
        ELSE
            RETURN QUERY""",
        """            ) AS one;
        ELSIF asked IS NULL THEN
            RETURN QUERY SELECT document.segment, document.collection::text, document.record_id, document.key::text,
                NULL::integer
            FROM regulations_searchdocument AS document
            WHERE document.segment = place AND document.vector @@ query AND document.collection = ANY (collections)
            LIMIT most - found;
        ELSE
            RETURN QUERY""",
    ),
)
# Names stand there with and without their spaces, and so does what is asked if it has several words: alike are those of a
# sort, and to compare the others, half of all, tells no more.
RELEVANCE = changed(
    function(_segments.RELEVANCE.replace("CREATE OR REPLACE", "CREATE"), "regulations_relevance"),
    (
        "                likeness := greatest(likeness, similarity(name, said));",
        """                IF cardinality(asked) = 1 OR (strpos(name, ' ') > 0) = (strpos(said, ' ') > 0) THEN
                    likeness := greatest(likeness, similarity(name, said));
                END IF;""",
    ),
    ("1 + 0.4 * likeness", "1 + 0.4 * coalesce(likeness, 0)"),
)


class Migration(migrations.Migration):
    dependencies = [("regulations", "0026_country_pages")]

    operations = [migrations.RunSQL(sql, migrations.RunSQL.noop) for sql in (WALK, FOUND, RELEVANCE)]
