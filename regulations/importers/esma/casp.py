"""The register of crypto-asset service providers (Art. 109(5) MiCA; ESMA's file CASPS.csv).

It lists under one head who was authorised (Art. 63) and who gave notice (Art. 60), and does not tell them apart.
"""

from datetime import date

from regulations.importers.cell_addresses import addresses
from regulations.importers.cell_leis import lei
from regulations.importers.cell_rules import day, names, or_nothing, required, text
from regulations.importers.esma import FILES, FREQUENCY, LICENCE, POLICY, PUBLISHER, sanities, tables
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
from regulations.importers.esma.services import services
from regulations.importers.esma.states import HOME, LEI_COUNTRY, country, home, states
from regulations.importers.statements import Kind, Register, Statement, Thing
from regulations.models import Authorisation

PLATFORM_SITE, COMMENTS = "ae_website_platform", "ac_comments"
GRANTED, ENDED, UPDATED = "ac_authorisationNotificationDate", "ac_authorisationEndDate", "ac_lastupdate"
SERVICES, PASSPORTS = "ac_serviceCode", "ac_serviceCode_cou"


def state(readings: Readings) -> Statement:
    """A row's firm, and its authorisation.

    Where it is valid are the listed states but the home state, which most lists have and others leave out: a passport
    leads abroad. What the cells do not say is left out; no list of states means that none is established.
    """
    if why := lacking(readings):
        return Statement(firm_of(readings), set_aside=why)
    granted = day_of(readings, GRANTED)
    thing = Thing(Kind.AUTHORISATION, _fields(readings, granted), granted.isoformat() if granted else "", may_move=True)
    return Statement(firm_of(readings), (thing,))


def _fields(readings: Readings, granted: date | None) -> dict[str, Said]:
    fields: dict[str, Said] = {
        "regulator": text_of(readings, AUTHORITY),
        "policy": POLICY,
        "jurisdiction": text_of(readings, HOME),
        "kind": Authorisation.Kind.LISTED.value,
    }
    topics = {service.letter: service.topic for service in tables.services()}
    if letters := several_of(readings, SERVICES):
        fields["activities"] = frozenset(topics[letter] for letter in letters)
    if abroad := frozenset(several_of(readings, PASSPORTS)) - {text_of(readings, HOME)}:
        fields["valid_in"] = abroad
    if granted:
        fields["granted_on"] = granted
    if is_readable(readings, ENDED):
        # An empty cell says that it has not ended.
        fields["ended_on"] = day_of(readings, ENDED)
    return fields


REGISTER = Register(
    key="esma-casp",
    title="ESMA: crypto-asset service providers under MiCA",
    publisher=PUBLISHER,
    url=f"{FILES}CASPS.csv",
    licence=LICENCE,
    frequency=FREQUENCY,
    version=1,
    columns={
        AUTHORITY: authority(),
        HOME: home(),
        NAME: required(text(300)),
        LEI: required(lei()),
        LEI_COUNTRY: country(),
        COMMERCIAL_NAME: or_nothing(names(), tables.placeholders()),
        ADDRESS: text(),
        WEBSITE: or_nothing(addresses(), tables.placeholders()),
        PLATFORM_SITE: or_nothing(addresses(), tables.placeholders()),
        GRANTED: required(day()),
        ENDED: or_nothing(day(not_before=GRANTED), tables.placeholders()),
        SERVICES: services(),
        PASSPORTS: states(),
        COMMENTS: or_nothing(text(), tables.placeholders("remarks")),
        UPDATED: day(not_before=GRANTED),
    },
    state=state,
    sanities=(
        sanities.filled(HOME, AUTHORITY, NAME, LEI, GRANTED),
        sanities.readable(LEI_COUNTRY, ENDED, SERVICES, PASSPORTS, PLATFORM_SITE, UPDATED),
        sanities.in_order(GRANTED, UPDATED),
        sanities.fuller(UPDATED, than=ENDED),
        sanities.homes(HOME, LEI_COUNTRY),
        sanities.fuller(WEBSITE, than=PLATFORM_SITE),
        *(sanities.fuller(column, than=COMMENTS) for column in (NAME, COMMERCIAL_NAME, ADDRESS, WEBSITE)),
        sanities.remarks(COMMENTS),
        sanities.legal_forms(NAME, COMMERCIAL_NAME),
        *(sanities.house_numbers(ADDRESS, column) for column in (NAME, COMMERCIAL_NAME)),
        sanities.one_name_each(NAME, LEI),
    ),
)
