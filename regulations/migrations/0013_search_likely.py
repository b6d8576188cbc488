"""A search of very many asks less often, and slips are looked for among words without numbers."""

import django.contrib.postgres.indexes
from django.db import migrations, models

FOUND = """
-- Documents with a name that begins with what is said, some of those of whose names most is said.
CREATE OR REPLACE FUNCTION regulations_search_begun(asked text[], collections text[], most integer)
RETURNS TABLE (segment smallint, collection text, record_id bigint) LANGUAGE plpgsql STABLE ROWS 100 AS $$
DECLARE
    said text;
BEGIN
    FOREACH said IN ARRAY asked LOOP
        IF coalesce(current_setting('kbase.known_at', true), '') <> '' THEN
            -- As below, from the documents of then.
            RETURN QUERY SELECT likely.segment, likely.collection::text, likely.record_id FROM (
                SELECT document.segment, document.collection, document.record_id, name,
                    0.5 * regulations_search_prior(document.collection) + 0.4 * length(said) / length(name) AS worth
                FROM regulations_searchdocument AS document, unnest(document.folded) AS name
                WHERE starts_with(name, said) AND regulations_search_has_names(document.collection)
                ORDER BY CASE WHEN length(said) > 3 THEN name COLLATE "C" END, worth DESC,
                    document.collection, document.record_id LIMIT most * 10
            ) AS likely WHERE likely.collection = ANY (collections)
            ORDER BY worth DESC, likely.collection, likely.record_id, name COLLATE "C" LIMIT most;
        ELSIF length(said) = 1 THEN
            RETURN QUERY SELECT likely.segment, likely.collection::text, likely.record_id FROM (
                SELECT * FROM regulations_searchname AS named WHERE left(name, 1) = said
                ORDER BY prior + 0.4 / length(name) DESC LIMIT most * 10
            ) AS likely WHERE likely.collection = ANY (collections) LIMIT most;
        ELSIF length(said) = 2 THEN
            RETURN QUERY SELECT likely.segment, likely.collection::text, likely.record_id FROM (
                SELECT * FROM regulations_searchname AS named WHERE left(name, 2) = said
                ORDER BY prior + 0.8 / length(name) DESC LIMIT most * 10
            ) AS likely WHERE likely.collection = ANY (collections) LIMIT most;
        ELSIF length(said) = 3 THEN
            RETURN QUERY SELECT likely.segment, likely.collection::text, likely.record_id FROM (
                SELECT * FROM regulations_searchname AS named WHERE left(name, 3) = said
                ORDER BY prior + 1.2 / length(name) DESC LIMIT most * 10
            ) AS likely WHERE likely.collection = ANY (collections) LIMIT most;
        ELSE
            RETURN QUERY SELECT likely.segment, likely.collection::text, likely.record_id FROM (
                SELECT * FROM regulations_searchname AS named WHERE name >= said AND name < said || chr(1114111)
                ORDER BY named.name, named.collection, named.record_id LIMIT most * 10
            ) AS likely WHERE likely.collection = ANY (collections)
            ORDER BY prior + 0.4 * length(said) / length(name) DESC, likely.collection, likely.record_id, name LIMIT most;
        END IF;
    END LOOP;
END
$$;

DROP FUNCTION regulations_search_found(tsquery, tsquery, text[], text[], integer, boolean);
-- The documents that match with their relevance: all if there are no more than `most`; else those that are likely meant,
-- two hundred or so: those that are called so, or whose names begin so, those with all words in their names and related
-- names, and if these are few, others. is_typing: only among names and related names.
-- are_many: whether it is known that more match.
CREATE FUNCTION regulations_search_found(
    query tsquery, named tsquery, asked text[], collections text[], most integer, is_typing boolean, are_many boolean
) RETURNS TABLE (segment smallint, collection text, record_id bigint, key text, relevance integer, is_all boolean)
LANGUAGE plpgsql STABLE ROWS 100 AS $$
DECLARE
    few integer := most * 2 / 5;
    ranked tsquery := CASE WHEN is_typing THEN named ELSE query END;
BEGIN
    IF NOT is_typing AND NOT are_many
        AND (SELECT count(*) FROM regulations_search_walk(query, false, collections, most + 1, NULL, NULL, NULL)) <= most
    THEN
        RETURN QUERY SELECT *, true FROM regulations_search_walk(query, false, collections, most, asked, query, named);
        RETURN;
    END IF;
    RETURN QUERY
    WITH called AS MATERIALIZED (
        SELECT document.segment, document.collection::text, document.record_id
        FROM regulations_searchdocument AS document
        WHERE document.folded && asked AND document.collection = ANY (collections)
        LIMIT few
    ), by_name AS MATERIALIZED (
        SELECT document.segment, document.collection::text, document.record_id, document.key::text,
            regulations_relevance(document.collection, document.folded, document.vector, asked, ranked, named)
        FROM (SELECT * FROM called UNION SELECT * FROM regulations_search_begun(asked, collections, few / 4)) AS likely
        CROSS JOIN LATERAL (
            -- The limit keeps the planner from reading all documents at once.
            SELECT * FROM regulations_searchdocument AS document
            WHERE document.segment = likely.segment AND document.collection = likely.collection
              AND document.record_id = likely.record_id LIMIT 1
        ) AS document
        WHERE document.vector @@ ranked
    ), in_names AS MATERIALIZED (
        SELECT * FROM regulations_search_walk(query, true, collections, few, asked, ranked, named)
    )
    SELECT *, false FROM (
        SELECT * FROM by_name UNION SELECT * FROM in_names UNION
        SELECT * FROM regulations_search_walk(query, false, collections,
            CASE WHEN is_typing THEN 0 ELSE few - (SELECT count(*) FROM in_names)::integer END, asked, query, named)
    ) AS likely;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("regulations", "0012_walks")]

    operations = [
        migrations.RunSQL(FOUND),
        migrations.RemoveIndex("searchword", "searchword_alike"),
        migrations.AddIndex(
            "searchword",
            django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(models.F("word"), name="gin_trgm_ops"),
                condition=~models.Q(word__regex="[0-9]{2}"),
                name="searchword_alike",
            ),
        ),
    ]
