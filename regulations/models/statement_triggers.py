"""Triggers that keep one table in line with another: they run once for each statement, and see all rows that it changed."""

# The rows that each event's triggers see, by the names that they have there.
ROWS = {"insert": ["new_rows"], "update": ["new_rows", "old_rows"], "delete": ["old_rows"]}
_REFERENCED = {"new_rows": "NEW TABLE AS new_rows", "old_rows": "OLD TABLE AS old_rows"}

# For functions that make some rows anew by their ids. An edit changes one or two, and to plan for them costs more than to make them; a
# plan that never looks at whole tables stays right as these grow. Many ids are worth a plan of their own.
KEPT_PLANS = "SET plan_cache_mode = force_generic_plan SET enable_seqscan = off"
PLANNED_FOR_MANY = """IF cardinality(ids) > 100 THEN
        SET LOCAL plan_cache_mode = force_custom_plan;
        SET LOCAL enable_seqscan = on;
    END IF;"""


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
