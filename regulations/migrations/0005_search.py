"""Documents of words, kept by triggers with the records they are about, in the same transaction."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.contrib.postgres.operations import CreateExtension, TrigramExtension, UnaccentExtension
from django.db import migrations, models

# Letters and digits of all scripts, by code point, so that no locale has a say. (Signs and pictures are none.)
LETTERS = (
    r"a-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u2c00-\u2dff\u3005-\u3007\u3021-\u302f\u3031-\u30fa\u30fc-\ud7ff"
    r"\uf900-\ufaff\U00010000-\U0001efff\U00020000-\U0003ffff"
)
# Scripts that set no spaces between words, or are looked for by parts of words: Han, kana, hangul.
UNSPACED = (
    r"\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
CAPITALS = "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁЂЃЄЅІЇЈЉЊЋЌЎЏҐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ"

TEXTS = rf"""
-- The words of a text in plain small letters, with single spaces between them.
CREATE FUNCTION regulations_search_words(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(regexp_replace(
        translate(lower(unaccent(
            normalize(regexp_replace(normalize($1, NFKD), '[\u0300-\u036f]', '', 'g'), NFKC)
        ) COLLATE "C"), '{CAPITALS}', '{CAPITALS.lower()}'),
        '[''’]s(?![{LETTERS}])', 's', 'g'), '[^{LETTERS}]+', ' ', 'g'))
$$;

-- The same, with unspaced scripts apart from the rest.
CREATE FUNCTION regulations_search_tokens(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(regulations_search_words($1), ' *([{UNSPACED}]+) *', ' \1 ', 'g'))
$$;

