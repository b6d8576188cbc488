"""Which words make up the document of each kind of record, and the SQL that keeps it so.

A migration that changes what is declared here takes the step `INSTALL` over from the one that has it: documents are
copies, so that only the last installation counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from regulations.models.statement_triggers import KEPT_PLANS, PLANNED_FOR_MANY

# By these columns a record is named in the documents of others.
NAMED_BY = {
    "company": ("name",),
    "jurisdiction": ("name", "code"),
    "organisation": ("name", "abbreviation"),
    "person": ("name",),
    "policy": ("title", "abbreviation"),
    "regulator": ("name", "abbreviation"),
    "source": ("title",),
    "topic": ("name",),
}


@dataclass(frozen=True)
class Link:
    """Records that name a document: by a column of the document's own record, or of a table between.

    table: the other records. column: holds their id. between: the table with the column, if it is not the record's
    own; back: its column with the id of the document's record. is_theme: whether they only say what it is about, which
    weighs as little as its contents.
    """

    table: str
    column: str
    between: str = ""
    back: str = ""
    is_theme: bool = False

    def names(self) -> str:
        """The names, as an expression of SQL."""
        named = f"concat_ws(' ', {', '.join(f'other.{column}' for column in NAMED_BY[self.table])})"
        if not self.between:
            return f"(SELECT {named} FROM regulations_{self.table} AS other WHERE other.id = record.{self.column})"  # noqa: S608
        return (
            f"(SELECT string_agg({named}, ' · ' ORDER BY other.id) FROM regulations_{self.between} AS between"  # noqa: S608
            f" JOIN regulations_{self.table} AS other ON other.id = between.{self.column}"
            f" WHERE between.{self.back} = record.id)"
        )

    def documents(self, table: str, rows: str) -> str:
        """The ids of the records of `table` that are named by some of these rows of the other table."""
        if not self.between:
            return f"SELECT record.id FROM regulations_{table} AS record JOIN {rows} ON rows.id = record.{self.column}"  # noqa: S608
        return (
            f"SELECT between.{self.back} FROM regulations_{self.between} AS between"  # noqa: S608
            f" JOIN {rows} ON rows.id = between.{self.column}"
        )


@dataclass(frozen=True)
class Part:
    """Rows that belong to a record, of which these expressions are its contents; a row is `part`."""

    table: str
    back: str
    texts: tuple[str, ...]

    def contents(self) -> str:
        return (
            f"(SELECT string_agg(concat_ws(' ', {', '.join(self.texts)}), ' · ' ORDER BY part.id)"  # noqa: S608
            f" FROM regulations_{self.table} AS part WHERE part.{self.back} = record.id)"
        )


@dataclass(frozen=True)
class Document:
    """The document of a kind of record. Expressions are SQL; the record is `record`.

    names: expressions with the kinds of name they are. other_names: a table of more, with columns name and kind, and
    its column with the record's id.
    """

    collection: str
    table: str
    title: str
    names: tuple[tuple[str, str], ...]
    key: str = "slug"
    other_names: tuple[str, str] | None = None
    related: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    summary: str = "record.summary"
    contents: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def view(self) -> str:
        return f'"regulations_search_{self.collection}"'

    @property
    def refresher(self) -> str:
        return f'"regulations_refresh_search_{self.collection}"'

    def sources(self) -> Iterator[tuple[str, str]]:
        """The tables each of whose rows belongs to one record, with the column of its id."""
        yield self.table, "id"
        if self.other_names:
            yield self.other_names
        yield from {(link.between, link.back) for link in self.links if link.between}
        yield from {(part.table, part.back) for part in self.parts}

    def select(self) -> str:
        """The documents of all records, without what follows from their words."""
        related = [*self.related, *(link.names() for link in self.links if not link.is_theme)]
        themes = [link.names() for link in self.links if link.is_theme]
        contents = [*themes, *self.contents, *(part.contents() for part in self.parts)]
        return (
            f"SELECT '{self.collection}'::text AS collection, record.id AS record_id, record.{self.key} AS key,"  # noqa: S608
            f" {self.title} AS title, {self._names()} AS names, {_joined(related)} AS related,"
            f" {self.summary} AS summary, {_joined(contents)} AS contents FROM regulations_{self.table} AS record"
        )

    def _names(self) -> str:
        own = ", ".join(f"({text}, '{kind}', {n})" for n, (text, kind) in enumerate(self.names))
        rows = f"SELECT name, kind, place FROM (VALUES {own}) AS own (name, kind, place)"  # noqa: S608
        if self.other_names:
            table, back = self.other_names
            rows += f" UNION ALL SELECT name, kind, 100 + id FROM regulations_{table} WHERE {back} = record.id"  # noqa: S608
        return (
            "(SELECT coalesce(jsonb_agg(jsonb_build_object('name', name, 'kind', kind) ORDER BY place), '[]')"  # noqa: S608
            f" FROM ({rows}) AS called WHERE name <> '')"
        )


def _joined(texts: list[str]) -> str:
    return f"concat_ws(' · ', {', '.join(f'nullif({text}, {_EMPTY})' for text in texts)})" if texts else "''"


_EMPTY = "''"


def _of(table: str, column: str) -> str:
    """A column of the record that the column `<table>_id` refers to."""
    return f"(SELECT {column} FROM regulations_{table} WHERE id = record.{table}_id)"  # noqa: S608


def _word(column: str) -> str:
    return f"replace(record.{column}, '_', ' ')"


KEY, SLUG = ("record.key", "key"), ("record.slug", "key")
NAME, TITLE = ("record.name", "name"), ("record.title", "name")
ABBREVIATION = ("record.abbreviation", "abbreviation")
JURISDICTION = Link("jurisdiction", "jurisdiction_id")


def _topics(table: str, column: str = "topics") -> Link:
    return Link("topic", "topic_id", f"{table}_{column}", f"{table}_id", is_theme=True)


DOCUMENTS = (
    Document(
        "jurisdictions", "jurisdiction", "record.name", key="code",
        names=(NAME, ("record.code", "key"), ("record.official_name", "official")),
        links=(Link("jurisdiction", "parent_id"),),
    ),
    Document("topics", "topic", "record.name", names=(NAME, SLUG), related=(_word("kind"),)),
    Document("regulators", "regulator", "record.name", names=(NAME, ABBREVIATION, SLUG), links=(JURISDICTION,)),
    Document("organisations", "organisation", "record.name", names=(NAME, ABBREVIATION, SLUG), links=(JURISDICTION,)),
    Document(
        "policies", "policy", "record.title",
        names=(TITLE, ABBREVIATION, ("record.reference", "reference"), SLUG),
        related=(_word("kind"),),
        links=(JURISDICTION, Link("regulator", "regulator_id", "policyregulator", "policy_id"), _topics("policy")),
        parts=(Part("provision", "policy_id", ("part.label", "part.title", "part.summary", "translate(part.aims::text, '[]\"', '')")),),
    ),
    Document(
        "milestones", "milestone", f"concat_ws(': ', {_of('policy', 'title')}, {_word('kind')})", key="key",
        names=(KEY,), related=(_word("kind"),), links=(Link("policy", "policy_id"),), summary="record.note",
    ),
    Document(
        "stances", "stance",
        f"concat({_of('jurisdiction', 'name')}, ' on ', {_of('topic', 'name')}, ': ', {_word('stance')})", key="key",
        names=(KEY,), related=(_word("stance"),),
        links=(JURISDICTION, Link("topic", "topic_id"), Link("policy", "policy_id", "stance_policies", "stance_id")),
    ),
    Document(
        "companies", "company", "record.name",
        names=(NAME, ("record.legal_name", "legal"), ("record.lei", "lei"), SLUG),
        other_names=("companyname", "company_id"),
        links=(
            Link("jurisdiction", "headquarters_id"),
            Link("jurisdiction", "incorporated_in_id"),
            _topics("company", "activities"),
        ),
    ),
    Document(
        "authorisations", "authorisation",
        f"concat_ws(' – ', {_of('company', 'name')}, {_word('kind')}, {_of('regulator', 'name')})", key="key",
        names=(KEY, ("record.reference", "reference")), related=(_word("kind"),),
        links=(
            Link("company", "company_id"),
            Link("regulator", "regulator_id"),
            Link("policy", "policy_id"),
            JURISDICTION,
            _topics("authorisation", "activities"),
        ),
    ),
    Document(
        "enforcement-actions", "enforcementaction", "record.title",
        names=(TITLE, SLUG), related=(_word("kind"),),
        parts=(
            # In the collation that a view had before: PostgreSQL replaces none that differs in it.
            Part("enforcementdomain", "action_id", ('part.domain COLLATE "default"', "part.address")),
            Part("enforcementname", "action_id", ("part.name",)),
        ),
        links=(
            Link("regulator", "regulator_id"),
            JURISDICTION,
            Link("company", "company_id", "enforcementaction_companies", "enforcementaction_id"),
            Link("policy", "policy_id", "enforcementaction_policies", "enforcementaction_id"),
        ),
    ),
    Document(
        "measures", "measure", "record.title",
        names=(TITLE, SLUG), links=(Link("company", "company_id"), _topics("measure")),
        contents=("array_to_string(record.data_collected, ' · ')", "record.not_covered"),
        parts=(Part("measureeffect", "measure_id", ("part.who", "part.effect")),),
    ),
    Document(
        "people", "person", "record.name", names=(NAME, SLUG),
        links=(
            Link("regulator", "regulator_id", "appointment", "person_id"),
            Link("organisation", "organisation_id", "appointment", "person_id"),
            Link("company", "company_id", "appointment", "person_id"),
        ),
        parts=(Part("appointment", "person_id", ("part.title",)),),
    ),
    Document(
        "events", "event", "record.name",
        names=(NAME, SLUG), related=(_word("kind"), "record.place"),
        links=(
            JURISDICTION,
            Link("regulator", "regulator_id", "eventorganiser", "event_id"),
            Link("organisation", "organisation_id", "eventorganiser", "event_id"),
            Link("company", "company_id", "eventorganiser", "event_id"),
            Link("person", "person_id", "event_speakers", "event_id"),
        ),
        contents=("array_to_string(record.themes, ' · ')",),
    ),
    Document(
        "sources", "source", "record.title", names=(TITLE, SLUG), related=("record.category",),
        links=(Link("organisation", "publisher_id"), Link("regulator", "publishing_regulator_id")),
    ),
    Document(
        "figures", "figure",
        f"concat(coalesce(nullif(record.about, ''), {_of('jurisdiction', 'name')}, {_of('regulator', 'name')},"
        f" {_of('organisation', 'name')}, {_of('company', 'name')}), ': ', record.metric)",
        key="key", names=(KEY,), related=("record.metric", "record.about", "record.unit"), summary="''",
        links=(
            JURISDICTION,
            Link("regulator", "regulator_id"),
            Link("organisation", "organisation_id"),
            Link("company", "company_id"),
        ),
    ),
)  # fmt: skip

# The parts in which documents are read: of each collection the first and the last. What is likelier meant comes first.
SEGMENTS = tuple(
    (collection, first, last)
    for first, last, collections in (
        (0, 0, ("jurisdictions", "regulators", "topics", "organisations")),
        (1, 5, ("policies",)),
        (6, 10, ("companies",)),
        (11, 15, ("people", "events", "enforcement-actions", "measures")),
        (16, 20, ("authorisations",)),
        (21, 25, ("stances", "sources", "figures")),
        (26, 30, ("milestones",)),
    )
    for collection in collections
)


def _refresher(document: Document, first: int, last: int) -> str:
    """The function that brings documents of one collection in line with their records."""
    ours = f"segment BETWEEN {first} AND {last} AND collection = '{document.collection}' AND record_id"
    said = ("key", "title", "names", "related", "summary", "contents")
    columns, kept = ", ".join(said), ", ".join(f"kept.{name}" for name in said)
    return f"""
