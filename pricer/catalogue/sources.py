"""Files of products as blocks of whole lines, read as a stream, plain or gzipped."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pricer.errors import PricerError

BLOCK_BYTES = 1 << 22
LONGEST_LINE_BYTES = 1 << 24
_READ_BYTES = 1 << 20
_ZIPPED = 6  # times that rows are larger than their gzipped file; 3.4 to 6.5 were seen
_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HUB_FILE = re.compile(r"meta_(\w+)\.jsonl(\.gz)?")


@dataclass(frozen=True)
class Block:
    """Some whole lines of one source."""

    source: int  # place in the list of sources
    first_line: int  # 1-based line number of the block's first line
    data: bytes
    bytes_read: int  # of the file as it lies on disk


@dataclass(frozen=True)
class Origin:
    """Where a file came from, if not from this machine."""

    address: str = ""  # on the hub, to the commit
    seconds: float = 0.0  # that the download took


def check_source(path: Path) -> None:
    """PricerError where a path is no file that can be read."""
    if not path.is_file():
        raise PricerError(f"{path}: there is no such file" if not path.exists() else f"{path}: not a file")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise PricerError(f"{path}: cannot be read ({error.strerror})") from error
    if start[:2] in _UTF16_MARKS:
        raise PricerError(f"{path}: is in UTF-16; save it as UTF-8")


def unzipped_bytes(path: Path) -> int:
    """About how many bytes of rows a file holds, at most; PricerError where it is none that can be read."""
    check_source(path)
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP_MAGIC
    return path.stat().st_size * (_ZIPPED if zipped else 1)


def hub_category(path: Path) -> str | None:
    """The category in the name of a raw file of Amazon Reviews 2023.

    >>> hub_category(Path("raw/meta_Office_Products.jsonl.gz"))
    'Office_Products'
    """
    match = _HUB_FILE.fullmatch(path.name)
    return match[1] if match else None


class LineReader:
    """Reads one source block by block; afterwards `note` says what was wrong with the file as a whole."""

    def __init__(self, path: Path, source: int):
        self.path = path
        self.source = source
        self.note = ""
        self._bytes_read = 0

    def blocks(self) -> Iterator[Block]:
        """Give the lines in blocks of about 4 MB; a line over 16 MB is cut short, so it can only be corrupt."""
        line, held, skipping = 1, b"", False
        for piece in self._pieces():
            if skipping:
                _, newline, piece = piece.partition(b"\n")
                if not newline:
                    continue
                skipping, held = False, held + b"\n"
            held += piece
            end = held.rfind(b"\n") + 1
            if end and (end >= BLOCK_BYTES or len(held) - end > BLOCK_BYTES):
                yield self._block(line, held[:end])
                line += held.count(b"\n", 0, end)
                held = held[end:]
            elif not end and len(held) > LONGEST_LINE_BYTES:
                held, skipping = held[:1000].replace(b"\n", b" "), True
        if held:
            yield self._block(line, held)

    def _block(self, line: int, data: bytes) -> Block:
        return Block(self.source, line, data, self._bytes_read)

    def _pieces(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            zipped = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            pieces = self._unzipped(self._read(file)) if zipped else self._read(file)
            first = next(pieces, b"")
            yield first.removeprefix(_UTF8_MARK)
            yield from pieces

    def _read(self, file) -> Iterator[bytes]:
        while piece := file.read(_READ_BYTES):
            self._bytes_read += len(piece)
            yield piece

    def _unzipped(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Unzip member after member in bounded steps; a broken end is noted, and what stood before it is kept."""
        unzip = zlib.decompressobj(wbits=31)
        for piece in pieces:
            while piece:
                if unzip.eof:
                    unzip = zlib.decompressobj(wbits=31)
                try:
                    yield unzip.decompress(piece, BLOCK_BYTES)
                except zlib.error as error:
                    self.note = f"damaged gzip data ({error}); what follows it was lost"
                    return
                piece = unzip.unconsumed_tail or unzip.unused_data
        if not unzip.eof:
            yield unzip.flush()
            self.note = "the file ends in the middle of its gzip data; what was cut off is lost"
