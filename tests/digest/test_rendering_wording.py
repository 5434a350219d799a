from datetime import date

import pytest

from digest.rendering import wording
from digest.rendering.tex import readable


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("one\ntwo\x0b\x0cthree\t four\x85five\u2028six", "one two three four five six"),
        ("a\x00b\x1bc\x7fd\ud800e\ufffef\U000f0000g", "abcdefg"),
        ("safe\u202etxt.exe\u2066 \u200f\u200bhidden", "safetxt.exe hidden"),
        ("👩\u200d🔬 studies नमस्ते", "👩\u200d🔬 studies नमस्ते"),
        ("  ", ""),
    ],
)
def test_text_becomes_one_clean_line(given: str, shown: str) -> None:
    assert wording.plain(given, 200) == shown


def test_a_long_text_is_cut_between_words_with_an_ellipsis() -> None:
    assert wording.plain("Learning to walk, then to run and jump", 24) == "Learning to walk, then…"
    assert wording.plain("Learning", 8) == "Learning"
    assert wording.plain("x" * 50, 10) == "x" * 9 + "…"


def test_a_word_of_any_length_is_broken_so_that_lines_stay_short() -> None:
    line = wording.plain("a" * 450, 1000)
    assert [len(word) for word in line.split()] == [100, 100, 100, 100, 50]


def test_five_megabytes_cost_no_more_than_a_long_title() -> None:
    assert len(wording.plain("word " * 1_000_000, 240)) <= 240


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["Ada Example"], "A. Example"),
        (["Ada Example", "Ben van Sample"], "A. Example, B. Sample"),
        (["Ada One", "Ben Two", "Cy Three"], "A. One, B. Two, C. Three"),
        (["Ada One", "Ben Two", *["Cy Three"] * 10], "A. One, B. Two +10"),
        (["Plato"], "Plato"),
        (["Example, Ada"], "A. Example"),
        (["élodie Exemple"], "É. Exemple"),
        (["李 明"], "李. 明"),
        (["OpenLab Team\n\x00"], "O. Team"),
        (["- Dash"], "- Dash"),
        ([], ""),
    ],
)
def test_authors_are_two_and_how_many_more(names: list[str], shown: str) -> None:
    assert wording.authors(names) == shown


def test_a_date_leaves_out_the_current_year_only() -> None:
    assert wording.day(date(2026, 3, 4), 2026) == "4 March"
    assert wording.day(date(2025, 12, 30), 2026) == "30 December 2025"
    assert wording.day(date(2026, 3, 4), 2026, weekday=True) == "Wednesday 4 March"


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, ""), (-3, ""), (1, "1 vote"), (142, "142 votes"), (1000, "1k votes"), (12_345, "12.3k votes")],
)
def test_figures_are_written_as_people_say_them(number: int, shown: str) -> None:
    assert wording.counted(number, "vote") == shown


def test_a_line_of_facts_breaks_before_a_separator_and_nowhere_else() -> None:
    line = wording.facts(["2 March", "", "1 vote", "12 comments"])
    assert line.split(" ") == ["2\xa0March", "·\xa01\xa0vote", "·\xa012\xa0comments"]
    assert wording.facts(["", ""]) == ""


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.org/x",
        "https://",
        "https://user@example.org/",
        "https://example.org/a b",
        'https://example.org/"onload=',
        "https://example.org/\r\nX: y",
        "https://example.org/ü",
        "https://[broken/",
        "https://example.org/?" + "&" * 200,
        "",
    ],
)
def test_what_is_no_sound_web_address_is_no_link(address: str) -> None:
    assert wording.link(address) == ""


def test_a_sound_web_address_stays_as_it_is() -> None:
    assert wording.link("https://example.org/a?b=1&c=2#d") == "https://example.org/a?b=1&c=2#d"


def test_paragraphs_of_a_note_stay_apart_and_end_at_the_limit() -> None:
    assert wording.paragraphs("One.\n\n  Two\x00.\r\n", 100) == ["One.", "Two."]
    assert sum(map(len, wording.paragraphs("word word\n" * 500, 100))) <= 100


def test_wrapped_text_breaks_no_address() -> None:
    address = "https://example.org/" + "path-" * 20
    lines = wording.wrapped(
        f"See {address} for more, and then some words to fill the line up", "  "
    ).splitlines()
    assert any(address in line for line in lines)
    assert all(len(line) <= wording.TEXT_WIDTH for line in lines if address not in line)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (r"$\alpha$-nets in $O(n^2)$ time", "α-nets in O(n²) time"),
        (r"$x_{i} \leq \mathbf{W}x_0$", "x_i ≤ Wx₀"),
        (r"\emph{Deep} \textbf{learning \textit{now}}", "Deep learning now"),
        (r"$10\times$ faster at 99\%", "10× faster at 99%"),
        ("costs $5 and $10 a day", "costs $5 and $10 a day"),
        ("from $5-$10", "from $5-$10"),
        (r"$\unknownthing{x}$", r"\unknownthing{x}"),
        ("no mathematics", "no mathematics"),
        ("an open $ sign", "an open $ sign"),
    ],
)
def test_simple_tex_becomes_signs_and_money_stays_money(given: str, shown: str) -> None:
    assert readable(given) == shown
