"""Tests of digest.words: two spellings of one thing meet, two things stay apart."""

import time

import pytest

from digest.words import LONGEST_TEXT, fold, name_key, short_forms, stem, tokens


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gaussian splatting", "gaussian splats"),
        ("compositional generalisation", "Compositional Generalization"),
        ("behaviour modelling", "behavior modeling"),
        ("neighbourhood colours", "neighborhood color"),
        ("analyse", "analysis"),
        ("pre-training", "pretraining"),
        ("multi modal", "Multimodal"),
        ("fine-tuned models", "finetuning model"),
        ("zero-shot", "zero shot"),
        ("text-to-image", "text to images"),
        ("cached", "caches"),
        ("biases", "bias"),
        ("studies", "study"),
        ("LLMs", "llm"),
        ("Schrödinger", "SCHRODINGER"),
        ("ﬁne", "fine"),
        ("generating", "generation"),
        ("detection", "detecting"),
        ("robustness", "robust"),
    ],
)
def test_spellings_of_one_thing_have_the_same_tokens(one: str, other: str) -> None:
    assert tokens(one) == tokens(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("generative", "general"),
        ("university", "universal"),
        ("transformer", "transform"),
        ("policy", "police"),
        ("string", "str"),
        ("need", "ne"),
        ("news", "new"),
    ],
)
def test_different_things_stay_apart(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@pytest.mark.parametrize("text", ["", " \t\n", "!?—…", "\x00\x1f", "()[]{}\\^$|?*+.", "🎉🎉"])
def test_text_without_words_has_no_tokens(text: str) -> None:
    assert tokens(text) == []


@pytest.mark.parametrize("text", ["强化学习", "обучение с подкреплением", "強化学習 αβγ", "تعلم عميق"])
def test_words_of_any_script_are_kept(text: str) -> None:
    assert tokens(text)


def test_only_the_beginning_of_an_endless_text_is_read() -> None:
    begun = time.perf_counter()
    assert len(tokens("word " * 1_000_000)) == LONGEST_TEXT // 5
    assert len(fold("é" * 5_000_000)) <= LONGEST_TEXT
    assert list(short_forms("(A" * 2_500_000)) == []
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    "name", ["Ada Example", "ADA EXAMPLE", "Example, Ada", "Ada B. Example", "Áda  Example"]
)
def test_an_author_is_known_by_any_spelling(name: str) -> None:
    assert name_key(name) == "ada example"


def test_an_initial_may_be_anybody() -> None:
    assert name_key("A. Example") != name_key("Ada Example")


@pytest.mark.parametrize("name", ["", ",", " . ", "\u200b"])
def test_a_name_without_letters_is_nobody(name: str) -> None:
    assert name_key(name) == ""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We use 3D Gaussian Splatting (3DGS).", [("3DGS", "3D Gaussian Splatting")]),
        ("with large language models (LLMs) only", [("LLMs", "large language models")]),
        ("A Vision-Language Model (VLM) sees.", [("VLM", "Vision-Language Model")]),
        ("Nothing here (see below), nor (Figure 2).", []),
        ("We name it for its sound (ZORP).", []),
        ("KV cache (KV) again", []),
    ],
)
def test_short_forms_are_found_with_what_they_stand_for(text: str, found: list[tuple[str, str]]) -> None:
    assert list(short_forms(text)) == found
