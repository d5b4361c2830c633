import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricer.catalogue import sources
from pricer.catalogue.sources import LineReader, check_source, hub_category
from pricer.errors import PricerError


def read(path: Path) -> tuple[list[bytes], str]:
    reader = LineReader(path, 0)
    data = b"".join(block.data for block in reader.blocks())
    return data.split(b"\n"), reader.note


@given(lines=st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b""))), zipped=st.booleans())
def test_every_line_comes_out_as_it_went_in(tmp_path_factory, lines, zipped):
    data = b"x\n" + b"\n".join(lines)
    path = tmp_path_factory.mktemp("source") / "file.jsonl"
    path.write_bytes(gzip.compress(data) if zipped else data)
    assert read(path) == (data.split(b"\n"), "")


def test_blocks_hold_whole_lines_and_count_them(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BLOCK_BYTES", 100)
    monkeypatch.setattr(sources, "_READ_BYTES", 64)
    path = tmp_path / "file"
    path.write_bytes(b"".join(b"%06d\n" % number for number in range(1000)))
    blocks = list(LineReader(path, 3).blocks())
    assert len(blocks) > 10 and {block.source for block in blocks} == {3}
    assert all(block.data.startswith(b"%06d\n" % (block.first_line - 1)) for block in blocks)
    assert blocks[-1].bytes_read == path.stat().st_size


def test_gzip_members_one_after_the_other_are_one_file(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n"))
    assert read(path) == ([b"a", b"b", b""], "")


def test_of_a_truncated_gzip_all_that_can_be_read_is_kept_and_it_is_noted(tmp_path):
    lines = [b"%032x" % (number * 0x9E3779B97F4A7C15) for number in range(5000)]
    whole = gzip.compress(b"\n".join(lines))
    path = tmp_path / "file.gz"
    path.write_bytes(whole[: len(whole) // 2])
    found, note = read(path)
    assert found[:-1] == lines[: len(found) - 1] and len(found) > 2000
    assert "ends in the middle" in note


def test_damaged_gzip_data_are_noted(tmp_path):
    whole = bytearray(gzip.compress(b"\n".join(b"%d" % (number**3) for number in range(5000))))
    whole[len(whole) // 2] ^= 0xFF
    path = tmp_path / "file.gz"
    path.write_bytes(whole)
    assert "damaged" in read(path)[1]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbf{}\n")
    assert read(path)[0] == [b"{}", b""]


def test_an_endless_line_is_cut_and_the_lines_after_it_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(sources, "LONGEST_LINE_BYTES", 5000)
    monkeypatch.setattr(sources, "_READ_BYTES", 1000)
    path = tmp_path / "file"
    path.write_bytes(b"first\n" + b"x" * 20_000 + b"\nlast\n")
    lines, _ = read(path)
    assert lines[0] == b"first" and lines[2:] == [b"last", b""] and len(lines[1]) == 1000


def test_a_gzip_bomb_is_read_in_bounded_pieces(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"x" * 100_000_000))
    assert max(len(block.data) for block in LineReader(path, 0).blocks()) < 25_000_000


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no such file"), ("folder", "not a file"), (b"\xff\xfea", "UTF-16")]
)
def test_what_is_no_file_of_lines_is_told_in_one_line(tmp_path, content, said):
    path = tmp_path / "file"
    if content == "folder":
        path.mkdir()
    elif content:
        path.write_bytes(content)
    with pytest.raises(PricerError, match=said):
        check_source(path)


def test_a_hub_file_names_its_category():
    assert hub_category(Path("meta_Toys_and_Games.jsonl.gz")) == "Toys_and_Games"
    assert hub_category(Path("products.jsonl")) is None
