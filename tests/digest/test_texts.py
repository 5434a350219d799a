"""Tests of digest.texts: words and phrases found in all papers at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.texts import Matches, Texts
from digest.vocabulary import Vocabulary, count

LONG = "We say something else at some length here, with many words of no interest to anybody at all."


def texts_of(*papers: tuple[str, str]) -> Texts:
    return Texts(papers, count([*papers, *[("Filler", LONG)] * 20]))


def scores_of(found: Matches) -> dict[int, float]:
    return dict(zip(found.rows.tolist(), found.scores.tolist(), strict=True))


def test_words_standing_together_beat_the_same_words_apart() -> None:
    texts = texts_of(
        ("One", f"{LONG} Splatting of a Gaussian kind."), ("Two", f"{LONG} Of a kind: Gaussian splatting.")
    )
    found = texts.matches("gaussian splatting")
    scores = scores_of(found)
    assert scores[1] > scores[0] > 0
    assert found.exact.tolist() == [False, True]


def test_a_title_says_more_than_an_abstract() -> None:
    scores = scores_of(texts_of(("Diffusion", "x y"), ("Y x", "diffusion")).matches("diffusion"))
    assert scores[0] > scores[1]


def test_a_rare_word_of_a_phrase_weighs_more_than_a_common_one() -> None:
    papers = [("Protein", ""), ("Model", ""), *[("Model", LONG)] * 9]
    scores = scores_of(texts_of(*papers).matches("protein"))
    assert list(scores) == [0]


@pytest.mark.parametrize("title", ["Diffusion for cooking", "A policy for schools"])
def test_half_of_a_two_word_phrase_is_no_match(title: str) -> None:
    assert not len(texts_of((title, LONG)).matches("diffusion policy").rows)


def test_most_of_a_long_phrase_is_a_match_but_not_word_for_word() -> None:
    found = texts_of(("Jailbreak attacks on models", LONG)).matches("jailbreak attacks and their defences")
    assert found.rows.tolist() == [0]
    assert not found.exact[0]


def test_stop_words_around_a_phrase_do_not_matter() -> None:
    texts = texts_of(("Art of robots", LONG))
    assert texts.matches("papers about the art of robots, please").exact.tolist() == [True]


def test_a_short_form_matches_the_long_one_and_back() -> None:
    known = Vocabulary(100, {}, {"llm": ("larg", "languag", "model")})
    texts = Texts([("Large language models", ""), ("An LLM", ""), ("Large rooms", "")], known)
    assert texts.matches("LLMs").rows.tolist() == [0, 1]
    assert texts.matches("large language model").exact.tolist() == [True, True]


def test_a_phrase_never_spans_title_and_abstract_or_two_papers() -> None:
    texts = texts_of(("On Gaussian", "splatting"), ("x", "gaussian"), ("splatting", "y"))
    assert not len(texts.saying("gaussian splatting"))


def test_saying_keeps_to_word_boundaries() -> None:
    texts = texts_of(("Spain", ""), ("Pain", ""), ("Painting", ""), ("In-context", ""), ("In a context", ""))
    assert texts.saying("pain").tolist() == [1]
    assert texts.saying("in context").tolist() == [3]


@pytest.mark.parametrize(
    "words", ["", "   ", "the of and", "!!!", ".*", "(((", "\\", "\x00", "x" * 200, "🎉"]
)
def test_words_that_say_nothing_match_nothing(words: str) -> None:
    assert not len(texts_of(("A paper", LONG), ("", "")).matches(words).rows)


def test_no_papers_is_no_error() -> None:
    empty = Texts([], Vocabulary())
    assert not len(empty.matches("vision").rows)
    assert not len(empty.saying("vision"))


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=5), st.text(max_size=200))
def test_any_text_can_be_indexed_and_asked(papers: list[tuple[str, str]], words: str) -> None:
    texts = Texts(papers, count(papers))
    found = texts.matches(words)
    assert np.all((found.scores > 0) & (found.scores < 1))
    assert set(found.rows.tolist()) <= set(range(len(papers)))
    assert set(texts.saying(words).tolist()) <= set(range(len(papers)))


@given(st.lists(st.sampled_from(["red", "green", "blue", "of"]), min_size=1, max_size=4))
def test_a_paper_always_says_its_own_title(title: list[str]) -> None:
    texts = Texts([("Other", "thing"), (" ".join(title), "x")], Vocabulary())
    assert texts.saying(" ".join(title)).tolist() == [1]
