"""The register of issuers of e-money tokens (Art. 109(4) MiCA; ESMA's file EMTWP.csv), a row for each white paper."""

from regulations.importers.cell_rules import or_nothing, word
from regulations.importers.esma import FILES, FREQUENCY, LICENCE, PUBLISHER, issuers, sanities, tables
from regulations.importers.esma.papers import tokens
from regulations.importers.statements import Register

EXEMPTIONS = ("ae_exemption48_4", "ae_exemption48_5")
INSTITUTION = "ae_authorisation_other_emt"
TOKEN_GROUP, TOKENS = "ae_DTI_FFG", "ae_DTI"

REGISTER = Register(
    key="esma-emt",
    title="ESMA: issuers of e-money tokens under MiCA",
    publisher=PUBLISHER,
    url=f"{FILES}EMTWP.csv",
    licence=LICENCE,
    frequency=FREQUENCY,
    version=1,
    columns={
        **issuers.columns(),
        **{column: word(tables.answers(), "yes-no/1", "answers") for column in EXEMPTIONS},
        INSTITUTION: word(tables.institutions(), "institution/1", "sorts of issuers"),
        TOKEN_GROUP: or_nothing(tokens(most=1), tables.placeholders()),
        TOKENS: or_nothing(tokens(), tables.placeholders()),
    },
    state=issuers.state,
    sanities=(*issuers.sane(), sanities.readable(TOKEN_GROUP, TOKENS, *EXEMPTIONS, INSTITUTION)),
)
