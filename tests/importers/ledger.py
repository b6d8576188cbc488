"""A small register made up for tests of the frame: firms with a LEI, a day and what they may do."""

import csv
import io
from datetime import date

import pytest

from regulations.importers.readings import Reason, kept, normalised, quarantined
from regulations.importers.runs import preview, publish
from regulations.importers.statements import Firm, Kind, Register, Statement, Thing
from regulations.models import Authorisation
from regulations.models.companies import validate_lei
from tests.factories import make_jurisdiction, make_policy, make_regulator, make_topic

COLUMNS = ["ae_lei_name", "ae_lei", "day", "activities", "places"]
ACTIVITIES = {"keeping": "custody", "dealing": "brokerage"}
ALPHA, BETA, GAMMA, DELTA, EPSILON = (
    "529900T8BM49AURSDO55",
    "5493001KJTIIGC8Y1R12",
    "213800WSGIIZCXF1P572",
    "635400AKJBGNS5WNQL34",
    "549300MLUDYVRQOOXS22",
)


def _lei(cell):
    try:
        validate_lei(cell.raw)
    except Exception:
        return quarantined(Reason.CHECK_DIGITS, "The LEI is wrong.") if cell.raw else kept(cell)
    return kept(cell)


def _day(cell):
    return normalised(date.fromisoformat(cell.raw), "day/1") if cell.raw else quarantined(Reason.MISSING, "No day.")


def _activities(cell):
    words = [word for word in cell.raw.split("|") if word]
    if unknown := [word for word in words if word not in ACTIVITIES]:
        return quarantined(Reason.UNKNOWN, f"{unknown[0]} is not known.")
    return normalised(tuple(ACTIVITIES[word] for word in words), "activities/1")


def _places(cell):
    return normalised(tuple(cell.raw.split("|")), "places/1") if cell.raw else kept(cell)


def _state(readings):
    said = {column: reading.value for column, reading in readings.items()}
    fields = {"regulator": "xx-fsa", "policy": "xx-act", "jurisdiction": "XX", "kind": "licence", "ended_on": None}
    fields |= {"granted_on": said["day"]} if said["day"] else {}
    fields |= {"activities": frozenset(said["activities"])} if said["activities"] else {}
    fields |= {"valid_in": frozenset(said["places"])} if said["places"] else {}
    if not said["ae_lei_name"]:
        return Statement(set_aside="The row has no name.")
    return Statement(
        Firm(said["ae_lei_name"], said["ae_lei"] or "", readings["ae_lei"].raw, {"incorporated_in": "XX"}),
        (Thing(Kind.AUTHORISATION, fields, str(said["day"] or ""), may_move=True),),
    )


LEDGER = Register(
    key="xx-ledger",
    title="Ledger of the FSA of X",
    publisher="xx-fsa",
    url="https://fsa.example/ledger.csv",
    licence="none",
    frequency="daily",
    version=1,
    columns=dict(zip(COLUMNS, [kept, _lei, _day, _activities, _places], strict=True)),
    state=_state,
)


@pytest.fixture
def ledger(db):
    """The ledger, with all that its rows refer to."""
    ground()
    return LEDGER


def ground():
    """Make what the rows of the ledger refer to."""
    place = make_jurisdiction(code="XX")
    make_jurisdiction(code="YY"), make_jurisdiction(code="ZZ")
    make_regulator(slug="xx-fsa", jurisdiction=place)
    make_policy(slug="xx-act", jurisdiction=place)
    for topic in ACTIVITIES.values():
        make_topic(slug=topic)


def as_file(*rows, columns=COLUMNS):
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    return text.getvalue().encode()


def row(name="Alpha AG", lei=ALPHA, day="2025-01-02", activities="keeping", places=""):
    return [name, lei, day, activities, places]


def read(register, *rows, on=date(2026, 1, 1)):
    return preview(register, as_file(*rows), "ledger.csv", on, "a test")


def imported(register, *rows, on=date(2026, 1, 1), release_reason=""):
    """Read and publish; the run, or None if there was nothing to do."""
    run = read(register, *rows, on=on)
    return run and publish(register, run.pk, "a test", release_reason)


def states(run):
    return [each.state for each in run.rows.all()]


def held():
    """What the ledger's firms hold now, in short."""
    return {
        each.key: (each.company.name, each.granted_on and str(each.granted_on), each.ended_on and str(each.ended_on))
        for each in Authorisation.objects.select_related("company").order_by("key")
    }
