"""Outside text made safe to store, mail and show: one line, NFC, no control characters, bounded length."""

import re
import unicodedata
from urllib.parse import urlsplit

from digest.sources.base import BrokenEntryError

TITLE_LENGTH = 500
ABSTRACT_LENGTH = 10_000
SUMMARY_LENGTH = 1_000
NAME_LENGTH = 100
MOST_AUTHORS = 1_000
URL_LENGTH = 500

# Controls, lone surrogates, non-characters, and the invisible ones that reorder or hide what a reader sees.
# Joiners (U+200C, U+200D) stay: emoji and Indic scripts need them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff]"
)
_ACCENTS = dict(
    zip(
        "`'^\"~=.uvHcrkdb",
        "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u0306\u030c\u030b\u0327\u030a\u0328\u0323\u0331",
        strict=True,
    )
)
_LETTERS = {
    "aa": "å", "AA": "Å", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł",
    "ss": "ß", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ",
}  # fmt: skip
_TEX_LETTER = re.compile(
    r"\{?\\(aa|AA|ae|AE|oe|OE|ss|dh|DH|th|TH|dj|DJ|o|O|l|L|i|j)(?![A-Za-z])(?:\{\}|\})?\s?"
)
_TEX_ACCENT = re.compile(r"""\{?\\(?:([`'^"~=.])\s*|([uvHcrkdb])(?:\s+|(?=\{)))\{?([^\W\d_])\}?\}?""")


def clean(text: str, longest: int) -> str:
    """Return `text` as one line of at most `longest` characters, ending in an ellipsis where it was cut.

    NFC; line breaks and every other white space become one blank (VT, FF, FS, GS in a title would make a mail
    header that cannot be sent); control characters and lone surrogates go.
    """
    text = text[: 4 * longest + 1000]  # a title of 5 MB costs no more than a long one
    line = " ".join(_UNWANTED.sub("", unicodedata.normalize("NFC", text)).split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    return (cut.rpartition(" ")[0] if " " in cut[longest // 2 :] else cut) + "…"


def required(value: object, name: str, longest: int, *, damaged: bool = False) -> str:
    """Return `value` cleaned; raises BrokenEntryError where it is no text, or none is left.

    `damaged`: the answer held bytes that are not UTF-8, so a replacement character here is such a byte.
    """
    if not isinstance(value, str):
        raise BrokenEntryError(f"{name} is missing" if value is None else f"{name} is not text")
    if damaged and "\ufffd" in value:
        raise BrokenEntryError(f"{name} is not UTF-8")
    line = clean(value, longest)
    if not line:
        raise BrokenEntryError(f"{name} is empty")
    return line


def optional(value: object, longest: int) -> str:
    """Return `value` cleaned, or the empty string where it is no text."""
    return clean(value, longest) if isinstance(value, str) else ""


def web_address(value: object) -> str:
    """Return `value` when it is an absolute web address fit to be a link, else the empty string."""
    if not isinstance(value, str) or not 0 < len(value.strip()) <= URL_LENGTH:
        return ""
    address = value.strip()
    if not address.isascii() or not address.isprintable() or re.search(r"[\s<>\"'\\^`{|}]", address):
        return ""
    try:
        parts = urlsplit(address)
        sound = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    except ValueError:
        return ""
    return address if sound else ""


def author_name(value: object, *, damaged: bool = False) -> str:
    """Return one author's name cleaned; raises BrokenEntryError where no letter is in it."""
    name = required(value, "author", NAME_LENGTH, damaged=damaged)
    if not any(letter.isalpha() for letter in name):
        raise BrokenEntryError("author is not a name")
    return name


def decode_tex(text: str) -> str:
    r"""Return `text` with TeX's accents as letters: `Fi\v{s}er` is Fišer, `M{\"u}ller` is Müller."""
    if "\\" not in text:
        return text
    text = _TEX_LETTER.sub(_letter, text)
    text = _TEX_ACCENT.sub(lambda found: _accented(found[1] or found[2], found[3]), text)
    return unicodedata.normalize("NFC", text.replace("{", "").replace("}", ""))


def _letter(found: re.Match[str]) -> str:
    # `\i` and `\j` only lose their dot to make room for an accent.
    inside = (
        not found[0].startswith("{")
        and found[0].rstrip().endswith("}")
        and not found[0].rstrip().endswith("{}")
    )
    return _LETTERS[found[1]] + ("}" if inside else "")


def _accented(accent: str, letter: str) -> str:
    plain = {"ı": "i", "ȷ": "j"}.get(letter, letter)
    return unicodedata.normalize("NFC", plain + _ACCENTS[accent])
