"""What makes two names, numbers or addresses the same: the expressions by which the database compares them.

What is folded is only compared, never shown. Both sides are folded by the database, by the same expression, of which
there is an index for each field (migration 0011).
"""

from django.db import models
from django.db.models import F, Func, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat, Lower, Upper
from django.db.models.lookups import Exact, GreaterThanOrEqual, In, LessThan

from regulations.models.revisions import Differs, Revision

# For each Latin letter those that look like it in other scripts, and those that no accent makes of it.
LOOKALIKES = {
    "a": "АаΑα",
    "b": "ВвΒβ",
    "c": "Сс",
    "d": "ԁđĐ",
    "e": "ЕеΕε",
    "h": "НнҺһΗħĦ",
    "i": "ІіΙιı",
    "j": "Јј",
    "k": "КкΚκ",
    "l": "łŁ",
    "m": "МмΜ",
    "n": "Ν",
    "o": "ОоΟοøØ",
    "p": "РрΡρ",
    "q": "ԛ",
    "s": "Ѕѕ",
    "t": "ТтΤτŧŦ",
    "u": "υ",
    "v": "ν",
    "w": "ԝ",
    "x": "ХхΧχ",
    "y": "УуΥ",
    "z": "Ζ",
}
LEGAL_FORMS = (
    "ab|ag|aps|as|bv|co|company|corp|corporation|eood|fzco|fze|gmbh|inc|incorporated|kft|kk|limited|llc|llp|lp|ltd|nv|oo"
    "|ou|oy|plc|private|pte|pty|pvt|sa|sarl|sas|se|spa|sro|srl|uab"
)
_LOOKS = "".join(LOOKALIKES.values())
_LATIN = "".join(letter * len(others) for letter, others in LOOKALIKES.items())


class Folded(Func):
    """A name without case, accents, punctuation, spaces and the legal form at its end; look-alike letters are one.

    `normalize` takes letters and their accents apart, full-width letters and ligatures too (NFKD).
    """

    output_field = models.TextField()
    _letters = (
        f"replace(replace(replace(translate(lower(normalize(%(expressions)s, NFKD)), '{_LOOKS}', '{_LATIN}'),"
        " 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe')"
    )
    # Accents vanish, and so do the points and apostrophes of abbreviations; other punctuation is a space.
    _words = (
        rf"btrim(regexp_replace(regexp_replace({_letters}, '[\u0300-\u036f.''’]', '', 'g'),"
        r" '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+', ' ', 'g'))"
    )
    template = f"replace(regexp_replace({_words}, '( ({LEGAL_FORMS}))+$', ''), ' ', '')"


class Numbered(Func):
    """A number of a register without case, spaces and punctuation."""

    template = "regexp_replace(lower(%(expressions)s), '[^a-z0-9]', '', 'g')"
    output_field = models.TextField()


class Once(Func):
    """A value that is the same for all rows, worked out once."""

    template = "(SELECT %(expressions)s)"
    output_field = models.TextField()


class Host(Func):
    """The host of a web address, without www."""

    template = r"lower(substring(%(expressions)s FROM '^[a-zA-Z]+://(?:www\.)?([^/:?#]+)'))"
    output_field = models.TextField()


class Reversed(Func):
    """A text from its end, compared by code point: who is below a domain begins with it."""

    template = 'reverse(%(expressions)s) COLLATE "C"'
    output_field = models.TextField()


def below(field: str, domain: Combinable) -> Q:
    """The rows whose web address has this domain for its host, or a host below it."""
    host, asked = Reversed(Host(F(field))), Once(Reversed(domain))
    # All that begins with the domain and a point, in the words of an index: the stroke is the next sign after the point.
    first, beyond = (Concat(asked, Value(sign), output_field=models.TextField()) for sign in "./")
    return Q(Exact(host, asked)) | Q(GreaterThanOrEqual(host, first)) & Q(LessThan(host, beyond))


class Place(Func):
    """A web address without its scheme, www. and the slash at its end."""

    template = r"rtrim(regexp_replace(%(expressions)s, '^[a-zA-Z]+://(www\.)?', ''), '/')"
    output_field = models.TextField()


class OldKey(Func):
    """The natural key in a row as it was; an index on revisions is made of it (migration 0004)."""

    function = "regulations_key_of"
    output_field = models.TextField()


def formerly(model: type[models.Model], key: Combinable, known_at: Combinable) -> "QuerySet[Revision]":
    """The changes that took this key, in any case, from a row of the model that may still be there; see `row_id`.

    known_at: the moment up to which our records are looked at; all of them where it is null.
    """
    had, has = OldKey("before"), OldKey("after")
    # The index has the changes of keys alone.
    changed = Q(Differs(had, has)) & Q(before__isnull=False)
    return Revision.objects.filter(changed, written(had, key), table=model._meta.db_table).known_by(known_at)


def written(key: Combinable, asked: Combinable) -> Q:
    """The key is what is asked for, as it stands, in small letters or in capitals: keys have no others."""
    return Q(In(key, [asked, Lower(asked), Upper(asked)]))