-- The tokens of a text, with each run of an unspaced script as its pairs of characters and the last one alone, so that
-- any part of it is found as a phrase of pairs.
CREATE FUNCTION regulations_search_grams(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN $1 !~ '[{UNSPACED}]' THEN regulations_search_words($1) ELSE (
        SELECT string_agg(
            CASE WHEN token ~ '[{UNSPACED}]'
            THEN (SELECT string_agg(substr(token, n, 2), ' ' ORDER BY n) FROM generate_series(1, length(token)) AS n)
            ELSE token END, ' ' ORDER BY place)
        FROM string_to_table(regulations_search_tokens($1), ' ') WITH ORDINALITY AS tokens (token, place)
    ) END
$$;

CREATE FUNCTION regulations_search_stem(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce((ts_lexize('pg_catalog.english_stem', $1))[1], $1)
$$;

-- Names in plain small letters, as they are written, and those that one may write in one word without their spaces.
CREATE FUNCTION regulations_search_folded(names jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ARRAY(
        SELECT DISTINCT form COLLATE "C" FROM jsonb_array_elements(names) AS called,
        LATERAL (SELECT regulations_search_words(called ->> 'name')) AS folded (name),
        unnest(ARRAY[name, replace(name, ' ', '')]) AS form
        WHERE form <> '' AND (form = name OR called ->> 'kind' <> 'key' AND length(form) <= 40) ORDER BY 1
    )
$$;

-- Made without a parser of texts: what those take for a word differs with the locale. A vector has room for a megabyte.
CREATE FUNCTION regulations_search_vector(folded text[], related text, summary text, contents text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(string_agg(format('%s:%s%s', word, least(place, 16383), weight), ' '), '')::tsvector FROM (
        SELECT word, weight, row_number() OVER (ORDER BY weight, place) AS place FROM (VALUES
            ('A', array_to_string(folded, ' ')), ('B', related), ('C', summary), ('D', contents)
        ) AS parts (weight, part),
        string_to_table(regulations_search_grams(left(part, 100000)), ' ') WITH ORDINALITY AS words (word, place)
        WHERE word <> '' AND octet_length(word) <= 200
    ) AS weighed
$$;

CREATE FUNCTION regulations_relevance(
    collection text, folded text[], vector tsvector, asked text[], query tsquery, in_names tsquery
) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (1000000 * (
        -- Who is called so comes before all others.
        CASE WHEN folded && asked THEN 2 ELSE 0 END
        + CASE WHEN vector @@ in_names THEN
            1 + 0.4 * (SELECT max(similarity(name, said)) FROM unnest(folded) AS name, unnest(asked) AS said) ELSE 0 END
        -- The more of a name is said from its beginning, the likelier it is meant.
        + coalesce((
            SELECT 0.1 + 0.4 * max(length(said)::float / length(name)) FROM unnest(folded) AS name, unnest(asked) AS said
            WHERE starts_with(name, said)), 0)
        -- How near each other the words are, and how much they weigh; from 0 to 1.
        + 0.2 * ts_rank_cd('{{0.02, 0.1, 0.4, 1.0}}', vector, query, 32)
        -- What one usually looks for.
        + 0.5 * CASE collection
            WHEN 'jurisdictions' THEN 1.0 WHEN 'regulators' THEN 0.95 WHEN 'policies' THEN 0.9 WHEN 'companies' THEN 0.85
            WHEN 'topics' THEN 0.8 WHEN 'people' THEN 0.7 WHEN 'organisations' THEN 0.6 WHEN 'events' THEN 0.6
            WHEN 'enforcement-actions' THEN 0.5 WHEN 'measures' THEN 0.5 WHEN 'authorisations' THEN 0.4
            WHEN 'stances' THEN 0.3 WHEN 'sources' THEN 0.2 WHEN 'figures' THEN 0.2 ELSE 0.1 END
    ))::integer
$$;
"""

REFRESH = """
-- Bring these documents in line with the records. Documents that say the same as before keep their change.
CREATE FUNCTION regulations_refresh_search(of_collection text, ids bigint[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $body$
BEGIN
    IF cardinality(ids) = 0 THEN RETURN; END IF;
    -- Whoever is about to change the same documents goes first, and is then seen.
    PERFORM FROM regulations_searchdocument AS kept
    WHERE kept.collection = of_collection AND kept.record_id = ANY (ids) ORDER BY kept.record_id FOR UPDATE;
    EXECUTE format($sql$
        WITH said AS MATERIALIZED (
            SELECT said.* FROM %1$I AS said
            LEFT JOIN regulations_searchdocument AS kept ON kept.collection = $1 AND kept.record_id = said.record_id
            WHERE said.record_id = ANY ($2)
              AND (said.key, said.title, said.names, said.related, said.summary, said.contents) IS DISTINCT FROM
                  (kept.key, kept.title, kept.names, kept.related, kept.summary, kept.contents)
        ), folded AS MATERIALIZED (
            SELECT said.*, regulations_search_folded(names) AS folded FROM said
        ), made AS (
            INSERT INTO regulations_searchdocument (
                collection, record_id, key, title, names, related, summary, contents, folded, vector, change_id)
            SELECT collection, record_id, key, title, names, related, summary, contents, folded,
                   regulations_search_vector(folded, related, summary, contents),
                   CASE WHEN $3 THEN (SELECT regulations_this_change()) END
            FROM folded ORDER BY record_id
            ON CONFLICT (collection, record_id) DO UPDATE SET
                key = excluded.key, title = excluded.title, names = excluded.names, related = excluded.related,
                summary = excluded.summary, contents = excluded.contents, folded = excluded.folded,
                vector = excluded.vector, change_id = excluded.change_id
            RETURNING vector
        )
        INSERT INTO regulations_searchword (word, stem)
        SELECT word, regulations_search_stem(word) FROM (
            SELECT DISTINCT word COLLATE "C" AS word FROM made, unnest(tsvector_to_array(vector)) AS word
            WHERE word ~ '^[a-z0-9]*[a-z][a-z0-9]*$' AND length(word) BETWEEN 2 AND 40
        ) AS written
        WHERE NOT EXISTS (SELECT FROM regulations_searchword AS kept WHERE kept.word = written.word)
    $sql$, 'regulations_search_' || of_collection)
    USING of_collection, ids, coalesce(current_setting('kbase.rebuilding', true), '') = '';
    EXECUTE format($sql$
        DELETE FROM regulations_searchdocument AS kept WHERE kept.collection = $1 AND kept.record_id = ANY ($2)
        AND NOT EXISTS (SELECT FROM %1$I AS said WHERE said.record_id = kept.record_id)
    $sql$, 'regulations_search_' || of_collection) USING of_collection, ids;
END
$body$;

-- Bring documents in line at once, or, where one transaction writes many rows, all of them together at its end.
CREATE FUNCTION regulations_touch_search(of_collection text, ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('kbase.search_later', true), '') = '' THEN
        PERFORM regulations_refresh_search(of_collection, ids);
    ELSE
        INSERT INTO regulations_searchdue (collection, record_id)
        SELECT of_collection, touched FROM unnest(ids) AS touched WHERE touched IS NOT NULL ON CONFLICT DO NOTHING;
    END IF;
END
$$;

CREATE FUNCTION regulations_refresh_due_search() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    due record;
BEGIN
    FOR due IN
        WITH taken AS (DELETE FROM regulations_searchdue RETURNING collection, record_id)
        SELECT collection, array_agg(record_id) AS ids FROM taken GROUP BY collection
    LOOP
        PERFORM regulations_refresh_search(due.collection, due.ids);
    END LOOP;
END
$$;

-- What is due, and that it is made good before the transaction ends, whoever forgets it.
CREATE TABLE regulations_searchdue (
    collection text COLLATE "C" NOT NULL, record_id bigint NOT NULL, PRIMARY KEY (collection, record_id)
);
CREATE FUNCTION regulations_pay_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM regulations_searchdue) THEN PERFORM regulations_refresh_due_search(); END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER search_due AFTER INSERT ON regulations_searchdue
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regulations_pay_search();

-- Make all documents as they should be. Of those that were not, nobody knows since when they say what they say.
CREATE FUNCTION regulations_rebuild_search() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    said name;
    ids bigint[];
BEGIN
    PERFORM set_config('kbase.rebuilding', 'yes', true);
    FOR said IN
        SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'v'
        AND starts_with(relname, 'regulations_search_')
    LOOP
        EXECUTE format('SELECT ARRAY(SELECT record_id FROM %I UNION
            SELECT record_id FROM regulations_searchdocument WHERE collection = $1)', said)
        INTO ids USING replace(said, 'regulations_search_', '');
        PERFORM regulations_refresh_search(replace(said, 'regulations_search_', ''), ids);
    END LOOP;
    PERFORM set_config('kbase.rebuilding', '', true);
END
$$;
"""

AS_KNOWN = """
ALTER FUNCTION regulations_make_as_known() RENAME TO regulations_make_tables_as_known;

-- The documents as of the moment: those that were not made anew since, and of the other records new ones.
CREATE FUNCTION regulations_make_search_as_known() RETURNS void LANGUAGE plpgsql AS $make$
DECLARE
    ours text := current_schema();
    usual text := current_setting('search_path');
    said record;
    made text := '';
BEGIN
    FOR said IN
        SELECT relname, pg_get_viewdef(oid) AS query FROM pg_class
        WHERE relnamespace = ours::regnamespace AND relkind = 'v' AND starts_with(relname, 'regulations_search_')
    LOOP
        PERFORM set_config('search_path', 'as_known, ' || usual, true);
        EXECUTE format('CREATE VIEW as_known.%I AS %s', said.relname, said.query);
        PERFORM set_config('search_path', usual, true);
        made := made || format($sql$
            UNION ALL
            SELECT NULL::bigint, said.*, folded,
                   regulations_search_vector(folded, related, summary, contents), NULL::bigint
            FROM as_known.%2$I AS said CROSS JOIN LATERAL regulations_search_folded(names) AS folded
            WHERE NOT EXISTS (
                SELECT FROM %1$I.regulations_searchdocument AS kept
                JOIN %1$I.regulations_change AS change ON change.id = kept.change_id
                WHERE kept.collection = %3$L AND kept.record_id = said.record_id AND change.moment <= as_known.moment())
        $sql$, ours, said.relname, replace(said.relname, 'regulations_search_', ''));
    END LOOP;
    EXECUTE format($sql$
        CREATE VIEW as_known.regulations_searchdocument AS
        SELECT kept.id, collection, record_id, key, title, names, related, summary, contents, folded, vector, change_id
        FROM %1$I.regulations_searchdocument AS kept JOIN %1$I.regulations_change AS change ON change.id = kept.change_id
        WHERE change.moment <= as_known.moment()
    $sql$, ours) || made;
END
$make$;

CREATE FUNCTION regulations_make_as_known() RETURNS void LANGUAGE sql AS $$
    SELECT regulations_make_tables_as_known();
    SELECT regulations_make_search_as_known();
$$;
"""

NOT_AS_KNOWN = """
DROP FUNCTION regulations_make_as_known();
DROP FUNCTION regulations_make_search_as_known();
ALTER FUNCTION regulations_make_tables_as_known() RENAME TO regulations_make_as_known;
SELECT regulations_make_as_known()
"""

FUNCTIONS = {
    "refresh_search": "text, bigint[]",
    "rebuild_search": "",
    "touch_search": "text, bigint[]",
    "refresh_due_search": "",
    "relevance": "text, text[], tsvector, text[], tsquery, tsquery",
    "search_vector": "text[], text, text, text",
    "search_folded": "jsonb",
    "search_stem": "text",
    "search_grams": "text",
    "search_tokens": "text",
    "search_words": "text",
}
FORGET = "DROP TABLE regulations_searchdue; DROP FUNCTION regulations_pay_search();" + "".join(
    f"DROP FUNCTION regulations_{name}({taken});" for name, taken in FUNCTIONS.items()
)


class Migration(migrations.Migration):
    dependencies = [("regulations", "0004_changes")]

    operations = [
        UnaccentExtension(),
        TrigramExtension(),
        CreateExtension("fuzzystrmatch"),
        migrations.CreateModel(
            name="SearchDocument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "collection",
                    models.CharField(db_collation="C", help_text="The record's collection in the API.", max_length=32),
                ),
                ("record_id", models.BigIntegerField(help_text="The record's id in its own table.")),
                ("key", models.CharField(db_collation="C", help_text="The record's natural key.", max_length=120)),
                ("title", models.TextField(help_text="What the record is called, or what it says in short.")),
                (
                    "names",
                    models.JSONField(help_text="What it is called, each name with its kind: name, alias, former ..."),
                ),
                ("related", models.TextField(help_text="The names of the records that it belongs to.")),
                ("summary", models.TextField(help_text="Its summary.")),
                ("contents", models.TextField(help_text="What else it says.")),
                (
                    "folded",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        help_text="The names in plain small letters, with and without spaces.",
                        size=None,
                    ),
                ),
                (
                    "vector",
                    django.contrib.postgres.search.SearchVectorField(
                        help_text="Names weigh A, related names B, the summary C, contents D."
                    ),
                ),
                (
                    "change_id",
                    models.BigIntegerField(
                        help_text="The change that made it so; empty if that was before documents were kept.", null=True
                    ),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["vector"], name="searchdocument_words"
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["folded"], name="searchdocument_names"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("collection", "record_id"), name="searchdocument_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.TextField(db_collation="C", help_text="The word, in plain small letters.")),
                ("stem", models.TextField(db_collation="C", help_text="What its other forms share.")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["word"], name="searchword_word"),
                    models.Index(fields=["stem"], name="searchword_stem"),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(models.F("word"), name="gin_trgm_ops"),
                        name="searchword_alike",
                    ),
                ],
            },
        ),
        migrations.RunSQL(TEXTS, FORGET),
        migrations.RunSQL(REFRESH, migrations.RunSQL.noop),
        migrations.RunSQL(AS_KNOWN, migrations.RunSQL.noop),
        migrations.RunSQL(
            "DROP SCHEMA as_known CASCADE; SELECT regulations_make_as_known()",
            "DROP SCHEMA as_known CASCADE;" + NOT_AS_KNOWN,
        ),
    ]
