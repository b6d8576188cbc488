"""The database's refusal in words that the reader of a file can act on."""

import re

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DatabaseError
from django.db.models import Model

# The last span in a message such as: … conflicts with existing key (…)=(3, 7, [2023-06-01,2024-01-01)).
SPAN = re.compile(r"\[([0-9-]*),([0-9-]*)\)\)?\.?$")


def reason_of(instance: Model, error: DatabaseError) -> str:
    """Why the database refused the row: the constraint's own words, or the model's, or else the database's."""
    said = getattr(error.__cause__, "diag", None)
    if said is None:
        return str(error)
    detail = said.message_detail or said.message_primary or str(error)
    words = _words_of(type(instance), said.constraint_name or "")
    if words:
        return f"{words}{_other_span(detail)}"
    return _rules_broken(instance) or f"the database says: {detail}"


def _rules_broken(instance: Model) -> str:
    try:
        instance.full_clean()
    except ValidationError as error:
        return " ".join(
            message if name == NON_FIELD_ERRORS else f"{name}: {message}"
            for name, messages in error.message_dict.items()
            for message in messages
        )
    return ""


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
