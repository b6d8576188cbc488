"""What the words of a search mean: their other forms, their beginnings, and what was meant by a slip.

A word is found in all its forms (regulation, regulated), and from four letters on as the beginning of a word. A shorter
one counts as a beginning, and a longer one as a slip, only where no record that can be seen has it as it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import models

from kbase.reading.expressions import Param
from kbase.reading.searching import no_words
from kbase.reading.statements import Statement

UNSPACED = re.compile(
    "[\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
)
# Words that tell nothing apart; they are looked for only if there are no others.
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "by",
        "for",
        "from",
        "has",
        "in",
        "into",
        "is",
        "its",
        "of",
        "on",
        "or",
        "that",
        "the",
        "to",
        "was",
        "were",
        "which",
        "with",
    ]
)
# From this length on, a word is also the beginning of others.
BEGINNING = 4
# So many words are looked for by name where one is the beginning of them.
MOST_LONGER = 24
# Of so many the shortest do; the long ones are mostly names written in one word, and found by their words too.
MOST_READ = 200
# What the table of words has.
_KEPT = re.compile("[a-z0-9]*[a-z][a-z0-9]*")


@dataclass(frozen=True)
class Word:
    """A word that is looked for: the forms in which it counts, and whether it may be a beginning too.

    meant: what it was taken for, if it was a slip. longer: the words that it is the beginning of, if they
    are not too many.
    """

    said: str
    forms: tuple[str, ...]
    is_beginning: bool
    meant: str | None = None
    longer: tuple[str, ...] | None = None

    def query(self, weight: str) -> str:
        """The word in PostgreSQL's language of full text. weight: only where it weighs so much; empty for anywhere."""
        if UNSPACED.match(self.said):
            return _phrase(self.said, weight)
        # PostgreSQL reads all words with a beginning before the first row; of words by name it skips what it need not read.
        longer = self.longer or () if self.is_beginning else ()
        terms = [f"'{form}'" + (f":{weight}" if weight else "") for form in dict.fromkeys([*self.forms, *longer])]
        is_open = self.is_beginning and self.longer is None
        return "(" + " | ".join(terms + ([f"'{self.said}':*{weight}"] if is_open else [])) + ")"


@dataclass(frozen=True)
class Understood:
    """A search: the words that all have to be there, or instead of neighbours their joined forms."""

    text: str
    words: tuple[Word, ...]
    joined: tuple[tuple[Word, ...], ...]

    @property
    def meant(self) -> str | None:
        """The search as it was corrected; None if there was no need."""
        if not any(word.meant for word in self.words):
            return None
        return " ".join(word.meant or word.said for word in self.words)

    def query(self, weight: str = "") -> str:
        """The search in PostgreSQL's language of full text."""
        ways = [" & ".join(word.query(weight) for word in way) for way in self.ways()]
        return " | ".join(f"({way})" for way in ways)

    def ways(self) -> tuple[tuple[Word, ...], ...]:
        """The ways to find it, each of them words that all have to be there."""
        return (self.words, *self.joined)

    def highlighted(self) -> list[Word]:
        """All words that are marked where they are found."""
        return [word for way in self.ways() for word in way]

    def asked(self) -> list[str]:
        """What a name would be that is exactly asked for."""
        texts = [self.text, self.meant or self.text]
        return list(dict.fromkeys([*texts, *(text.replace(" ", "") for text in texts)]))

    def values(self) -> dict[str, Any]:
        """The values that statements take."""
        return {"q_query": self.query(), "q_in_names": self.query("AB"), "q_asked": self.asked()}


@dataclass(frozen=True)
class _Looked:
    """What the database knows of a word, or of a word and the next ones joined."""

    text: str
    first: int
    last: int
    said: str
    forms: list[str]
    is_seen: bool
    is_begun: bool
    corrected: list[str]
    begun: list[str]
    begun_count: int

    @property
    def longer(self) -> tuple[str, ...] | None:
        """The words that begin so; None if these are too many. Of very many, if it is a word itself, the shortest."""
        is_enough = len(self.begun) < MOST_LONGER or (self.is_seen and self.begun_count >= MOST_READ)
        return tuple(self.begun) if is_enough and _KEPT.fullmatch(self.said) else None


def understand(text: str, *, is_typing: bool = False) -> Understood:
    """What is looked for by this text. Asks the database, as of the moment that is asked about.

    is_typing: whether the last word may be the beginning of any other, however short.
    Raises BadRequest for a text without words.
    """
    looked = [_Looked(*row) for row in UNDERSTAND.rows({"q": text})]
    if not looked:
        raise no_words()
    single = [each for each in looked if each.first == each.last]
    telling = [each for each in single if each.said not in STOP_WORDS] or single
    words = tuple(_word(each) for each in telling)
    if is_typing and not words[-1].meant:
        words = (*words[:-1], _typed(words[-1]))
    joins = [each for each in looked if each.first < each.last and each.is_seen]
    return Understood(looked[0].text, words, tuple(_joined(telling, joins)))


def _word(looked: _Looked) -> Word:
    if looked.corrected:
        return Word(looked.said, tuple(looked.corrected), False, looked.corrected[0])
    is_long = len(looked.said) >= BEGINNING
    return Word(looked.said, tuple(looked.forms), is_long or not looked.is_seen, longer=looked.longer)


