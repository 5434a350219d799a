"""In which encoding a file is written, as far as its bytes tell."""

import codecs
from pathlib import Path

_CHUNK = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What nearly every file that is not Unicode turns out to be.
FALLBACK = "cp1252"
TOLD = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    FALLBACK: "Windows-1252 (it is no valid UTF-8, so this is a guess: look at the examples)",
}


def encoding_of(path: Path) -> str:
    """Return the codec's name: by the byte order mark, by UTF-16's zeros, by whether all of it is UTF-8."""
    with path.open("rb") as file:
        start = file.read(4096)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    even, odd = start[0::2].count(0), start[1::2].count(0)
    # In UTF-16 without a mark every other byte of Latin text is zero. Stray zeros are not so regular.
    if max(even, odd) > len(start) // 4 and not min(even, odd):
        return "utf-16-be" if even else "utf-16-le"
    return "utf-8-sig" if _is_utf8(path) else FALLBACK


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
