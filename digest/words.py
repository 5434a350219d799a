"""Words as Paperboy compares them: folded, cut and lightly stemmed, so that two spellings of one thing meet.

Pure. The same functions read papers, readers' own words and authors' names: a rule that is too eager only
renames a stem on both sides. Full stemmers fold too much here ("generative" is not "general").
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

#: Longest text of one paper that is read, in characters: a broken source may give a title of 5 MB.
LONGEST_TEXT = 20_000

_SAYING_NOTHING = """
    a about above after again against all also am an and any are as at based be because been before being
    below between both but by can cannot could did do does doing down during each etc every for from further
    had has have having he her here his how however i if in into interested interesting is it its itself just
    latest may me more most much my new no nor not novel of off on once only or other our out over own paper
    papers per please recent related same she should so some such than that the their them then there these
    they this those through to too under until up upon us use used uses using very via was we were what when
    where which while who whom whose why will with within without would you your
"""
#: Words that say nothing about a subject, with those one asks by ("papers about ...").
STOP_WORDS = frozenset(_SAYING_NOTHING.split())

_WORD = re.compile(r"[^\W_]+")
# "pre-training", "pre training" and "pretraining" are one word; the second group is glued at a hyphen only.
_PREFIX = re.compile(
    r"\b(?:(anti|inter|intra|multi|non|pre|semi)[-\s]+|(bi|co|de|re|sub|un|uni)-)(?=[a-z]{3})"
)
_CLOSED = re.compile(r"\b(fine|few|open|real|zero)(?=tun|shot|source|vocab|time)")
_OUR = re.compile(r"^(arm|behavi|col|fav|flav|harb|hon|hum|lab|misbehavi|neighb|rig|tum|vap|vig)our")
_ISE = re.compile(r"is(?=ation|e$|ed$|er$|ing$)")
_VOWEL = re.compile(r"[aeiouy]")
# (ending, what stands for it, length from which it is an ending); the first that fits.
_NOUNS = (
    ("ization", "iz", 9),
    ("ation", "at", 7),
    ("ction", "ct", 8),
    ("ssion", "ss", 8),
    ("ality", "al", 8),
    ("ally", "al", 7),
    ("ness", "", 8),
)
_WHOLE = frozenset({"alias", "atlas", "bias", "embed", "lens", "news", "string"})
_UNDECOMPOSED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i"})


def fold(text: str) -> str:
    """Return `text` (up to LONGEST_TEXT) in lower case, compatibility forms and accents folded."""
    text = text[:LONGEST_TEXT]
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold()).translate(_UNDECOMPOSED)
    return unicodedata.normalize("NFC", "".join(part for part in parts if not unicodedata.combining(part)))


def tokens(text: str) -> list[str]:
    """Return the stems of `text` in order, stop words among them: what adjacency is judged on."""
    joined = _CLOSED.sub(r"\1 ", _PREFIX.sub(r"\1\2", fold(text)))
    return [stem(word) for word in _WORD.findall(joined)]


def says_something(token: str) -> bool:
    """Tell whether a stem names a subject, so that a match on it alone means something."""
    return token not in STOP_WORDS


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Return what `word` (folded) shares with its plural, -ing and -ed forms and its American spelling."""
    if len(word) < 4 or word in STOP_WORDS or not word.isalpha():
        return word[:-1] if len(word) > 2 and word[-1] == "s" and word[-2].isdigit() else word
    word = _american(_singular(word))
    for ending, short, length in _NOUNS:
        if word.endswith(ending) and len(word) >= length:
            return _bare(word.removesuffix(ending) + short)
    return _bare(_root(word))


def _singular(word: str) -> str:
    if word in _WHOLE or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    return word[:-3] + "y" if word.endswith("ies") and len(word) > 4 else word[:-1]


def _american(word: str) -> str:
    if word.startswith(("analys", "analyz")):
        return "analyz"
    return _ISE.sub("iz", _OUR.sub(r"\1or", word)) if len(word) > 4 else word


def _root(word: str) -> str:
    """Return `word` without -ing or -ed, where what remains can be a word."""
    if word in _WHOLE or word.endswith("eed"):
        return word
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        root = word.removesuffix(ending)
        if root != word and len(root) >= 3 and _VOWEL.search(root):
            return root
    return word


def _bare(word: str) -> str:
    """Return `word` without a silent e and with a last doubled consonant single: split, splitt(ing)."""
    if len(word) > 3 and word[-1] == "e":
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiou":
        word = word[:-1]
    return word


@lru_cache(maxsize=100_000)
def name_key(name: str) -> str:
    """Return what two spellings of an author's name share: no accents, case, dots or single middle initials.

    "Example, Ada B." and "Ada Example" meet; "A. Example" stays apart, since it may be anybody. The empty
    string for a name without letters.
    """
    family, comma, given = name[:LONGEST_TEXT].partition(",")
    parts = _WORD.findall(fold(f"{given} {family}" if comma else name))
    return " ".join(part for place, part in enumerate(parts) if place in (0, len(parts) - 1) or len(part) > 1)


_SHORT_FORM = re.compile(r"\s\(([A-Za-z0-9][\w-]{1,9})\)")
_LONGEST_FORM = 90


def short_forms(text: str) -> Iterator[tuple[str, str]]:
    """Yield (short, long) for each "long form (SHORT)" in `text`: ("LLMs", "large language models").

    The long form is found from its end, letter by letter (Schwartz and Hearst, PSB 2003).
    """
    text = text[:LONGEST_TEXT]
    for found in _SHORT_FORM.finditer(text):
        short = found[1]
        before = re.split(r"[.,;:()]", text[max(0, found.start() - _LONGEST_FORM) : found.start()])[-1]
        long = _long_form(short, before)
        if long and sum(letter.isupper() for letter in short) >= 2:
            yield short, long


def _long_form(short: str, before: str) -> str:
    """Return the shortest tail of `before` that spells `short`, its first letter opening a word; else ""."""
    letters = [letter for letter in short.removesuffix("s").lower() if letter.isalnum()]
    lower, at = before.lower(), len(before)
    for place in range(len(letters) - 1, -1, -1):
        at = lower.rfind(letters[place], 0, at)
        while place == 0 and at > 0 and lower[at - 1].isalnum():
            at = lower.rfind(letters[place], 0, at)
        if at < 0:
            return ""
    long = before[at:]
    words = len(_WORD.findall(long))
    fits = 2 <= words <= min(len(letters) + 3, 2 * len(letters)) and not long.startswith(short)
    return long if fits else ""
