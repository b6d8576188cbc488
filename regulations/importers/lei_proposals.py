"""GLEIF's records against what registers say: does the LEI that a cell has, or can mean, exist under the firm's name?"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from regulations.importers.gleif import LeiRecord
from regulations.importers.identity import fold
from regulations.importers.leis import READER, STANDING, Checked, Listing, Outcome, Proposal
from regulations.models import Ruling


def check_proposals(
    proposals: Collection[Proposal], by_lei: Mapping[str, LeiRecord], day: date, checked: Checked
) -> None:
    """Rule on each proposal whose LEI stands for the firm of its row; leave any other to a person."""
    folded = _folded(proposals, by_lei)
    for each in proposals:
        about, record = f"{each.register}, {each.name}", by_lei.get(each.lei)
        if record is None:
            checked.tell(Outcome.ABSENT, about, f"{each.lei}, proposed for “{each.raw}”, has no record.")
        elif why := _why_not(each.firm, record, folded):
            checked.tell(Outcome.WAITING, about, f"“{each.raw}”: {why}")
        else:
            checked.rulings.append(_ruling(each, record, day))
            checked.tell(Outcome.RULED, about, f"“{each.raw}” is {each.lei}, “{record.legal_name}”.")


def check_listings(listings: Collection[Listing], by_lei: Mapping[str, LeiRecord], checked: Checked) -> None:
    """Tell for each LEI of a register that is none of ours whether it stands for the firm; nothing is made of it."""
    folded = _folded(listings, by_lei)
    for each in listings:
        about, record = f"{each.register}, {each.firm}", by_lei.get(each.lei)
        if record is None:
            checked.tell(Outcome.ABSENT, about, f"There is no record of the LEI {each.lei}.")
        elif why := _why_not(each.firm, record, folded):
            checked.tell(Outcome.WAITING, about, why)
        else:
            checked.tell(Outcome.CONFIRMED, about, f"{each.lei} is the LEI of “{record.legal_name}”.")


def _folded(asked: Iterable[Proposal | Listing], by_lei: Mapping[str, LeiRecord]) -> dict[str, str]:
    asked = list(asked)
    records = [record for each in asked if (record := by_lei.get(each.lei))]
    return fold({each.firm for each in asked} | {name for record in records for name in record.names})


def _why_not(firm: str, record: LeiRecord, folded: Mapping[str, str]) -> str:
    if record.status not in STANDING:
        return f"The registration of {record.lei} is {record.status or 'without a status'}."
    if folded[firm] and folded[firm] in {folded[name] for name in record.names}:
        return ""
    return f"{record.lei} is the LEI of “{record.legal_name}”."


def _ruling(proposal: Proposal, record: LeiRecord, day: date) -> Ruling:
    reason = f"GLEIF golden copy of {day}: {record.lei} is {record.status}, last updated {record.updated},"
    return Ruling(
        about=Ruling.About.CELL,
        register=proposal.register,
        name=proposal.name,
        column=proposal.column,
        raw=proposal.raw,
        value=proposal.lei,
        decided_by=READER,
        reason=f"{reason} and its name is “{record.legal_name}”."[:500],
    )
