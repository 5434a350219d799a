"""Encodings, told by the bytes."""

import codecs
from pathlib import Path

import pytest

from subscribers.importing.decoding import TOLD, encoding_of

WORDS = "email,words\nana@example.org,détection d’objets\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (WORDS.encode(), "utf-8-sig"),
        (codecs.BOM_UTF8 + WORDS.encode(), "utf-8-sig"),
        (WORDS.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"), "utf-16"),
        (WORDS.encode("utf-16-le"), "utf-16-le"),
        (WORDS.encode("utf-16-be"), "utf-16-be"),
        (WORDS.encode("cp1252"), "cp1252"),
        (b"email\nana@example.org\n" * 40_000 + b"caf\xe9", "cp1252"),
        (b"email\nana@example.org\n" + "é".encode()[:1], "cp1252"),
        (b"", "utf-8-sig"),
    ],
)
def test_the_encoding_is_told_from_the_bytes_and_reads_them(
    tmp_path: Path, data: bytes, expected: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(data)
    assert encoding_of(path) == expected
    assert expected in TOLD
    assert path.read_text(expected, errors="replace").startswith("email" if data else "")


def test_a_stray_null_is_no_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"email\nana\0@example.org\n")
    assert encoding_of(path) == "utf-8-sig"
