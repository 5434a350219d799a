"""Words for a mail: outside text made plain and short, names, dates and figures as a person writes them.

Pure: no clock, no settings. What a source stored is taken for hostile all the same.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from datetime import date
from urllib.parse import urlsplit

from digest.rendering import tex

#: Between two facts; a line may end before it, never after.
SEPARATOR = " ·\xa0"
#: Stands after a summary, on the line of its last word.
MACHINE = "\xa0(AI\xa0summary)"
#: Longer runs without a blank are broken, so that no line of a mail grows past what RFC 5322 allows.
LONGEST_WORD = 100
#: Characters of a link, after escaping; longer ones are left out.
LONGEST_LINK = 700
TEXT_WIDTH = 78

# Controls, lone surrogates, private use, non-characters, tags, and the invisible ones that turn the reading
# order round or hide words. Joiners stay: emoji and Indic scripts need them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_LONG_WORD = re.compile(rf"(\S{{{LONGEST_WORD}}})(?=\S)")


def plain(text: str, longest: int) -> str:
    """Return `text` as one clean line of at most `longest` characters, cut between words with an ellipsis.

    White space of every kind becomes one blank, simple TeX becomes signs, and a word of more than
    LONGEST_WORD characters is broken. A title of 5 MB costs no more than a long one.
    """
    return clip(_LONG_WORD.sub(r"\1 ", tex.readable(_cleaned(text, longest))), longest)


def line(text: str, longest: int) -> str:
    """Return the same of what a curator wrote: a dollar sign is money there, not TeX."""
    return clip(_LONG_WORD.sub(r"\1 ", _cleaned(text, longest)), longest)


def _cleaned(text: str, longest: int) -> str:
    return " ".join(_UNWANTED.sub("", text[: 4 * longest + 1000]).split())


def clip(line: str, longest: int) -> str:
    """Return `line`, or its beginning of at most `longest` characters with an ellipsis."""
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    if " " in cut[longest * 2 // 3 :]:
        cut = cut.rpartition(" ")[0]
    return cut.rstrip(" ,.;:-–—") + "…"


def paragraphs(text: str, longest: int) -> list[str]:
    """Return the paragraphs of a note, each one clean line, together at most `longest` characters."""
    found = []
    for paragraph in text[: 4 * longest].splitlines():
        line = plain(paragraph, max(longest, 1))
        if line:
            found.append(line)
            longest -= len(line)
        if longest <= 0:
            break
    return found


def authors(names: Sequence[str]) -> str:
    """Return "A. One, B. Two +10": two authors and how many more; three are named in full number."""
    shown = 3 if len(names) == 3 else 2
    line = ", ".join(short_name(name) for name in names[:shown])
    return f"{line} +{len(names) - shown}" if len(names) > shown else line


def short_name(name: str) -> str:
    """Return "A. One" for "Ada Berta One" and "One, Ada"; a single name stays whole."""
    clean = plain(name, 80)
    family, comma, given = clean.partition(", ")
    if not comma:
        given, _, family = clean.rpartition(" ")
    initial = next((letter for letter in given if letter.isalpha()), "")
    return f"{initial.upper()}. {family}" if initial else clean


def day(moment: date, year_now: int, *, weekday: bool = False) -> str:
    """Return "4 March", or "Wednesday 4 March"; another year than `year_now` is written out."""
    words = f"{moment:%A} {moment.day} {moment:%B}" if weekday else f"{moment.day} {moment:%B}"
    return words if moment.year == year_now else f"{words} {moment.year}"


def counted(number: int, thing: str) -> str:
    """Return "1 vote", "142 votes", "1.2k stars", or nothing for none."""
    if number <= 0:
        return ""
    figure = str(number) if number < 1000 else f"{number / 1000:.1f}".removesuffix(".0") + "k"
    return f"{figure} {thing}" + ("" if number == 1 else "s")


def facts(given: Iterable[str]) -> str:
    """Return those that say something in one line, which may be broken between two of them only."""
    return SEPARATOR.join(fact.replace(" ", "\xa0") for fact in given if fact)


def link(address: str) -> str:
    """Return `address` when it is an http(s) address fit to be a link, else the empty string."""
    if not address.isascii() or not address.isprintable() or re.search(r"[\s<>\"'\\^`{|}]", address):
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    sound = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    return address if sound and len(address.replace("&", "&amp;")) <= LONGEST_LINK else ""


def wrapped(line: str, indent: str = "") -> str:
    """Return `line` in lines of TEXT_WIDTH characters; words and addresses are never broken."""
    return textwrap.fill(
        line,
        TEXT_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