def _typed(word: Word) -> Word:
    """The word as the beginning of any other."""
    is_all = word.longer is not None and len(word.longer) < MOST_LONGER
    return replace(word, is_beginning=True, longer=word.longer if is_all else None)


def _joined(words: Sequence[_Looked], joins: Sequence[_Looked]) -> Iterator[tuple[Word, ...]]:
    """The search with neighbours joined, one pair (or all) at a time."""
    for join in joins:
        before = [_word(word) for word in words if word.first < join.first]
        after = [_word(word) for word in words if word.first > join.last]
        is_long = len(join.said) >= BEGINNING
        yield (*before, Word(join.said, tuple(join.forms), is_long, longer=join.longer), *after)


def _phrase(run: str, weight: str) -> str:
    """A part of a text in an unspaced script, as its pairs of characters one after the other."""
    if len(run) == 1:
        return f"'{run}':*{weight}"
    pairs = [f"'{run[n : n + 2]}'" + (f":{weight}" if weight else "") for n in range(len(run) - 1)]
    return "(" + " <-> ".join(pairs) + ")"


# A word is at most so many slips away from what was meant: a letter too few, too many, wrong, or two exchanged.
_SLIPS = "CASE WHEN length(said) < 6 THEN 1 WHEN length(said) < 12 THEN 2 ELSE 3 END"
_HAS = "EXISTS (SELECT FROM regulations_searchdocument WHERE vector @@ {}::tsquery)"
_FORMS = """ARRAY(
    SELECT {0} UNION SELECT other.word FROM regulations_searchword AS other
    WHERE other.stem = regulations_search_stem({0}) ORDER BY 1)"""
_QUOTED = "'''' || {} || ''''"

UNDERSTAND = Statement(
    f"""
WITH tokens AS MATERIALIZED (
    SELECT said, row_number() OVER (ORDER BY place) AS place
    FROM string_to_table(regulations_search_tokens(%s), ' ') WITH ORDINALITY AS tokens (said, place) WHERE said <> ''
), looked AS MATERIALIZED (
    SELECT place AS first, place AS last, said FROM tokens
    UNION ALL
    SELECT place, place + 1, said || following FROM
        (SELECT place, said, lead(said) OVER (ORDER BY place) AS following FROM tokens) AS pairs
    WHERE following IS NOT NULL
    UNION ALL
    SELECT min(place), max(place), string_agg(said, '' ORDER BY place) FROM tokens HAVING count(*) > 2
), seen AS MATERIALIZED (
    SELECT first, last, said, forms, {_HAS.format("(SELECT string_agg(" + _QUOTED.format("form") + ", ' | ') FROM unnest(forms) AS form)")} AS is_seen
    FROM looked CROSS JOIN LATERAL (SELECT {_FORMS.format("said")} AS forms) AS with_forms
), begun AS MATERIALIZED (
    SELECT *, NOT is_seen AND first = last AND {_HAS.format("(" + _QUOTED.format("said") + " || ':*')")} AS is_begun FROM seen
)
SELECT regulations_search_words(%s), first, last, said, forms, is_seen, is_begun, coalesce(corrected, '{{}}'), ARRAY(
    SELECT longer.word FROM (
        SELECT word FROM regulations_searchword WHERE word >= said AND word < said || chr(1114111)
        ORDER BY word LIMIT {MOST_READ}
    ) AS longer GROUP BY longer.word ORDER BY length(longer.word), longer.word LIMIT {MOST_LONGER}), (SELECT count(*) FROM (
        SELECT FROM regulations_searchword WHERE word >= said AND word < said || chr(1114111) LIMIT {MOST_READ}) AS longer)
FROM begun
LEFT JOIN LATERAL (
    SELECT {_FORMS.format("alike.word")} AS other_forms, alike.word FROM (
        SELECT DISTINCT word, word = ANY (exchanged) AS is_exchanged,
               levenshtein(left(word, 200), left(said, 200)) AS slips, similarity(word, said) AS likeness
        FROM (SELECT ARRAY(
            SELECT overlay(said placing reverse(substr(said, n, 2)) from n for 2)
            FROM generate_series(1, length(said) - 1) AS n) AS exchanged) AS exchanges,
        regulations_searchword
        -- Asked here, so that words that need no correction are not even looked at.
        WHERE NOT is_seen AND NOT is_begun AND first = last AND length(said) BETWEEN 4 AND 60 AND said ~ '^[a-z]+$'
          AND (word %% said OR word = ANY (exchanged))
          -- What has numbers in it is no word that one slips on; the index leaves it out.
          AND word !~ '[0-9]{{2}}'
    ) AS alike
    WHERE (is_exchanged OR slips <= {_SLIPS}) AND {_HAS.format("(" + _QUOTED.format("word") + ")")}
    ORDER BY CASE WHEN is_exchanged THEN 1 ELSE slips END, left(word, 1) <> left(said, 1), likeness DESC, word LIMIT 1
) AS meant ON true
CROSS JOIN LATERAL (SELECT CASE WHEN meant.word IS NOT NULL THEN ARRAY[meant.word] || other_forms END)
    AS corrections (corrected)
ORDER BY first, last
""",  # noqa: S608 (all of it is ours)
    (Param("q", models.TextField()), Param("q", models.TextField())),
)
