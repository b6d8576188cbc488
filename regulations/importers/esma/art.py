"""The register of issuers of asset-referenced tokens (Art. 109(3) MiCA; ESMA's file ARTZZ.csv); empty until 2026."""

from regulations.importers.cell_rules import word
from regulations.importers.esma import FILES, FREQUENCY, LICENCE, PUBLISHER, issuers, sanities, tables
from regulations.importers.esma.states import states
from regulations.importers.statements import Register

CREDIT_INSTITUTION, OFFERED_IN = "ae_credit_institution", "wp_url_cou"

REGISTER = Register(
    key="esma-art",
    title="ESMA: issuers of asset-referenced tokens under MiCA",
    publisher=PUBLISHER,
    url=f"{FILES}ARTZZ.csv",
    licence=LICENCE,
    frequency=FREQUENCY,
    version=1,
    columns={
        **issuers.columns(),
        CREDIT_INSTITUTION: word(tables.answers(), "yes-no/1", "answers"),
        OFFERED_IN: states(),
    },
    state=issuers.state,
    may_be_empty=True,
    sanities=(*issuers.sane(), sanities.readable(CREDIT_INSTITUTION, OFFERED_IN)),
)
