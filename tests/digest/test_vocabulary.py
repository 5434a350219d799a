"""Tests of digest.vocabulary: rarity, short forms, and the packed shape."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.vocabulary import MOST_WORDS, Vocabulary, VocabularyError, count, pack, unpack

RETRIEVAL = ("On answers", "We study retrieval augmented generation (RAG) at length.")


def test_a_paper_counts_a_word_once_however_often_it_says_it() -> None:
    known = count([("Models", "models of models"), ("A model", ""), ("Other", "")])
    assert known.documents == 3
    assert known.counts["model"] == 2


def test_a_rarer_word_is_rarer_and_an_unknown_one_rarest() -> None:
    known = count([("model vision", ""), ("model vision", ""), ("model", "")])
    assert 1 == known.rarity("model") < known.rarity("vision") < known.rarity("unheard")


def test_without_papers_every_word_is_as_rare_as_any() -> None:
    assert Vocabulary().rarity("model") == Vocabulary().rarity("vision") == 1


def test_a_short_form_that_several_papers_spell_out_is_learned_both_ways() -> None:
    known = count([RETRIEVAL] * 3)
    assert ("retrieval", "augment", "generat") in known.spellings(("rag",))
    assert ("fast", "rag") in known.spellings(("fast", "retrieval", "augment", "generat"))


def test_one_papers_short_form_is_not_everybodys() -> None:
    assert count([RETRIEVAL] * 2).short_forms == {}


def test_a_short_form_with_two_meanings_is_left_alone() -> None:
    other = ("On carpets", "We study red and green (RAG) carpets.")
    assert count([RETRIEVAL] * 3 + [other] * 3).short_forms == {}


@given(
    st.builds(
        lambda counts, forms: Vocabulary(9, counts, forms),
        st.dictionaries(st.from_regex(r"[^\W_]{1,9}", fullmatch=True), st.integers(1, 9)),
        st.dictionaries(st.just("rag"), st.just(("retrieval", "augment"))),
    )
)
def test_unpacking_gives_what_was_packed(known: Vocabulary) -> None:
    assert unpack(pack(known)) == known


def test_sixty_days_of_words_stay_below_a_megabyte() -> None:
    counts = {f"{number * 2654435761 % 2**32:x}": number % 977 + 2 for number in range(MOST_WORDS)}
    assert len(pack(Vocabulary(30_000, counts))) < 1_000_000


@pytest.mark.parametrize(
    "packed",
    [b"", b"not zlib", zlib.compress(b"[]"), zlib.compress(b'{"format":1}'), zlib.compress(b'{"format":99}')],
)
def test_damaged_terms_are_refused_with_a_sentence(packed: bytes) -> None:
    with pytest.raises(VocabularyError, match=r"^(The packed terms are damaged|Packed as format 99)"):
        unpack(packed)
