"""Tests of digest.ranking: who gets which papers, in which order, and whether the reason is true."""

from datetime import timedelta

import pytest

from digest.ranking import rank
from tests.digest.readership import (
    ROBOTS,
    SPEECH,
    TODAY,
    VISION,
    YESTERDAY,
    a_candidate,
    a_pool,
    a_profile,
    ids_of,
    picks_of,
    reasons_of,
)

DAY = timedelta(days=1)


def test_a_reader_who_follows_nothing_gets_the_trend() -> None:
    pool = a_pool(a_candidate(1), a_candidate(2, upvotes=142), a_candidate(3, upvotes=9))
    assert reasons_of(pool) == {2: "142 votes", 3: "9 votes", 1: "new today"}
    assert ids_of(pool) == [2, 3, 1]


def test_equal_papers_come_by_id() -> None:
    pool = a_pool(*[a_candidate(number, upvotes=5, topics=(VISION,)) for number in (5, 3, 9, 4)])
    assert ids_of(pool) == ids_of(pool, topics={VISION: 1.0}) == [3, 4, 5, 9]


def test_what_a_reader_follows_comes_before_what_trends() -> None:
    pool = a_pool(a_candidate(1, upvotes=9_999), a_candidate(2, topics=(VISION,)))
    assert reasons_of(pool, topics={VISION: 1.0}) == {2: "you follow Computer vision", 1: "9,999 votes"}
    assert ids_of(pool, topics={VISION: 1.0}) == [2, 1]


def test_within_a_topic_the_trend_decides() -> None:
    pool = a_pool(*[a_candidate(number, topics=(VISION,), upvotes=number) for number in (1, 2, 3)])
    assert ids_of(pool, topics={VISION: 1.0}) == [3, 2, 1]


def test_more_of_a_topic_is_more_of_it() -> None:
    papers = [a_candidate(n, topics=(VISION if n % 2 else ROBOTS,)) for n in range(1, 41)]
    chosen = ids_of(a_pool(*papers), topics={VISION: 1.0, ROBOTS: 2.0}, size=9)
    assert chosen[0] == 2
    assert 1 <= sum(number % 2 for number in chosen) < 4.5


def test_a_narrow_choice_is_filled_from_the_trend_but_not_with_what_nobody_noticed() -> None:
    pool = a_pool(a_candidate(1), a_candidate(2, upvotes=3), a_candidate(3, comments=4), a_candidate(4))
    assert reasons_of(pool, topics={SPEECH: 1.0}) == {3: "4 comments", 2: "3 votes"}


def test_every_topic_followed_is_in_however_strong_another_is() -> None:
    strong = [a_candidate(number, topics=(VISION,), upvotes=500) for number in range(1, 30)]
    pool = a_pool(*strong, a_candidate(50, topics=(ROBOTS,)), a_candidate(51, topics=(SPEECH,)))
    assert {50, 51} < set(ids_of(pool, topics={VISION: 2.0, ROBOTS: 1.0, SPEECH: 1.0}, size=5))


def test_a_paper_in_two_topics_followed_comes_before_one_in_either() -> None:
    pool = a_pool(a_candidate(1, topics=(VISION,)), a_candidate(2, topics=(VISION, ROBOTS)))
    assert ids_of(pool, topics={VISION: 1.0, ROBOTS: 1.0}) == [2, 1]


def test_own_words_find_papers_and_say_so() -> None:
    pool = a_pool(
        a_candidate(1, title="Cooking"),
        a_candidate(2, title="Gaussian splatting in the dark"),
        a_candidate(3, title="Kitchens", abstract="Splatting, though not of the Gaussian kind."),
    )
    assert reasons_of(pool, words=("Gaussian  splats",)) == {
        2: "matches “Gaussian splats”",
        3: "close to “Gaussian splats”",
    }


def test_several_interests_in_one_line_are_several() -> None:
    pool = a_pool(a_candidate(1, title="Proteins"), a_candidate(2, title="Glaciers"))
    assert reasons_of(pool, words=("proteins, glaciers",)) == {
        1: "matches “proteins”",
        2: "matches “glaciers”",
    }


def test_a_followed_author_leads_in_the_papers_own_spelling() -> None:
    pool = a_pool(
        a_candidate(1, topics=(VISION,), upvotes=300), a_candidate(2, authors=("Zoë Ünal", "Ada B. Example"))
    )
    assert picks_of(pool, topics={VISION: 1.0}, authors=("ada example",))[0].reason == (
        "by Ada B. Example, whom you follow"
    )


def test_the_reason_is_what_counted_most() -> None:
    papers = a_candidate(1, title="Robots", topics=(VISION,), upvotes=200, authors=("Ada Example",))
    passing = a_candidate(2, title="On oceans", abstract="Long " * 90 + "robots", upvotes=300)
    pool = a_pool(papers, passing, a_candidate(3), a_candidate(4))
    followed = reasons_of(pool, topics={VISION: 1.0}, words=("robots",), authors=("Ada Example",))
    assert followed[1] == "by Ada Example, whom you follow"
    assert reasons_of(pool, topics={VISION: 1.0}, words=("robots",))[1] == "matches “robots”"
    assert reasons_of(pool, topics={VISION: 2.0}, words=("robots",))[1] == "you follow Computer vision"
    assert reasons_of(pool, words=("robots",))[2] == "300 votes"


