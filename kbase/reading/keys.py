"""Keys that might have been meant."""

from django.db.models import Q, QuerySet

# To compare more than these would take longer than any answer.
KEYS_COMPARED = 2000
ALIKE = 2


def keys_like(rows: QuerySet, key: str, sent: str) -> list[str]:
    """The keys to compare a mistyped one with: those that begin like it in any case, or else the first ones.

    rows: the records; key: the name of their natural key. At most KEYS_COMPARED are given.
    """
    # PostgreSQL has no NUL in its texts.
    beginning = sent[:ALIKE].replace("\x00", "")
    keys = rows.order_by(key).values_list(key, flat=True)
    written = {beginning, beginning.lower(), beginning.upper()}
    alike = Q.create([(f"{key}__startswith", each) for each in sorted(written)], connector=Q.OR)
    return list(keys.filter(alike)[:KEYS_COMPARED]) or list(keys[:KEYS_COMPARED])