CREATE OR REPLACE FUNCTION {document.refresher}(ids bigint[]) RETURNS void LANGUAGE plpgsql {KEPT_PLANS} AS $$
BEGIN
    {PLANNED_FOR_MANY}
    -- Whoever is about to change the same documents goes first, and is then seen.
    PERFORM FROM regulations_searchdocument WHERE {ours} = ANY (ids) ORDER BY record_id FOR UPDATE;
    -- What the records say is asked once, and compared with these documents alone, however many there are of others.
    WITH said AS MATERIALIZED (
        SELECT * FROM {document.view} WHERE record_id = ANY (ids)
    ), kept AS MATERIALIZED (
        SELECT record_id, {columns} FROM regulations_searchdocument WHERE {ours} = ANY (ids)
    ), gone AS (
        DELETE FROM regulations_searchdocument WHERE {ours} IN (
            SELECT record_id FROM kept EXCEPT SELECT record_id FROM said)
    ), folded AS MATERIALIZED (
        SELECT said.*, regulations_search_folded(said.names) AS folded
        FROM said LEFT JOIN kept ON kept.record_id = said.record_id
        WHERE ({", ".join(f"said.{name}" for name in said)}) IS DISTINCT FROM ({kept})
    ), made AS (
        INSERT INTO regulations_searchdocument (
            collection, record_id, {columns}, folded, vector, segment, change_id)
        SELECT collection, record_id, {columns}, folded,
               regulations_search_vector(folded, related, summary, contents),
               regulations_search_segment(collection, record_id),
               CASE WHEN coalesce(current_setting('kbase.rebuilding', true), '') = ''
               THEN (SELECT regulations_this_change()) END
        FROM folded ORDER BY record_id
        ON CONFLICT (collection, record_id, segment) DO UPDATE SET
            {", ".join(f"{name} = excluded.{name}" for name in (*said, "folded", "vector", "change_id"))}
        RETURNING vector
    ), renamed AS (
        DELETE FROM regulations_searchname WHERE collection = '{document.collection}' AND record_id IN (
            SELECT record_id FROM folded UNION ALL (SELECT record_id FROM kept EXCEPT SELECT record_id FROM said))
    ), named AS (
        INSERT INTO regulations_searchname (name, prior, segment, collection, record_id)
        SELECT name, 0.5 * regulations_search_prior(collection), regulations_search_segment(collection, record_id),
               collection, record_id
        FROM folded, unnest(folded) AS name WHERE regulations_search_has_names(collection)
    ), written AS MATERIALIZED (
        SELECT DISTINCT word COLLATE "C" AS word FROM made, unnest(tsvector_to_array(vector)) AS word
    )
    INSERT INTO regulations_searchword (word, stem)
    SELECT word, regulations_search_stem(word) FROM written
    WHERE word ~ '^[a-z0-9]*[a-z][a-z0-9]*$' AND length(word) BETWEEN 2 AND 40
      AND NOT EXISTS (SELECT FROM regulations_searchword AS kept WHERE kept.word = written.word);
