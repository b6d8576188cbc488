"""Marking in a text what a search found. Texts are escaped for HTML; what was found stands in <mark>."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from regulations.api.understanding import UNSPACED, Word

# So much of a long text is shown around the first that was found.
SNIPPET = 240
BEFORE = 60

_WORD = re.compile(r"[^\W_]+")
# Letters that are no others with a sign on them, as the database writes them plainly too (extension unaccent).
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ħ": "h"})


def fold(text: str) -> str:
    """The text in plain small letters."""
    if text.isascii():
        # As nearly all words are, and a page of what is found has hundreds.
        return text.lower()
    bare = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFKC", bare).casefold().translate(_PLAIN)


def marked(text: str, words: Sequence[Word]) -> str | None:
    """The whole text with the words marked; None if it has none of them."""
    spans = list(_merged(_spans(text, words)))
    return _written(text, spans, 0, len(text)) if spans else None


def snippet(text: str, words: Sequence[Word]) -> str | None:
    """The part of the text around the first of the words, with all marked; None if it has none of them."""
    spans = list(_merged(_spans(text, words)))
    if not spans:
        return None
    start = _start(text, spans[0][0])
    end = min(len(text), max(start + SNIPPET, spans[0][1]))
    if end < len(text):
        end = max(text.rfind(" ", spans[0][1], end), spans[0][1])
    shown = _written(text, [span for span in spans if span[1] <= end], start, end)
    return ("… " if start else "") + shown + (" …" if end < len(text) else "")


def has_all(text: str, words: Iterable[Word]) -> bool:
    """Whether each of the words is in the text."""
    return all(any(_spans(text, [word])) for word in words)


def _start(text: str, first: int) -> int:
    if first <= BEFORE:
        return 0
    # Not within a word, except where there are no spaces.
    space = text.find(" ", first - BEFORE, first)
    return space + 1 if space >= 0 else first - BEFORE


def _spans(text: str, words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    unspaced = [word.said for word in words if UNSPACED.match(word.said)]
    for run in unspaced:
        yield from (found.span() for found in re.finditer(re.escape(run), text))
    spaced = [word for word in words if not UNSPACED.match(word.said)]
    if spaced:
        forms = {form for word in spaced for form in word.forms}
        beginnings = tuple(word.said for word in spaced if word.is_beginning)
        for found in _WORD.finditer(text):
            plain = fold(found[0])
            if plain in forms or plain.startswith(beginnings):
                yield found.span()


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans in their order, those that overlap as one."""
    current: tuple[int, int] | None = None
    for start, end in sorted(spans):
        if current and start <= current[1]:
            current = (current[0], max(current[1], end))
        else:
            if current:
                yield current
            current = (start, end)
    if current:
        yield current


def _written(text: str, spans: Iterable[tuple[int, int]], start: int, end: int) -> str:
    parts, place = [], start
    for first, last in spans:
        parts += [escape(text[place:first]), "<mark>", escape(text[first:last]), "</mark>"]
        place = last
    return "".join([*parts, escape(text[place:end])])
