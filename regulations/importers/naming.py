"""Keys for what an import adds: readable, free, and the same each time the same file is read."""

import re
from collections.abc import Iterable

from django.db import connection
from django.utils.text import slugify

from regulations.importers.records import MODELS, key_name
from regulations.models.identities import LEGAL_FORMS

LONGEST = 110
LEGAL_FORM = re.compile(rf"(-({LEGAL_FORMS}))+$")


def stem(*parts: str) -> str:
    """The parts as a key: small letters without accents, digits, hyphens; empty if they have no Latin letter."""
    text = " ".join(parts).replace("ß", "ss").replace("&", " and ")
    return slugify(text.replace("_", "-").replace(".", ""))[:LONGEST].strip("-")


def firm_stem(name: str, fallback: str) -> str:
    """A firm's key: its name without the legal form at its end."""
    whole = stem(name)
    return LEGAL_FORM.sub("", whole) or whole or stem("firm", fallback)


class FreeKeys:
    """Gives keys of one kind that no record has or had, of all that are wanted, in a query."""

    def __init__(self, kind: str, stems: Iterable[str]) -> None:
        self.taken = _taken(kind, set(stems))

    def give(self, wanted: str) -> str:
        """The key itself if it is free, else with the first free number; it is taken from then on."""
        key, number = wanted, 1
        while key in self.taken:
            number += 1
            key = f"{wanted}-{number}"
        self.taken.add(key)
        return key


def _taken(kind: str, stems: set[str]) -> set[str]:
    """The keys that begin with one of these, and those that once did: a key never comes to mean another record."""
    table, key = MODELS[kind]._meta.db_table, key_name(kind)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {key} FROM {table} WHERE {key} = ANY (%(stems)s) OR regexp_replace({key}, '-[0-9]+$', '') = ANY (%(stems)s)
            UNION SELECT regulations_key_of(before) FROM regulations_revision
            WHERE "table" = %(table)s AND regulations_key_of(before) = ANY (%(stems)s) AND before IS NOT NULL
              AND regulations_key_of(before) IS DISTINCT FROM regulations_key_of(after)
            """,  # noqa: S608 - table and column are our own
            {"stems": list(stems), "table": table},
        )
        return {found for (found,) in cursor.fetchall()}
