"""When two web domains, or two names, are the same, and when they only look alike. Domains are as DNS has them (IDNA)."""

import unicodedata
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

import idna
from django.db import models
from publicsuffixlist import PublicSuffixList

from regulations.models.identities import LOOKALIKES

LONGEST_HOST = 253
_LOOKS = {ord(other): letter for letter, others in LOOKALIKES.items() for other in others}


class Likeness(models.TextChoices):
    """Why what is listed looks like what is asked for, the strongest first."""

    LETTERS = "confusable_letters", "The same but for letters that look alike"
    SUFFIX = "other_suffix", "The same name under another suffix"
    EDITS = "edit_distance", "One or two letters differ"


class NotADomainError(ValueError):
    """The text is no web domain; says why, and what to do."""


@lru_cache(1)
def suffixes() -> PublicSuffixList:
    """Which names are given out by registries and platforms; read from the package once, which takes a moment."""
    return PublicSuffixList()


def registered_domain(text: str) -> str:
    """The domain that somebody registered, of a host or web address, in small letters as DNS has it.

    A host at a provider whose suffix is shared, such as one of a blog, is a domain of its own.
    Raises NotADomainError.
    """
    host = host_of(text)
    domain = suffixes().privatesuffix(host)
    if not domain:
        raise NotADomainError(f"{host} is a suffix under which others register; give a domain below it.")
    return domain


def host_of(text: str) -> str:
    """The host that a text names, which may be a web address, as DNS has it and without www.

    Raises NotADomainError.
    """
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        raise NotADomainError("This is no web address; give a domain such as example.com.") from None
    if "@" in parts.netloc:
        raise NotADomainError("This is an e-mail address or has a user's name; give the domain after the @ alone.")
    if len(host) > LONGEST_HOST:
        raise NotADomainError(f"A domain has {LONGEST_HOST} characters at most.")
    if _is_ip(host):
        raise NotADomainError("This is an IP address; give a domain such as example.com.")
    return _ascii(host).removeprefix("www.")


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _ascii(host: str) -> str:
    if "." not in host:
        raise NotADomainError("A domain has a point; give one such as example.com.")
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode().lower()
    except idna.IDNAError as error:
        raise NotADomainError(f"No valid internationalised domain name ({error}); copy it again.") from None


def parts_of(domain: str) -> tuple[str, str]:
    """The label that was registered, as people read it and with look-alike letters folded, and its suffix."""
    label, _, suffix = domain.partition(".")
    return folded(_read(label)), suffix


def _read(label: str) -> str:
    try:
        return idna.decode(label)
    except idna.IDNAError:
        return label


def folded(text: str) -> str:
    """Small Latin letters without accents for all that looks like them."""
    apart = unicodedata.normalize("NFKD", text).lower().translate(_LOOKS)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def domain_likeness(asked: str, listed: str) -> Likeness | None:
    """Why one registered domain looks like another; None if it does not, or is the same."""
    (label, suffix), (other, another) = parts_of(asked), parts_of(listed)
    if asked == listed:
        return None
    if label == other:
        return Likeness.LETTERS if suffix == another else Likeness.SUFFIX
    return Likeness.EDITS if is_near(label, other) else None


def most_edits(text: str) -> int:
    """How many letters may differ: none in short texts, in which each other word would be alike."""
    return 0 if len(text) < 6 else 1 if len(text) < 9 else 2


def is_near(asked: str, other: str) -> bool:
    most = most_edits(asked)
    return abs(len(asked) - len(other)) <= most and distance(asked, other) <= most


def distance(one: str, other: str) -> int:
    """How many letters are put in, taken out or exchanged (Levenshtein)."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        before, row[0] = row[0], place
        for n, another in enumerate(other, 1):
            before, row[n] = row[n], min(row[n] + 1, row[n - 1] + 1, before + (letter != another))
    return row[-1]


def pieces(text: str) -> list[str]:
    """Parts of three letters and more, of which one is unharmed in all that is near: an index finds them."""
    count = most_edits(text) + 1
    size = len(text) // count
    return [text[n * size : (n + 1) * size if n < count - 1 else None] for n in range(count)]
