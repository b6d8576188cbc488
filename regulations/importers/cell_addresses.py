"""How addresses in the web are read: several to a cell, with the scheme that is left out, never a page's title."""

import re
from urllib.parse import urlsplit

from regulations.importers.cell_damage import sound
from regulations.importers.cell_rules import INVISIBLE, folded, spelled
from regulations.importers.readings import Cell, Reading, Reason, Rule, normalised, quarantined

ADDRESSES = "addresses/1"
# The scheme of an address that was written without: the one thing that the rule adds.
DEFAULT_SCHEME = "https://"
LONGEST = 600

SEPARATOR = re.compile(r"[|\r\n]|[\s,;]+(?=https?://|www\.)", re.IGNORECASE)
LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
HOST = rf"(?:{LABEL}\.)+(?:[^\W\d_]{{2,24}}|xn--[a-z0-9-]{{2,59}})"
ADDRESS = re.compile(rf"(?P<scheme>https?://)?{HOST}\.?(?::[0-9]{{1,5}})?(?:[/?#][^\s<>\"|\\^`{{}}]*)?", re.IGNORECASE)
# `https.//`, `https:/`, `ttps://`: a scheme with a sign or a letter wrong.
BROKEN_SCHEME = re.compile(r"h?t{1,3}p(?P<safe>s?)\s?[:.;,]{0,2}\s?/{1,3}\s?(?=\w)", re.IGNORECASE)
# What looks like an address without a scheme, and is the name of a file.
FILE = re.compile(r"[^/]+\.(?:pdf|docx?|xlsx?|x?html?|txt|zip)", re.IGNORECASE)


def addresses() -> Rule:
    """Addresses that `|` or line breaks part, each once and with its scheme, in their order."""

    def read(cell: Cell) -> Reading:
        items = [item for part in SEPARATOR.split(cell.raw.translate(INVISIBLE)) if (item := folded(part).strip(" ,;"))]
        if not items:
            return spelled(cell, "")
        found = [_address(item) for item in items]
        if all(found):
            return normalised(tuple(dict.fromkeys(found)), ADDRESSES)
        meant = [
            address or _address(BROKEN_SCHEME.sub(_scheme, item, count=1))
            for address, item in zip(found, items, strict=True)
        ]
        proposal = " | ".join(meant) if all(meant) else ""
        return quarantined(Reason.MALFORMED, "This is no address in the web.", proposal)

    return sound(read)


def host_of(address: str) -> str:
    """The host of a read address, in small letters."""
    return (urlsplit(address).hostname or "").rstrip(".")


def _address(item: str) -> str:
    """The address with its scheme; empty if it is none."""
    form = ADDRESS.fullmatch(item)
    if not form or len(item) > LONGEST - len(DEFAULT_SCHEME):
        return ""
    if form["scheme"]:
        return item
    return "" if FILE.fullmatch(item) else DEFAULT_SCHEME + item


def _scheme(broken: re.Match[str]) -> str:
    return f"http{broken['safe'].lower()}://"
