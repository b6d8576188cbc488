"""What the registers of e-money tokens and of asset-referenced tokens say alike: the issuer, permitted and on paper."""

from datetime import date

from regulations.importers.cell_addresses import addresses
from regulations.importers.cell_leis import lei
from regulations.importers.cell_rules import day, names, or_nothing, required, text
from regulations.importers.esma import POLICY, sanities, tables
from regulations.importers.esma.authorities import authority
from regulations.importers.esma.firms import (
    ADDRESS,
    AUTHORITY,
    COMMERCIAL_NAME,
    LEI,
    NAME,
    WEBSITE,
    Readings,
    Said,
    day_of,
    firm_of,
    is_readable,
    lacking,
    several_of,
    text_of,
)
from regulations.importers.esma.papers import paper_things, papers
from regulations.importers.esma.states import HOME, LEI_COUNTRY, country, home
from regulations.importers.readings import Rule
from regulations.importers.statements import Kind, Sanity, Statement, Thing
from regulations.models import Authorisation

ACTIVITY = "stablecoin-issuance"
GRANTED, ENDED = "ac_authorisationNotificationDate", "ac_authorisationEndDate"
# Titles III and IV apply from this day on (Art. 149(3) MiCA); who was permitted before was so under the law on e-money.
APPLIES_FROM = date(2024, 6, 30)
PAPERS, PAPER_ON, COMMENTS, UPDATED = "wp_url", "wp_authorisationNotificationDate", "wp_comments", "wp_lastupdate"


def state(readings: Readings) -> Statement:
    """A row's firm, its authorisation as an issuer, and the white papers at the addresses that it gives."""
    if why := lacking(readings):
        return Statement(firm_of(readings), set_aside=why)
    firm, granted = firm_of(readings), day_of(readings, GRANTED)
    apart = granted.isoformat() if granted else ""
    permission = Thing(Kind.AUTHORISATION, _permission(readings), apart, may_move=True)
    return Statement(firm, (permission, *paper_things(firm, several_of(readings, PAPERS), day_of(readings, PAPER_ON))))


def _permission(readings: Readings) -> dict[str, Said]:
    fields: dict[str, Said] = {
        "regulator": text_of(readings, AUTHORITY),
        "jurisdiction": text_of(readings, HOME),
        "kind": Authorisation.Kind.LISTED.value,
        "activities": frozenset({ACTIVITY}),
    }
    if granted := day_of(readings, GRANTED):
        fields["granted_on"] = granted
    if not granted or granted >= APPLIES_FROM:
        fields["policy"] = POLICY
    if is_readable(readings, ENDED):
        # An empty cell says that it has not ended.
        fields["ended_on"] = day_of(readings, ENDED)
    return fields


def columns() -> dict[str, Rule]:
    """The rules for the columns that both registers have."""
    nothing = tables.placeholders()
    return {
        AUTHORITY: authority(),
        HOME: home(),
        NAME: required(text(300)),
        LEI: required(lei()),
        LEI_COUNTRY: or_nothing(country(), nothing),
        COMMERCIAL_NAME: or_nothing(names(), nothing),
        ADDRESS: text(),
        WEBSITE: or_nothing(addresses(), nothing),
        GRANTED: required(day()),
        ENDED: or_nothing(day(not_before=GRANTED), nothing),
        PAPERS: or_nothing(papers(), nothing),
        PAPER_ON: or_nothing(day(), nothing),
        COMMENTS: or_nothing(text(), tables.placeholders("remarks")),
        UPDATED: or_nothing(day(not_before=GRANTED), nothing),
    }


def sane() -> tuple[Sanity, ...]:
    """What tells the columns apart that both registers have."""
    return (
        sanities.filled(HOME, AUTHORITY, NAME, LEI, GRANTED),
        sanities.readable(LEI_COUNTRY, ENDED, PAPER_ON, UPDATED),
        sanities.in_order(GRANTED, UPDATED),
        sanities.in_order(GRANTED, PAPER_ON),
        # Papers are notified before the last update, but for those that are announced in advance.
        sanities.in_order(PAPER_ON, UPDATED, most=0.5),
        *(sanities.fuller(column, than=ENDED) for column in (UPDATED, PAPER_ON)),
        sanities.homes(HOME, LEI_COUNTRY),
        *(sanities.fuller(column, than=COMMENTS) for column in (NAME, COMMERCIAL_NAME, ADDRESS, WEBSITE)),
        sanities.remarks(COMMENTS),
        sanities.paths(PAPERS, WEBSITE),
        sanities.legal_forms(NAME, COMMERCIAL_NAME),
        *(sanities.house_numbers(ADDRESS, column) for column in (NAME, COMMERCIAL_NAME, COMMENTS)),
        sanities.one_name_each(NAME, LEI),
    )
