"""The registers that can be imported, by the name that commands and records have for them."""

from regulations.importers.esma import art, casp, emt, ncasp, other
from regulations.importers.statements import Register

REGISTERS: dict[str, Register] = {module.REGISTER.key: module.REGISTER for module in (casp, emt, art, other, ncasp)}
