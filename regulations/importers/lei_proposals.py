"""GLEIF's records against LEI cells that registers could not be read in: does the LEI that can be meant exist?"""

from collections.abc import Collection, Mapping
from datetime import date

from regulations.importers.gleif import LeiRecord
from regulations.importers.identity import fold
from regulations.importers.leis import LEI_COLUMN, READER, STANDING, Checked, Outcome, Proposal
from regulations.models import Ruling


def check_proposals(
    proposals: Collection[Proposal], by_lei: Mapping[str, LeiRecord], day: date, checked: Checked
) -> None:
    records = [record for each in proposals if (record := by_lei.get(each.lei))]
    folded = fold({each.name for each in proposals} | {name for record in records for name in record.names})
    for each in proposals:
        about, record = f"{each.register}, {each.name}", by_lei.get(each.lei)
        if record is None:
            checked.tell(Outcome.ABSENT, about, f"{each.lei}, proposed for “{each.raw}”, has no record.")
        elif why := _why_not(each, record, folded):
            checked.tell(Outcome.WAITING, about, why)
        else:
            checked.rulings.append(_ruling(each, record, day))
            checked.tell(Outcome.RULED, about, f"“{each.raw}” is {each.lei}, “{record.legal_name}”.")


def _why_not(proposal: Proposal, record: LeiRecord, folded: Mapping[str, str]) -> str:
    if record.status not in STANDING:
        return f"The registration of {record.lei} is {record.status or 'without a status'}."
    if folded[proposal.name] and folded[proposal.name] in {folded[name] for name in record.names}:
        return ""
    return f"{record.lei}, proposed for “{proposal.raw}”, is the LEI of “{record.legal_name}”."


def _ruling(proposal: Proposal, record: LeiRecord, day: date) -> Ruling:
    reason = f"GLEIF golden copy of {day}: {record.lei} is {record.status}, last updated {record.updated},"
    return Ruling(
        about=Ruling.About.CELL,
        register=proposal.register,
        name=proposal.name,
        column=LEI_COLUMN,
        raw=proposal.raw,
        value=proposal.lei,
        decided_by=READER,
        reason=f"{reason} and its name is “{record.legal_name}”."[:500],
    )
