"""Whole lists as files: newline-delimited JSON, one record a line, and CSV (RFC 4180), one record a row.

A file is written to its end, compressed, before its first byte is sent. So its length is told, and nobody takes a part
of it for the whole: our server ends a stream that fails just as it ends one that is complete. And a reader however slow
holds no transaction open.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from tempfile import SpooledTemporaryFile
from threading import BoundedSemaphore
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.exceptions import APIException

from kbase.reading.answers import all_rows
from kbase.reading.compression import LEVEL, accepts_gzip
from kbase.reading.fields import Code, OneOf
from kbase.reading.problems import RETRY_AFTER_SECONDS
from kbase.reading.questions import ListQuestion

if TYPE_CHECKING:
    from kbase.reading.resources import Resource

MEDIA_TYPES = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
# A file larger than this, compressed, is kept on disk.
KEPT_IN_MEMORY = 1024 * 1024
BLOCK = 64 * 1024
# A spreadsheet takes text that begins so for a formula. Source: OWASP, CSV injection.
FORMULA = ("=", "+", "-", "@", "\t", "\r")

_exporting = BoundedSemaphore(settings.EXPORTS_AT_ONCE)


class Busy(APIException):
    """As many files are being made or sent as we make at once."""

    status_code = 503
    default_detail = "Other exports are being made. Try again soon."
    wait = RETRY_AFTER_SECONDS


class ExportResponse(FileResponse):
    """A file on its way to one reader."""

    block_size = BLOCK

    def close(self) -> None:
        if not self.closed:
            super().close()
            _exporting.release()


class Unpacked(gzip.GzipFile):
    """A compressed file as who takes no gzip reads it: from the beginning to the end."""

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        file = self.fileobj
        super().close()
        if file:
            file.close()


def export(resource: type[Resource], question: ListQuestion, root: str, request: HttpRequest) -> HttpResponseBase:
    """The whole list as a file. HEAD makes none, and so tells no length.

    Raises Busy.
    """
    headers = {"Content-Disposition": f'attachment; filename="{_name(resource, question)}"'}
    content_type = f"{MEDIA_TYPES[question.format]}; charset=utf-8"
    if request.method == "HEAD":
        response = HttpResponse(content_type=content_type, headers=headers)
        if accepts_gzip(request):
            response["Content-Encoding"] = "gzip"
        return response
    if not _exporting.acquire(blocking=False):
        raise Busy
    try:
        file, length = _written(resource, question, root)
        if accepts_gzip(request):
            return ExportResponse(file, content_type=content_type, headers={**headers, "Content-Encoding": "gzip"})
        unpacked: Any = Unpacked(fileobj=file, mode="rb")
        return ExportResponse(unpacked, content_type=content_type, headers={**headers, "Content-Length": str(length)})
    except BaseException:
        _exporting.release()
        raise


def columns(serializer: serializers.Serializer) -> list[tuple[str, ...]]:
    """The columns of a CSV: the paths to the values that have no parts, through lists as through records."""
    return list(dict.fromkeys(_paths(serializer)))


def cell(record: Any, path: tuple[str, ...]) -> str:
    """What stands at the path, as a cell; text that a spreadsheet would run gets an apostrophe."""
    value = _at(record, path)
    text = _text(value)
    return f"'{text}" if isinstance(value, str | list) and text.startswith(FORMULA) else text


def _written(resource: type[Resource], question: ListQuestion, root: str) -> tuple[IO[bytes], int]:
    """The file, compressed and rewound, and how many bytes it has when unpacked."""
    file: Any = SpooledTemporaryFile(KEPT_IN_MEMORY)  # noqa: SIM115 (the response closes it)
    rows = all_rows(resource, question, root)
    try:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=LEVEL, mtime=0) as packed:
            if question.format == "csv":
                _write_csv(packed, columns(resource.serializer_class(selection=question.selection)), rows)
            else:
                packed.writelines(row + b"\n" for row in rows)
            length = packed.tell()
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file, length


def _write_csv(file: gzip.GzipFile, paths: list[tuple[str, ...]], rows: Iterable[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(".".join(path) for path in paths)
    for row in rows:
        # As decimals, numbers keep all of their digits.
        record = json.loads(row, parse_float=Decimal)
        writer.writerow([cell(record, path) for path in paths])
    text.detach()


def _paths(field: Any) -> Iterator[tuple[str, ...]]:
    if isinstance(field, serializers.ListSerializer):
        yield from _paths(field.child)
    elif isinstance(field, serializers.Serializer):
        yield from ((name, *rest) for name, each in field.fields.items() for rest in _paths(each))
    elif isinstance(field, OneOf):
        yield from [("type",)] if field.has_type else []
        yield from (path for arm in field.arms.values() for path in _paths(arm))
    elif isinstance(field, Code):
        yield from ((part,) for part in field.parts)
    else:
        yield ()


def _at(value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_at(item, path) for item in value]
    return _at(value.get(path[0]), path[1:]) if path and value is not None else value


def _text(value: Any) -> str:
    """A list's items are separated by semicolons; one within an item gets a backslash, as does a backslash."""
    if isinstance(value, list):
        return ";".join(_text(item).replace("\\", "\\\\").replace(";", "\\;") for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _name(resource: type[Resource], question: ListQuestion) -> str:
    known = f"-known-{question.known_at:%Y%m%dT%H%M%SZ}" if question.known_at else ""
    return f"{resource.collection}-{question.on}{known}.{question.format}"
