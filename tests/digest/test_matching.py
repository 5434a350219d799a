"""Which topics a paper belongs to."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.matching import compile_topics, topics_for, words


@dataclass
class Following:
    """A topic as a curator may leave it."""

    id: int = 1
    categories: list[str] = field(default_factory=list)
    include: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)


def belongs(topic: Following, text: str, *categories: str) -> bool:
    return topic.id in topics_for((text,), categories, compile_topics([topic]))


@pytest.mark.parametrize(
    ("keyword", "text", "found"),
    [
        ("GAN", "A gan for faces", True),
        ("GAN", "An organ of state", False),
        ("diffusion model", "Diffusion models, again", True),
        ("diffusion models", "One diffusion model", True),
        ("text-to-image", "text to image and TEXT-TO-IMAGE", True),
        ("text to image", "A text-to-image pipeline", True),
        ("vision language", "On vision. Language comes later", False),
        ("vision language", "on vision", False),
        ("3D", "in 3D space", True),
        ("3D", "in 3DGS space", False),
        ("loss", "los angeles", False),
        ("bias", "bia", False),
        ("naïve Bayes", "NAÏVE BAYES", True),
        ("robot", "robotics", False),
        ("C++", "in C++ code", True),
        ("gaussian splatting", "splatting gaussian", False),
    ],
)
def test_phrases_match_whole_words_whatever_case_number_and_hyphen(
    keyword: str, text: str, found: bool
) -> None:
    assert belongs(Following(include=[keyword]), text) is found


def test_a_category_is_enough_and_a_cross_list_counts() -> None:
    topic = Following(categories=["cs.CV"], include=["segmentation"])
    assert belongs(topic, "About nothing", "cs.LG", "cs.CV")
    assert belongs(topic, "On segmentation", "cs.LG")
    assert not belongs(topic, "About nothing", "cs.LG")


def test_a_word_that_keeps_out_beats_everything() -> None:
    topic = Following(categories=["cs.SE"], include=["programming"], exclude=["linear programming"])
    assert belongs(topic, "Programming by example", "cs.SE")
    assert not belongs(topic, "Linear programming is programming", "cs.SE")


def test_words_are_looked_for_in_every_text() -> None:
    compiled = compile_topics([Following(1, include=["first"]), Following(2, include=["second"])])
    assert topics_for(("the first", "the second"), (), compiled) == {1, 2}


@pytest.mark.parametrize("junk", [[""], ["  "], ["..."], [None, 7, {}], "text", None, {"a": 1}])
def test_what_a_curator_leaves_half_written_matches_nothing(junk: object) -> None:
    topic = Following(include=junk, exclude=junk, categories=junk)  # type: ignore[arg-type]
    assert not belongs(topic, "text a 7 none ...", "cs.CL")


def test_the_plural_is_folded_and_words_that_end_in_s_stay() -> None:
    assert words("Models' losses: bias, GPS; class. End") == [
        "model", "losse", ":", "bias", "gps", ";", "class", ".", "end",
    ]  # fmt: skip


@given(st.text(max_size=200), st.text(max_size=30))
def test_a_phrase_is_found_where_it_stands_between_other_words(text: str, keyword: str) -> None:
    phrase = [word for word in words(keyword) if word[0].isalnum()]
    clean = " ".join(phrase)
    assert belongs(Following(include=[clean]), f"{text} ! {clean} , {text}") is bool(phrase)
