"""Triggers that keep one table in line with another: they run once for each statement, and see all rows that it changed."""

# The rows that each event's triggers see, by the names that they have there.
ROWS = {"insert": ["new_rows"], "update": ["new_rows", "old_rows"], "delete": ["old_rows"]}
_REFERENCED = {"new_rows": "NEW TABLE AS new_rows", "old_rows": "OLD TABLE AS old_rows"}


def statement_trigger(name: str, event: str, table: str, body: str, function: str = "", settings: str = "") -> str:
    """The SQL of a trigger `<name>_<event>` on one of our tables, which runs these statements of PL/pgSQL.

    table: without its prefix. function: what its function is called, if not as the trigger on this table.
    settings: those under which it runs.
    """
    called = function or f"{name}_{event}_{table}"
    return f"""
CREATE OR REPLACE FUNCTION regulations_{called}() RETURNS trigger LANGUAGE plpgsql {settings} AS $$
BEGIN
    {body}
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER {name}_{event} AFTER {event.upper()} ON regulations_{table}
    REFERENCING {" ".join(_REFERENCED[rows] for rows in ROWS[event])}
    FOR EACH STATEMENT EXECUTE FUNCTION regulations_{called}();
"""
