"""The list of white papers of other crypto-assets (Art. 109(2) MiCA; ESMA's file OTHER.csv), a row for each notice.

It tells who issues the token, and who offers it or seeks its admission to trading if that is another.
"""

import re

from regulations.importers.cell_leis import lei
from regulations.importers.cell_rules import day, folded, or_nothing, text
from regulations.importers.esma import FILES, FREQUENCY, LICENCE, PUBLISHER, sanities, tables
from regulations.importers.esma.authorities import authority
from regulations.importers.esma.firms import AUTHORITY, LEI, NAME, Readings, established, several_of, text_of
from regulations.importers.esma.papers import paper_things, papers, tokens
from regulations.importers.esma.states import HOME, LEI_COUNTRY, country, home, states
from regulations.importers.readings import Cell, Reading, Reason, Rule, quarantined
from regulations.importers.statements import Firm, Register, Statement

OFFEROR, OFFEROR_LEI, OFFERED_IN = "ae_lei_name_casp", "ae_lei_casp", "ae_offerCode_cou"
TOKEN_GROUP, TOKENS = "ae_DTI_FFG", "ae_DTI"
PAPERS, COMMENTS, UPDATED = "wp_url", "wp_comments", "wp_lastupdate"

# Two firms in one cell, each with its part in quotation marks and brackets.
TWO_FIRMS = re.compile(r"\([“\"][^)]*\).+\([“\"]")


def state(readings: Readings) -> Statement:
    """The white papers of a row: the issuer's, or the offeror's where no issuer can be read."""
    firms = [firm for firm in (_issuer(readings), _offeror(readings)) if firm.name]
    found = several_of(readings, PAPERS)
    if not firms:
        return Statement(
            _issuer(readings), set_aside="The row names neither an issuer nor an offeror that can be read."
        )
    if not found:
        return Statement(firms[0], set_aside="The row has no address of a white paper that can be read.")
    return Statement(firms[0], tuple(paper_things(firms[0], found, others=tuple(firms[1:]))))


def _issuer(readings: Readings) -> Firm:
    name = text_of(readings, NAME)
    fields = established({"legal_name": name, "incorporated_in": text_of(readings, LEI_COUNTRY)})
    return Firm(name, text_of(readings, LEI), folded(readings[LEI].raw), fields)


def _offeror(readings: Readings) -> Firm:
    name = text_of(readings, OFFEROR)
    return Firm(
        name, text_of(readings, OFFEROR_LEI), folded(readings[OFFEROR_LEI].raw), established({"legal_name": name})
    )


def one_firm() -> Rule:
    """The name of one firm; a sentence that there is none, or the names of two, are put aside."""
    read_text = text(300)

    def read(cell: Cell) -> Reading:
        written = folded(cell.raw)
        if written.casefold().startswith(tuple(f"{word}:" for word in tables.placeholders())):
            return quarantined(Reason.MALFORMED, "This says why there is no name.")
        if TWO_FIRMS.search(written):
            return quarantined(Reason.MALFORMED, "These are the names of two firms.")
        return read_text(cell)

    return or_nothing(read, tables.placeholders())


REGISTER = Register(
    key="esma-other",
    title="ESMA: white papers of other crypto-assets under MiCA",
    publisher=PUBLISHER,
    url=f"{FILES}OTHER.csv",
    licence=LICENCE,
    frequency=FREQUENCY,
    version=1,
    columns={
        AUTHORITY: authority(),
        HOME: home(),
        NAME: one_firm(),
        LEI: or_nothing(lei(), tables.placeholders()),
        LEI_COUNTRY: or_nothing(country(), tables.placeholders()),
        OFFEROR: one_firm(),
        OFFEROR_LEI: or_nothing(lei(), tables.placeholders()),
        OFFERED_IN: or_nothing(states(), tables.placeholders()),
        TOKEN_GROUP: or_nothing(tokens(most=1), tables.placeholders()),
        TOKENS: or_nothing(tokens(), tables.placeholders()),
        PAPERS: or_nothing(papers(), tables.placeholders()),
        COMMENTS: or_nothing(text(), tables.placeholders("remarks")),
        UPDATED: or_nothing(day(), tables.placeholders()),
    },
    state=state,
    sanities=(
        sanities.filled(HOME, AUTHORITY),
        sanities.readable(LEI_COUNTRY, OFFEROR_LEI, OFFERED_IN, TOKEN_GROUP, TOKENS, UPDATED),
        *(sanities.fuller(NAME, than=column) for column in (OFFEROR, COMMENTS)),
        sanities.fuller(PAPERS, than=COMMENTS),
        sanities.homes(HOME, LEI_COUNTRY),
        sanities.remarks(COMMENTS),
        sanities.named(NAME, LEI),
        sanities.named(OFFEROR, OFFEROR_LEI),
        sanities.one_name_each(NAME, LEI),
    ),
)
