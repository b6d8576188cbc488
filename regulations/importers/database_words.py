"""The database's refusal in words that the reader of a file can act on."""

import re

from django.db import DatabaseError
from django.db.models import Model

# The last span in a message such as: … conflicts with existing key (…)=(3, 7, [2023-06-01,2024-01-01)).
SPAN = re.compile(r"\[([0-9-]*),([0-9-]*)\)\)?\.?$")


def reason_of(model: type[Model], error: DatabaseError) -> str:
    """Why the database refused a row of the model: the constraint's own words where it has some."""
    said = getattr(error.__cause__, "diag", None)
    if said is None:
        return str(error)
    words = _words_of(model, said.constraint_name or "")
    detail = said.message_detail or said.message_primary or str(error)
    return f"{words}{_other_span(detail)}" if words else f"the database says: {detail}"


def _words_of(model: type[Model], name: str) -> str:
    for constraint in model._meta.constraints:
        if constraint.name == name:
            return str(constraint.violation_error_message)
    return ""


def _other_span(detail: str) -> str:
    """Which days the other row covers, where two spans overlap."""
    match = SPAN.search(detail)
    if not match:
        return ""
    start, end = match.groups()
    return f" It holds from {start or 'ever'} until {end or 'further notice'}."
