"""Outside text becomes text that can be stored, mailed and shown."""

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.sources import text
from digest.sources.base import BrokenEntryError


@pytest.mark.parametrize(
    ("given_text", "cleaned"),
    [
        ("  two\n  lines\tand\u00a0more ", "two lines and more"),
        ("VT\x0bFF\x0cFS\x1cGS\x1dNEL\x85LS\u2028", "VT FF FS GS NEL LS"),
        ("bell\x07 null\x00 escape\x1b[31m", "bell null escape[31m"),
        ("lone \ud83d surrogate \udc80", "lone surrogate"),
        ("e\u0301 is one letter", "é is one letter"),
        ("right\u202eto left\u202c", "rightto left"),
        ("zero\u200bwidth and soft\xadhyphen", "zerowidth and softhyphen"),
        ("family 👩‍👩‍👧 and \u200cjoiner", "family 👩‍👩‍👧 and \u200cjoiner"),
        ("{{ 7*7 }} <script> </mj-text> $\\pi_0$ <EOS>", "{{ 7*7 }} <script> </mj-text> $\\pi_0$ <EOS>"),
        ("\u05e9\u05dc\u05d5\u05dd RTL", "\u05e9\u05dc\u05d5\u05dd RTL"),
    ],
)
def test_text_is_cleaned_and_nothing_else_is_lost(given_text: str, cleaned: str) -> None:
    assert text.clean(given_text, 500) == cleaned


@given(st.text(st.characters(), max_size=300), st.integers(5, 60))
def test_whatever_comes_fits_encodes_and_makes_a_mail_header(anything: str, longest: int) -> None:
    line = text.clean(anything, longest)
    assert len(line) <= longest
    message = EmailMessage()
    message["Subject"] = line
    assert message.as_bytes()
    assert text.clean(line, longest) == line


def test_a_title_of_five_megabytes_is_cut_at_a_word_with_an_ellipsis() -> None:
    cut = text.clean("word " * 1_000_000, text.TITLE_LENGTH)
    assert len(cut) <= text.TITLE_LENGTH
    assert cut.endswith("word…")
    assert len(text.clean("A" * 5_000_000, 500)) == 500


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "title is missing"),
        (42, "title is not text"),
        ({}, "title is not text"),
        (" \x00\n", "title is empty"),
    ],
)
def test_what_is_no_text_breaks_the_entry_with_a_reason(value: object, reason: str) -> None:
    with pytest.raises(BrokenEntryError, match=reason):
        text.required(value, "title", 500)


def test_a_replacement_character_counts_as_damage_only_in_a_damaged_answer() -> None:
    assert text.required("a \ufffd b", "title", 500) == "a \ufffd b"
    with pytest.raises(BrokenEntryError, match="title is not UTF-8"):
        text.required("a \ufffd b", "title", 500, damaged=True)


@pytest.mark.parametrize("address", ["https://example.org/a?b=c#d", "http://example.org"])
def test_a_web_address_is_kept(address: str) -> None:
    assert text.web_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "data:text/html,x", "ftp://example.org", "//example.org", "https://",
        "example.org", "https://user:secret@example.org", 'https://example.org/"onload=', 7, None, "",
        "https://example.org/a b", "https://example.org/\r\nX-Header: 1", "https://[broken",
        "https://example.org/" + "a" * 500,
    ],
)  # fmt: skip
def test_what_is_no_safe_web_address_is_dropped(address: object) -> None:
    assert text.web_address(address) == ""


@pytest.mark.parametrize(
    ("tex", "letters"),
    [
        (r"Fi\v{s}er", "Fišer"),
        (r"M\"uller", "Müller"),
        (r"M{\"u}ller", "Müller"),
        (r"M\"{u}ller", "Müller"),
        (r"Garc\'{\i}a", "García"),
        (r"Garc\'\i a", "García"),
        (r"{\O}rsted and {\AA}ngstr\"om", "Ørsted and Ångström"),
        (r"\L ukasz Fran\c{c}ois", "Łukasz François"),
        (r"Stra{\ss}e", "Straße"),
        (r"Erd\H{o}s", "Erdős"),
        (r"Nguy\~{\^e}n", "Nguy\\~ên"),
        ("Plain Name", "Plain Name"),
    ],
)
def test_accents_in_tex_become_letters(tex: str, letters: str) -> None:
    assert text.decode_tex(tex) == letters


def test_an_author_without_a_letter_is_no_author() -> None:
    assert text.author_name("Wu") == "Wu"
    with pytest.raises(BrokenEntryError, match="author is not a name"):
        text.author_name("42")
