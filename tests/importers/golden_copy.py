"""A golden copy of GLEIF made up for tests: the columns that we read, some that we do not, and rows of five firms."""

import csv
import io
from datetime import date

from regulations.importers.gleif import COLUMNS, sift
from regulations.importers.identity import fold
from regulations.importers.lei_checks import check, publish
from regulations.importers.leis import wanted

DAY = date(2026, 2, 9)
OTHER = "Entity.OtherEntityNames.OtherEntityName.1"
HEAD = ["Entity.EntityCategory", *COLUMNS.values(), f"{OTHER}.type", OTHER, "ConformityFlag"]
USUAL = {
    "legal_name": "Alpha AG",
    "jurisdiction": "DE",
    "headquarters": "DE",
    "authority": "RA000242",
    "number": "HRB 12",
    "entity_status": "ACTIVE",
    "status": "ISSUED",
    "updated": "2026-01-30T08:00:00Z",
}


def record(lei, other="", **facts):
    """One row of a golden copy, naming only the cells that matter."""
    told = {COLUMNS[name]: value for name, value in {**USUAL, **facts, "lei": lei}.items()}
    return [{**told, OTHER: other}.get(column, "") for column in HEAD]


def golden_copy(*rows, head=HEAD):
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([head, *rows])
    return text.getvalue().encode()


def sifted(content, leis=(), names=()):
    return sift(io.BytesIO(content), set(leis), set(names), fold, lambda sentence: None)


def checked(*rows, day=DAY):
    """What a check against these records would come to."""
    asked = wanted()
    return check(asked, sifted(golden_copy(*rows), asked.leis, asked.nameless), day)


def published(*rows, day=DAY):
    """Check and publish; how many companies were written to."""
    return publish(checked(*rows, day=day), day)


def told(found):
    return [(str(each.outcome), each.about, each.sentence) for each in found.findings]
