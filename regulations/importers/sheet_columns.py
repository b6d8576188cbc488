"""Which field each column of a spreadsheet is: by the field's name, or by its label."""

from collections.abc import Iterator, Sequence

from regulations.importers.faults import Fault, Place, RefusedError, nearest
from regulations.importers.shapes import SHAPES, AnyField, AnyKeys, Shape

# The column that names a record's evidence; collections that cannot be cited have none.
SOURCE = "source"


def shape_of(collection: str) -> Shape:
    """The shape of a collection's records, by its name in the API or in the files. Raises ValueError."""
    kinds = {shape.kind: shape for shape in SHAPES}
    if found := kinds.get(collection.replace("-", "_")):
        return found
    meant = nearest(collection.replace("-", "_"), kinds) or f" There are {', '.join(kinds)}."
    raise ValueError(f"There is no collection “{collection}”.{meant}")


def is_citable(shape: Shape) -> bool:
    """Whether its records rest on citations of their own."""
    return shape.part("citations") is not None


def words(shape: Shape) -> dict[str, str]:
    """What may stand in the head of a sheet, plain, and the field that it means."""
    fields: dict[str, AnyField | AnyKeys] = {**shape.fields, **shape.lists}
    known = {_plain(str(field.verbose_name)): name for name, field in fields.items()}
    known |= {_plain(name): name for name in fields}
    return known | ({SOURCE: SOURCE} if is_citable(shape) else {})


def fields_of(shape: Shape, columns: Sequence[str], file: str) -> list[str]:
    """The field that each column means, in their order; empty for a column without a name.

    Raises RefusedError with every column that means none, that means what another means, or that is missing.
    """
    known = words(shape)
    fields = ["" if _is_unnamed(column) else known.get(_plain(column), column) for column in columns]
    place = Place(file, 1)
    faults = [Fault(place, reason) for reason in _wrong(shape, columns, fields)]
    if faults:
        raise RefusedError(faults)
    return fields


def _wrong(shape: Shape, columns: Sequence[str], fields: Sequence[str]) -> Iterator[str]:
    known = words(shape)
    for column, field in zip(columns, fields, strict=True):
        if shape.part(column):
            yield f"{column}: these are rows of their own, which a column cannot hold: keep them in the admin"
        elif field and field not in known.values():
            meant = nearest(_plain(column), known) or f" The columns are {', '.join(sorted(set(known.values())))}."
            yield f"{column}: there is no such column.{meant}"
    for field in sorted({field for field in fields if field and fields.count(field) > 1}):
        yield f"{field}: more than one column means this"
    for name in shape.identity:
        if name not in fields:
            yield f"{name}: this column is missing; by it the records are known"


def _plain(text: str) -> str:
    return " ".join(text.replace("_", " ").casefold().split())


def _is_unnamed(column: str) -> bool:
    return column.startswith("(") and column.endswith(")")
