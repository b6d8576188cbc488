"""Documents made many at a time, for a tenth of the time."""

from importlib import import_module
from typing import Any

from django.db import migrations

_search: Any = import_module("regulations.migrations.0005_search")
LETTERS, UNSPACED, CAPITALS = _search.LETTERS, _search.UNSPACED, _search.CAPITALS

# Characters of which the normal form, without the signs on them, is what the extension unaccent writes for them.
USUAL = (
    r"\u0001-\u00b1\u00b4-\u00b8\u00ba-\u00bb\u00bf-\u013e\u0141-\u01e1\u2010-\u2027\u3001-\u3029\u3041-\u3096"
    r"\u30a1-\u30fe\u4e00-\u9fff\uac00-\ud7a3"
)

TEXTS = rf"""
CREATE OR REPLACE FUNCTION regulations_search_words(written text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    -- What parts of a document are joined by is a sign like others, but the only one that most of them have.
    plain text := replace(written, '·', ' ');
BEGIN
    -- Each step costs more than to ask whether it is needed.
    IF octet_length(plain) > length(plain) THEN
        IF plain ~ '[^{USUAL}]' THEN
            plain := normalize(regexp_replace(normalize(plain, NFKD), '[\u0300-\u036f]', '', 'g'), NFKC);
        END IF;
        plain := unaccent(plain);
    END IF;
    plain := lower(plain COLLATE "C");
    IF plain ~ '[\u0370-\u052f]' THEN
        plain := translate(plain, '{CAPITALS}', '{CAPITALS.lower()}');
    END IF;
    IF strpos(plain, '''s') > 0 OR strpos(plain, '’s') > 0 THEN
        plain := regexp_replace(plain, '[''’]s(?![{LETTERS}])', 's', 'g');
    END IF;
    plain := regexp_replace(plain, '[^ {LETTERS}]+', ' ', 'g');
    IF strpos(plain, '  ') > 0 THEN
        plain := regexp_replace(plain, '  +', ' ', 'g');
    END IF;
    RETURN btrim(plain);
END
$$;

CREATE OR REPLACE FUNCTION regulations_search_tokens(written text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    words text := regulations_search_words(written);
BEGIN
    IF octet_length(words) = length(words) THEN
        RETURN words;
    END IF;
    RETURN btrim(regexp_replace(words, ' *([{UNSPACED}]+) *', ' \1 ', 'g'));
END
$$;

CREATE OR REPLACE FUNCTION regulations_search_grams(written text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    tokens text := regulations_search_tokens(written);
BEGIN
    IF octet_length(tokens) = length(tokens) THEN
        RETURN tokens;
    END IF;
    RETURN (
        SELECT string_agg(
            CASE WHEN token >= U&'\1100' COLLATE "C" AND token ~ '[{UNSPACED}]'
            THEN (SELECT string_agg(substr(token, n, 2), ' ' ORDER BY n) FROM generate_series(1, length(token)) AS n)
            ELSE token END, ' ' ORDER BY place)
        FROM string_to_table(tokens, ' ') WITH ORDINALITY AS tokens (token, place)
    );
END
$$;

-- A part of a document as a vector of its words.
CREATE OR REPLACE FUNCTION regulations_search_weighed(part text, weight text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    grams text := replace(regulations_search_grams(left(part, 100000)), '  ', ' ');
BEGIN
    IF grams = '' THEN
        RETURN '';
    END IF;
    RETURN coalesce((
        SELECT string_agg(word || ':' || place || weight, ' ')
        FROM string_to_table(grams, ' ') WITH ORDINALITY AS words (word, place) WHERE octet_length(word) <= 200
    ), '')::tsvector;
END
$$;

-- Made without a parser of texts: what those take for a word differs with the locale. A vector has room for a megabyte.
CREATE OR REPLACE FUNCTION regulations_search_vector(folded text[], related text, summary text, contents text)
RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN regulations_search_weighed(array_to_string(folded, ' '), 'A') || regulations_search_weighed(related, 'B')
        || regulations_search_weighed(summary, 'C') || regulations_search_weighed(contents, 'D');
END
$$;
"""
REFRESH = """
-- Bring these documents in line with the records. Documents that say the same as before keep their change.
CREATE OR REPLACE FUNCTION regulations_refresh_search(of_collection text, ids bigint[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $body$
BEGIN
    IF cardinality(ids) = 0 THEN RETURN; END IF;
    -- Whoever is about to change the same documents goes first, and is then seen.
    PERFORM FROM regulations_searchdocument AS kept
    WHERE kept.collection = of_collection AND kept.record_id = ANY (ids) ORDER BY kept.record_id FOR UPDATE;
    -- What the records say is asked once, and compared with these documents alone, however many there are of others.
    EXECUTE format($sql$
        WITH said AS MATERIALIZED (
            SELECT * FROM %1$I WHERE record_id = ANY ($2)
        ), kept AS MATERIALIZED (
            SELECT record_id, key, title, names, related, summary, contents
            FROM regulations_searchdocument WHERE collection = $1 AND record_id = ANY ($2)
        ), gone AS (
            DELETE FROM regulations_searchdocument WHERE collection = $1 AND record_id IN (
                SELECT record_id FROM kept EXCEPT SELECT record_id FROM said)
        ), folded AS MATERIALIZED (
            SELECT said.*, regulations_search_folded(said.names) AS folded
            FROM said LEFT JOIN kept ON kept.record_id = said.record_id
            WHERE (said.key, said.title, said.names, said.related, said.summary, said.contents) IS DISTINCT FROM
                  (kept.key, kept.title, kept.names, kept.related, kept.summary, kept.contents)
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
        ), written AS MATERIALIZED (
            SELECT DISTINCT word COLLATE "C" AS word FROM made, unnest(tsvector_to_array(vector)) AS word
        )
        INSERT INTO regulations_searchword (word, stem)
        SELECT word, regulations_search_stem(word) FROM written
        WHERE word ~ '^[a-z0-9]*[a-z][a-z0-9]*$' AND length(word) BETWEEN 2 AND 40
          AND NOT EXISTS (SELECT FROM regulations_searchword AS kept WHERE kept.word = written.word)
    $sql$, 'regulations_search_' || of_collection)
    USING of_collection, ids, coalesce(current_setting('kbase.rebuilding', true), '') = '';
END
$body$;

-- Whether what is about to be written is the first and much, and if so, that it is written without the indexes of words,
-- which are made faster at the end.
CREATE OR REPLACE FUNCTION regulations_begin_filling_search(count bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF count < 5000 OR EXISTS (SELECT FROM regulations_searchdocument) THEN RETURN false; END IF;
    DROP INDEX searchdocument_words, searchdocument_names;
    RETURN true;
END
$$;
CREATE OR REPLACE FUNCTION regulations_end_filling_search(is_filling boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF is_filling THEN
        CREATE INDEX searchdocument_words ON regulations_searchdocument USING gin (vector) WITH (fastupdate = off);
        CREATE INDEX searchdocument_names ON regulations_searchdocument USING gin (folded) WITH (fastupdate = off);
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION regulations_refresh_due_search() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    is_filling boolean := regulations_begin_filling_search((SELECT count(*) FROM regulations_searchdue));
    due record;
BEGIN
    FOR due IN
        WITH taken AS (DELETE FROM regulations_searchdue RETURNING collection, record_id),
        numbered AS (
            SELECT *, row_number() OVER (PARTITION BY collection ORDER BY record_id) / 10000 AS batch FROM taken)
        SELECT collection, array_agg(record_id) AS ids FROM numbered GROUP BY collection, batch ORDER BY collection, batch
    LOOP
        PERFORM regulations_refresh_search(due.collection, due.ids);
    END LOOP;
    PERFORM regulations_end_filling_search(is_filling);
END
$$;

-- Make all documents as they should be. Of those that were not, nobody knows since when they say what they say.
CREATE OR REPLACE FUNCTION regulations_rebuild_search() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    is_filling boolean := regulations_begin_filling_search((SELECT count(*) FROM regulations_policy));
    said name;
    of_collection text;
    batch_ids bigint[];
BEGIN
    PERFORM set_config('kbase.rebuilding', 'yes', true);
    FOR said IN
        SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'v'
        AND starts_with(relname, 'regulations_search_')
    LOOP
        of_collection := replace(said, 'regulations_search_', '');
        FOR batch_ids IN
            EXECUTE format('SELECT array_agg(record_id) FROM (
                SELECT record_id, row_number() OVER (ORDER BY record_id) / 10000 AS batch FROM (
                    SELECT record_id FROM %I UNION
                    SELECT record_id FROM regulations_searchdocument WHERE collection = $1) AS all_ids) AS numbered
                GROUP BY batch ORDER BY batch', said) USING of_collection
        LOOP
            PERFORM regulations_refresh_search(of_collection, batch_ids);
        END LOOP;
    END LOOP;
    PERFORM set_config('kbase.rebuilding', '', true);
    PERFORM regulations_end_filling_search(is_filling);
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0005_search")]

    # These functions do what those from before did, so there is nothing to take back.
    operations = [
        migrations.RunSQL(TEXTS, migrations.RunSQL.noop),
        migrations.RunSQL(REFRESH, migrations.RunSQL.noop),
    ]
