"""The list of entities that break Title V of MiCA (Art. 110; ESMA's file NCASP.csv), nearly all of them Italy's.

Few authorities report: who does not stand in it may be no better than who does.
"""

from regulations.importers.cell_addresses import addresses, host_of
from regulations.importers.cell_leis import lei
from regulations.importers.cell_rules import day, folded, names, or_nothing, required, text
from regulations.importers.esma import FILES, FREQUENCY, LICENCE, PUBLISHER, sanities, tables
from regulations.importers.esma.authorities import authority
from regulations.importers.esma.firms import (
    AUTHORITY,
    COMMERCIAL_NAME,
    LEI,
    NAME,
    WEBSITE,
    WORDS,
    Readings,
    Said,
    day_of,
    several_of,
    text_of,
)
from regulations.importers.esma.states import HOME, LEI_COUNTRY, country, home
from regulations.importers.statements import Firm, Kind, Register, Statement, Thing
from regulations.models import EnforcementAction

INFRINGEMENT, REASON, COMMENTS = "ae_infrigment", "ae_reason", "ae_comments"
DECIDED, UPDATED = "ae_decision_date", "ae_lastupdate"
LONGEST_TITLE, LONGEST_APART = 300, 2000


def state(readings: Readings) -> Statement:
    """The warning of a row. Whom it is about becomes no company of ours: it is a name that somebody uses."""
    listed = several_of(readings, NAME)
    firm = Firm("".join(listed[:1]), text_of(readings, LEI), folded(readings[LEI].raw), becomes_company=False)
    said = {NAME: listed, **{column: text_of(readings, column) for column in (HOME, AUTHORITY)}}
    if missing := [WORDS[column] for column, value in said.items() if not value]:
        return Statement(firm, set_aside=f"Nothing can be made of the row without its {' and its '.join(missing)}.")
    decided = day_of(readings, DECIDED)
    apart = " ".join([decided.isoformat() if decided else "", " | ".join(sorted(listed))]).strip()
    return Statement(firm, (Thing(Kind.WARNING, _fields(readings, listed), apart[:LONGEST_APART]),))


def _fields(readings: Readings, listed: tuple[str, ...]) -> dict[str, Said]:
    fields: dict[str, Said] = {
        "regulator": text_of(readings, AUTHORITY),
        "jurisdiction": text_of(readings, HOME),
        "kind": EnforcementAction.Kind.WARNING.value,
        "title": f"Warning about {', '.join(listed)}"[:LONGEST_TITLE],
        "names": frozenset({*listed, *several_of(readings, COMMERCIAL_NAME)}),
    }
    if decided := day_of(readings, DECIDED):
        fields["announced_on"] = decided
    if hosts := frozenset(host_of(address) for address in several_of(readings, WEBSITE)):
        fields["domains"] = hosts
    if remarks := [said for column in (INFRINGEMENT, REASON, COMMENTS) if (said := text_of(readings, column))]:
        fields["summary"] = " ".join(remarks)
    return fields


REGISTER = Register(
    key="esma-ncasp",
    title="ESMA: entities that provide crypto-asset services in breach of MiCA",
    publisher=PUBLISHER,
    url=f"{FILES}NCASP.csv",
    licence=LICENCE,
    frequency=FREQUENCY,
    version=1,
    columns={
        AUTHORITY: authority(),
        HOME: home(),
        NAME: required(or_nothing(names(300), tables.placeholders("remarks"))),
        LEI: or_nothing(lei(), tables.placeholders()),
        LEI_COUNTRY: or_nothing(country(), tables.placeholders()),
        COMMERCIAL_NAME: or_nothing(names(300), tables.placeholders("remarks")),
        WEBSITE: or_nothing(addresses(), tables.placeholders()),
        **{column: or_nothing(text(), tables.placeholders("remarks")) for column in (INFRINGEMENT, REASON, COMMENTS)},
        DECIDED: required(day()),
        UPDATED: or_nothing(day(not_before=DECIDED), tables.placeholders()),
    },
    state=state,
    sanities=(
        sanities.filled(HOME, AUTHORITY, NAME, DECIDED),
        sanities.homes(HOME, LEI_COUNTRY),
        # They are nearly always empty: one cell that cannot be read is telling.
        sanities.readable(LEI, LEI_COUNTRY, few=1),
        sanities.in_order(DECIDED, UPDATED),
        *(
            sanities.fuller(column, than=remark)
            for column in (NAME, COMMERCIAL_NAME, WEBSITE)
            for remark in (INFRINGEMENT, REASON, COMMENTS)
        ),
        sanities.remarks(INFRINGEMENT, REASON, COMMENTS),
    ),
)
