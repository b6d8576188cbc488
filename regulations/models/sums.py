"""Tables of numbers that add up rows of another table, kept by triggers.

What a transaction changes stands in rows of its own (`change_id`), which are added to the others as it ends, under the
lock that gives changes their moments: so no writer waits for another before.
"""

from collections.abc import Callable
from dataclasses import dataclass

from regulations.models.statement_triggers import statement_trigger

# What rows of the other table add, by the event: 1, or -1 for those that are taken away.
_EVENTS = {"insert": {"new_rows": 1}, "update": {"new_rows": 1, "old_rows": -1}, "delete": {"old_rows": -1}}


@dataclass(frozen=True)
class Sums:
    """Such a table. Names of tables are those of their models, in lower case.

    name: what its functions and triggers are called by. of: the table whose rows are added up, and their columns that are read.
    cell: the columns that tell its rows apart, besides the change. number: the column with the number.
    counted: the SQL of cells and numbers for some rows, each with `sign`; it is given where these come from.
    added: a number of the table (`kept`) and another one (`excluded`) together, as SQL.
    """

    name: str
    table: str
    of: tuple[str, str]
    cell: str
    number: str
    counted: Callable[[str], str]
    added: str

    def install(self) -> str:
        """The SQL that keeps the table from now on. Who ends a change calls `regulations_end_<name>` with its id."""
        table, (source, _) = f"regulations_{self.table}", self.of
        return f"""
CREATE OR REPLACE FUNCTION regulations_end_{self.name}(ended bigint) RETURNS void LANGUAGE sql AS $$
    -- Who calls this holds the lock of all that end.
    WITH mine AS (DELETE FROM {table} WHERE change_id = ended AND change_id <> 0 RETURNING *)
    {self._add("0", "mine")}
$$;
CREATE OR REPLACE FUNCTION regulations_{self.name}_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE {table};
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER {self.name}_truncate AFTER TRUNCATE ON regulations_{source}
    FOR EACH STATEMENT EXECUTE FUNCTION regulations_{self.name}_truncate();
{"".join(map(self._trigger, _EVENTS))}"""  # noqa: S608 (all of it is ours)

    def fill(self) -> str:
        """The SQL that makes the table anew."""
        source, columns = self.of
        every = f"(SELECT 1 AS sign, {columns} FROM regulations_{source}) AS every"  # noqa: S608
        return f"""
TRUNCATE regulations_{self.table};
INSERT INTO regulations_{self.table} ({self.cell}, change_id, {self.number})
SELECT {self.cell}, 0, {self.number} FROM ({self.counted(every)}) AS tallies ORDER BY {self.cell};
"""  # noqa: S608

    def remove(self) -> str:
        """The SQL that takes back what `install` makes."""
        functions = [*(f"{self.name}_{event}()" for event in [*_EVENTS, "truncate"]), f"end_{self.name}(bigint)"]
        return "".join(f"DROP FUNCTION IF EXISTS regulations_{name} CASCADE;" for name in functions)

    def _trigger(self, event: str) -> str:
        source, columns = self.of
        seen = " UNION ALL ".join(
            f"SELECT {sign} AS sign, {columns} FROM {rows}"  # noqa: S608
            for rows, sign in _EVENTS[event].items()
        )
        change = f"(SELECT regulations_change_of('regulations_{self.table}'))"
        add = self._add(change, f"({self.counted(f'({seen}) AS changed')}) AS tallies")
        called = f"{self.name}_{event}"
        return statement_trigger(self.name, event, source, f"{add};", called, "SET plan_cache_mode = force_custom_plan")

    def _add(self, change: str, rows: str) -> str:
        """Add the numbers of some rows to those of a change."""
        return f"""INSERT INTO regulations_{self.table} AS kept ({self.cell}, change_id, {self.number})
    SELECT {self.cell}, {change}, {self.number} FROM {rows}
    ON CONFLICT ({self.cell}, change_id) DO UPDATE SET {self.number} = {self.added}"""  # noqa: S608