@pytest.mark.parametrize(
    ("excluded", "left"),
    [
        ("robot", [2, 3, 4]),
        ("ROBOTICS", [1, 3, 4]),
        ("Example, Ada", [1, 2, 4]),
        ("ada example; robots", [2, 4]),
        ("robots, oceans", [2, 3]),
        ("ocean of", [1, 2, 3]),
        ("robotic arm", [1, 2, 3, 4]),
        ("", [1, 2, 3, 4]),
        ("the", [1, 2, 3, 4]),
        (".*", [1, 2, 3, 4]),
    ],
)
def test_what_a_reader_excludes_stays_out_even_pinned(excluded: str, left: list[int]) -> None:
    pool = a_pool(
        a_candidate(1, title="Robots", pin=1),
        a_candidate(2, title="Arms", topics=(ROBOTS,), pin=2),
        a_candidate(3, authors=("Ada Example",), abstract="For example, proteins.", pin=3),
        a_candidate(4, title="Oceans of data"),
    )
    assert sorted(ids_of(pool, excluded=(excluded,))) == left


def test_pins_reach_every_reader_first_and_in_the_curators_order() -> None:
    pool = a_pool(
        a_candidate(1, topics=(VISION,), upvotes=99),
        a_candidate(2, pin=2),
        a_candidate(3, pin=1, topics=(SPEECH,)),
    )
    choices: list[dict[int, float]] = [{}, {VISION: 2.0}, {SPEECH: 1.0}]
    for topics in choices:
        assert ids_of(pool, topics=topics) == [3, 2, 1]
        assert reasons_of(pool, topics=topics)[3] == "editor’s pick"


def test_a_fourth_pin_is_a_paper_like_any_other() -> None:
    pins = [a_candidate(number, pin=number) for number in range(1, 6)]
    assert list(reasons_of(a_pool(*pins, a_candidate(9, upvotes=50))).values()) == [
        *["editor’s pick"] * 3,
        "50 votes",
        "new today",
        "new today",
    ]


def test_a_pin_already_seen_makes_room_for_the_next() -> None:
    pins = [a_candidate(number, pin=number) for number in range(1, 6)]
    assert ids_of(a_pool(*pins), seen=frozenset({2}), size=3) == [1, 3, 4]


def test_an_earlier_editions_pin_is_not_pinned_any_more() -> None:
    pool = a_pool(a_candidate(1, day=YESTERDAY, pin=1), a_candidate(2, upvotes=9))
    assert reasons_of(pool, since=TODAY - 3 * DAY) == {2: "9 votes", 1: "new since your last digest"}


def test_a_new_reader_gets_this_edition_and_a_returning_one_what_came_since() -> None:
    pool = a_pool(*[a_candidate(number, day=TODAY - number * DAY) for number in range(5)])
    assert sorted(ids_of(pool)) == [0]
    assert sorted(ids_of(pool, since=TODAY - 3 * DAY)) == [0, 1, 2]
    assert ids_of(pool, since=TODAY) == []


def test_attention_fades_from_the_day_a_paper_was_featured() -> None:
    fresh, old = a_candidate(1, upvotes=60), a_candidate(2, upvotes=100, featured_on=TODAY - 3 * DAY)
    assert ids_of(a_pool(fresh, old)) == [1, 2]
    best = a_candidate(3, upvotes=500, featured_on=TODAY - 3 * DAY)
    assert ids_of(a_pool(fresh, old, best)) == [3, 1, 2]


def test_comments_and_stars_count_too() -> None:
    pool = a_pool(a_candidate(1, comments=12), a_candidate(2, stars=2_500), a_candidate(3, upvotes=2))
    assert reasons_of(pool) == {2: "2,500 stars on GitHub", 1: "12 comments", 3: "2 votes"}


def test_one_readers_picks_do_not_depend_on_the_others() -> None:
    pool = a_pool(*[a_candidate(n, topics=(1 + n % 3,), title=f"Paper on word{n % 7}") for n in range(60)])
    readers = [a_profile(topics={1 + n % 3: 1.0}, words=(f"word{n % 7}",), size=5 + n) for n in range(20)]
    together = rank(pool, readers)
    assert together == [rank(pool, [reader])[0] for reader in readers]
    assert together[::-1] == rank(pool, readers[::-1])


@pytest.mark.parametrize(
    "words",
    ["", " ", "the", "\x00", "(((", "[a-z]+", "\\", "x" * 200, "🎉 " * 100, "İıßﬁ", "a\u0301" * 60, ",;|\n"],
)
def test_odd_words_are_harmless(words: str) -> None:
    pool = a_pool(a_candidate(1, upvotes=4), a_candidate(2, title="", abstract=""))
    assert 1 in ids_of(pool, words=(words,), authors=(words,))
    assert 1 in ids_of(pool, excluded=(words,))


def test_a_reader_whose_words_say_nothing_gets_the_trend_like_anybody() -> None:
    pool = a_pool(a_candidate(1), a_candidate(2, upvotes=4))
    assert ids_of(pool, words=("the", " , "), authors=("!",), topics={VISION: 0.0}) == [2, 1]


def test_a_reason_fits_one_line_of_a_mail() -> None:
    title = "deep\r\nblue " * 18
    pool = a_pool(a_candidate(1, title=title))
    reason = picks_of(pool, words=(title.replace("\n", "\x85"),))[0].reason
    assert reason.isprintable()
    assert len(reason) < 100


def test_no_candidates_and_no_readers_are_no_errors() -> None:
    assert rank(a_pool(), []) == []
    reader = a_profile(topics={VISION: 1.0}, words=("x",), seen=frozenset({1}), excluded=("y",))
    assert rank(a_pool(), [reader, a_profile()]) == [[], []]


def test_a_topic_that_is_gone_is_no_interest_lost() -> None:
    pool = a_pool(a_candidate(1, topics=(77,), upvotes=3))
    assert reasons_of(pool, topics={77: 1.0, 78: 1.0}) == {1: "a topic you follow"}