END
$$;
"""  # noqa: S608 (all of it is ours)


def _refreshers() -> str:
    """The functions of all collections, and that which finds the right one."""
    segments = {collection: (first, last) for collection, first, last in SEGMENTS}
    cases = "\n".join(
        f"    WHEN '{document.collection}' THEN PERFORM {document.refresher}(ids);" for document in DOCUMENTS
    )
    return f"""
{"".join(_refresher(document, *segments[document.collection]) for document in DOCUMENTS)}
CREATE OR REPLACE FUNCTION regulations_refresh_search(of_collection text, ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(ids) = 0 THEN RETURN; END IF;
    CASE of_collection
{cases}
    END CASE;
END
$$;
"""


# Of the transaction that renames what others are named by; those that only write their own documents share it.
LOCK = 1802723446

_CHANGED = "new_rows AS new_row JOIN old_rows AS old_row ON old_row.id = new_row.id"


def _tables() -> list[str]:
    found = {table for document in DOCUMENTS for table, _ in document.sources()}
    return sorted(found | {link.table for document in DOCUMENTS for link in document.links})


def _affected(table: str, operation: str) -> Iterator[tuple[str, str]]:
    """The collections with documents that rest on rows of the table, and their ids, given the rows of the operation."""
    owned = {
        "INSERT": "SELECT {column} FROM new_rows",
        "DELETE": "SELECT {column} FROM old_rows",
        "UPDATE": f"SELECT unnest(ARRAY[new_row.{{column}}, old_row.{{column}}]) FROM {_CHANGED}"  # noqa: S608
        " WHERE new_row IS DISTINCT FROM old_row",
    }[operation]
    renamed = {"INSERT": "new_rows AS rows", "UPDATE": f"({_renamed(table)}) AS rows"}.get(operation)
    for document in DOCUMENTS:
        found = [owned.format(column=column) for source, column in document.sources() if source == table]
        if renamed:
            links = dict.fromkeys(link for link in document.links if link.table == table)
            found += [link.documents(document.table, renamed) for link in links]
        if found:
            yield document.collection, " UNION ".join(found)


def _renamed(table: str) -> str:
    """The rows that others now know by another name."""
    columns = NAMED_BY.get(table, ("id",))
    new, old = (", ".join(f"{row}.{column}" for column in columns) for row in ("new_row", "old_row"))
    return f"SELECT new_row.id FROM {_CHANGED} WHERE ROW({new}) IS DISTINCT FROM ROW({old})"  # noqa: S608


def _branch(table: str, operation: str) -> str:
    refreshed = "\n".join(
        f"PERFORM regulations_touch_search('{collection}', ARRAY({ids}));"
        for collection, ids in _affected(table, operation)
    )
    lock = f"PERFORM pg_advisory_xact_lock_shared({LOCK});"
    if operation == "UPDATE":
        lock = f"IF EXISTS ({_renamed(table)}) THEN PERFORM pg_advisory_xact_lock({LOCK}); ELSE {lock} END IF;"
    return f"{lock}\n{refreshed}"


def _trigger(table: str) -> str:
    """The triggers that refresh the documents that rest on a table."""
    seen = "REFERENCING {} FOR EACH STATEMENT EXECUTE FUNCTION regulations_search_of_{}()"
    new, old = "NEW TABLE AS new_rows", "OLD TABLE AS old_rows"
    return f"""
CREATE OR REPLACE FUNCTION regulations_search_of_{table}() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
IF TG_OP = 'INSERT' THEN
{_branch(table, "INSERT")}
ELSIF TG_OP = 'DELETE' THEN
{_branch(table, "DELETE")}
ELSE
{_branch(table, "UPDATE")}
END IF;
RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER search_insert AFTER INSERT ON regulations_{table} {seen.format(new, table)};
CREATE OR REPLACE TRIGGER search_update AFTER UPDATE ON regulations_{table} {seen.format(f"{old} {new}", table)};
CREATE OR REPLACE TRIGGER search_delete AFTER DELETE ON regulations_{table} {seen.format(old, table)};
"""


REFRESHERS = _refreshers()
INSTALL = "\n".join(
    [
        *(f"CREATE OR REPLACE VIEW {document.view} AS {document.select()};" for document in DOCUMENTS),
        REFRESHERS,
        *map(_trigger, _tables()),
        "SELECT regulations_rebuild_search();",
    ]
)
REMOVE = "\n".join(
    [
        *(f"DROP FUNCTION regulations_search_of_{table}() CASCADE;" for table in _tables()),
        *(f"DROP FUNCTION IF EXISTS {document.refresher}(bigint[]);" for document in DOCUMENTS),
        *(f"DROP VIEW {document.view};" for document in DOCUMENTS),
    ]
)
