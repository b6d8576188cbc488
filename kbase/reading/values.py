"""Values in addresses, read strictly: what is not plainly meant is refused with a reason."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import unquote_plus

from kbase.reading.problems import BadRequest, Fault, Faults

# A value longer than this is neither a list of MOST_ITEMS keys nor a cursor of ours.
LONGEST_VALUE = 8000
# As long as the longest title that we have room for.
LONGEST_TEXT = 400
MOST_PARAMETERS = 60
MOST_ITEMS = 60
# A natural key: a slug, or a code such as US-NY.
KEY = r"^[A-Za-z0-9-]{1,120}$"
# Text without control characters.
PRINTABLE = r"^[^\x00-\x1F\x7F]+$"

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,6})?", re.ASCII)
_KEY = re.compile(KEY)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ENCODED = re.compile(r"([\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})*", re.ASCII)


def query_parameters(query: str) -> dict[str, str]:
    """The parameters of a query string, by name.

    Raises BadRequest for what is no percent-encoded UTF-8, and for names or values that are empty, repeated, too long
    or hold control characters.
    """
    parts = [part for part in query.split("&") if part]
    if len(parts) > MOST_PARAMETERS:
        detail = f"The query has more than {MOST_PARAMETERS} parameters."
        raise BadRequest([Fault("", "out_of_range", detail)])
    pairs, faults = [], Faults()
    for name, _, value in (part.partition("=") for part in parts):
        with faults.gathering():
            pairs.append(_decoded(name, value))
    faults.extend(fault for name, value in pairs if (fault := _fault_of(name, value)))
    names = [name for name, _ in pairs]
    faults.extend(_repeated(name) for name in dict.fromkeys(names) if names.count(name) > 1)
    faults.refuse()
    return dict(pairs)


def read_date(parameter: str, text: str) -> date:
    """A day as YYYY-MM-DD (ISO 8601, without a time)."""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _malformed(parameter, text, "a day, such as 2025-01-31")


def read_moment(parameter: str, text: str) -> datetime:
    """A moment as ISO 8601 (RFC 3339), with its zone: without one it would be another moment for each reader."""
    try:
        if _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text)
            # Near the ends of the calendar a moment may have no name in UTC.
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    hint = " (a + is written %2B)" if " " in text else ""
    raise _malformed(parameter, text, f"a moment with its zone, such as 2025-01-31T09:30:00Z{hint}")


def read_number(parameter: str, text: str) -> Decimal:
    """A decimal number with at most 18 digits before its point and 6 after it."""
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    raise _malformed(parameter, text, "a number, such as 1500000 or 0.5")


def read_bool(parameter: str, text: str) -> bool:
    """`true` or `false`, and nothing else."""
    if text in ("true", "false"):
        return text == "true"
    raise BadRequest(
        [Fault(parameter, "malformed", f"{parameter} is “{text[:100]}”; use true or false.", ("true", "false"))]
    )


def read_text(parameter: str, text: str) -> str:
    """Text as it is, of LONGEST_TEXT characters at most."""
    if len(text) > LONGEST_TEXT:
        detail = f"{parameter} may have {LONGEST_TEXT} characters at most."
        raise BadRequest([Fault(parameter, "out_of_range", detail)])
    return text


def read_integer(parameter: str, text: str, lowest: int, highest: int) -> int:
    """A whole number from `lowest` to `highest`."""
    number = int(text) if re.fullmatch(r"-?\d{1,18}", text, re.ASCII) else None
    if number is None and not re.fullmatch(r"-?\d+", text, re.ASCII):
        raise _malformed(parameter, text, "a whole number")
    if number is None or not lowest <= number <= highest:
        detail = f"{parameter} is {text[:40]}; use a whole number from {lowest} to {highest}."
        raise BadRequest([Fault(parameter, "out_of_range", detail)])
    return number


def read_items(parameter: str, text: str) -> list[str]:
    """The items of a comma-separated list, none of them empty or named twice."""
    items = text.split(",")
    if not all(items):
        raise BadRequest(
            [Fault(parameter, "malformed", f"{parameter} has an empty item; separate items by one comma.")]
        )
    if len(items) > MOST_ITEMS:
        raise BadRequest([Fault(parameter, "out_of_range", f"{parameter} has more than {MOST_ITEMS} items.")])
    if len(set(items)) < len(items):
        raise BadRequest([Fault(parameter, "repeated", f"{parameter} names an item twice; name each once.")])
    return items


def read_keys(parameter: str, text: str) -> list[str]:
    """The items of a comma-separated list of natural keys; whether there are such records is another question."""
    items = read_items(parameter, text)
    faults = [
        Fault(parameter, "malformed", f"“{item[:100]}” is no key: keys have letters, digits and hyphens.")
        for item in items
        if not _KEY.fullmatch(item)
    ]
    if faults:
        raise BadRequest(faults)
    return items


def _decoded(name: str, value: str) -> tuple[str, str]:
    """Undo the percent-encoding. What is not encoded, or broken, would be guessed at, by each server in its own way."""
    if not _ENCODED.fullmatch(f"{name}={value}"):
        detail = "The query has a broken percent-encoding, or characters that need one; encode it as UTF-8."
        raise BadRequest([Fault(_printable(unquote_plus(name)), "malformed", detail)])
    try:
        return unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
    except UnicodeDecodeError:
        detail = "The query is not UTF-8; percent-encode it as UTF-8."
        raise BadRequest([Fault(_printable(unquote_plus(name)), "malformed", detail)]) from None


def _fault_of(name: str, value: str) -> Fault | None:
    if _CONTROL.search(name) or _CONTROL.search(value):
        return Fault(_printable(name), "malformed", "Control characters are not allowed in a query.")
    if max(len(name), len(value)) > LONGEST_VALUE:
        return Fault(name[:100], "out_of_range", f"A value may have {LONGEST_VALUE} characters at most.")
    if not name:
        return Fault("", "malformed", "A value stands without a name; write name=value.")
    if not value:
        return Fault(name[:100], "empty", f"{name[:100]} has no value; give one, or leave the parameter out.")
    return None


def _repeated(name: str) -> Fault:
    return Fault(name[:100], "repeated", f"{name[:100]} is given more than once; separate several values by commas.")


def _malformed(parameter: str, text: str, wanted: str) -> BadRequest:
    return BadRequest([Fault(parameter, "malformed", f"{parameter} is “{text[:100]}”; use {wanted}.")])


def _printable(text: str) -> str:
    return _CONTROL.sub("�", text)[:100]
