"""The bytes of a file as text, or one line that says what the file is instead."""

import codecs
import gzip
import zlib
from pathlib import Path

from autogluon_causalmix.errors import TableError
from autogluon_causalmix.whole import written_whole

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
FOREIGN = {  # by the first bytes: what it is, and the way out
    b"PK\x03\x04": "is a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "is an Excel workbook; save the sheet as CSV",
    b"BZh": "is a bz2 archive; unpack it",
    b"\xfd7zXZ": "is an xz archive; unpack it",
    b"\x28\xb5\x2f\xfd": "is a zstd archive; unpack it",
    b"7z\xbc\xaf": "is a 7z archive; unpack it",
    b"SQLite": "is a database; export the table as CSV",
    b"\x89HDF": "is an HDF5 file; save the table as CSV or Parquet",
    b"ARROW1": "is a Feather file; save the table as CSV or Parquet",
    b"%PDF": "is a PDF; save the table as CSV",
}
FOREIGN_TEXT = {  # the same, spaces and ends of line aside
    b"<!DOC": "is a web page; save the table as CSV",
    b"<html": "is a web page; save the table as CSV",
    b"<?xml": "is XML; save the table as CSV",
    b'[{"': "is JSON; save the table as CSV",
    b'{"': "is JSON; save the table as CSV",
    b"@relation": "is an ARFF file; save the table as CSV",
}
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_bytes(path: Path) -> bytes:
    """Return what stands in a file, unpacked where it is gzipped.

    Raises
    ------
    TableError
        It cannot be read, or holds no table of text and no Parquet.
    """
    try:
        content = path.read_bytes()
        if content.startswith(GZIP):
            content = gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TableError(f"{path} is a broken gzip file ({error}); pack it again") from None
    except OSError as error:
        raise TableError(f"{path} cannot be read: {error.strerror or error}") from None
    opening = b"".join(content[:1000].removeprefix(codecs.BOM_UTF8).split())
    for start, what in (*FOREIGN.items(), *FOREIGN_TEXT.items()):
        if (content if start in FOREIGN else opening).startswith(start):
            raise TableError(f"{path} {what}")
    return content


def decode(path: Path, content: bytes) -> tuple[str, str]:
    """Return the text of a file and its encoding.

    Raises
    ------
    TableError
        It is empty, or neither UTF-8 nor UTF-16 with its mark.
    """
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    if encoding != "utf-16" and b"\0" in content:
        raise TableError(f"{path} is a binary file; save the table as CSV or Parquet")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise TableError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    if not text.strip():
        raise TableError(f"{path} is empty")
    return text, encoding


def encode(path: Path, text: str, encoding: str) -> None:
    """Write a text, gzipped where the name of the file ends in ``.gz``."""
    content = text.encode(encoding)
    with written_whole(path) as place:
        place.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
