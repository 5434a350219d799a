"""Properties that hold for any pool and any readers, sought by hypothesis."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from digest.pool import Entry, lay_out
from digest.ranking import MOST_PINS, Profile, rank
from digest.vocabulary import Vocabulary
from tests.digest.readership import TODAY, TOPICS, YESTERDAY, a_candidate

WORDS = ["gaussian splatting", "speech", "robots", "models", "in context"]
AUTHORS = ["Ada Example", "Ben Sample"]
KNOWN = Vocabulary(50, {"model": 40, "speech": 9}, {"gs": ("gaussian", "splat")})

texts = st.lists(st.sampled_from([*WORDS, "GS", "filler"]), max_size=6).map(" ".join)
candidates = st.builds(
    a_candidate,
    st.integers(1, 40),
    title=texts,
    abstract=texts,
    day=st.sampled_from([TODAY, TODAY, YESTERDAY]),
    authors=st.lists(st.sampled_from(AUTHORS), max_size=2).map(tuple),
    topics=st.lists(st.sampled_from(sorted(TOPICS)), unique=True).map(tuple),
    upvotes=st.integers(0, 3),
    pin=st.none() | st.integers(1, 5),
)
pools = st.lists(candidates, max_size=40, unique_by=lambda candidate: candidate.paper_id)
readers = st.builds(
    Profile,
    topics=st.dictionaries(st.sampled_from(sorted(TOPICS)), st.sampled_from([1.0, 2.0])),
    words=st.lists(st.sampled_from(WORDS), max_size=2).map(tuple),
    authors=st.lists(st.sampled_from(AUTHORS), max_size=1).map(tuple),
    excluded=st.lists(st.sampled_from([*WORDS, *AUTHORS, "robotics"]), max_size=1).map(tuple),
    size=st.integers(0, 12),
    seen=st.frozensets(st.integers(1, 40), max_size=10),
    since=st.none() | st.just(YESTERDAY) | st.just(YESTERDAY.replace(day=1)),
)


def _allowed(candidate: Entry, reader: Profile) -> bool:
    """Tell, slowly and plainly, whether a reader may get a candidate."""
    words = f" {candidate.title} . {candidate.abstract} ".lower()
    said = any(f" {text.lower()} " in words for text in reader.excluded)
    by = set(reader.excluded) & set(candidate.authors)
    within = "robotics" in reader.excluded and 2 in candidate.topics
    new = candidate.day == TODAY if reader.since is None else candidate.day > reader.since
    return new and candidate.paper_id not in reader.seen and not (said or by or within)


@settings(max_examples=200, deadline=None)
@given(pools, st.lists(readers, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_every_digest_keeps_the_rules(pool: list[Entry], batch: list[Profile], chance: random.Random) -> None:
    digests = rank(lay_out(pool, TODAY, KNOWN, TOPICS), batch)
    for reader, picks in zip(batch, digests, strict=True):
        ids = [pick.paper_id for pick in picks]
        allowed = {candidate.paper_id: candidate for candidate in pool if _allowed(candidate, reader)}
        assert len(set(ids)) == len(ids) <= reader.size
        assert set(ids) <= set(allowed)
        assert all(pick.reason for pick in picks)
        pins = sorted(
            (paper.pin, paper.paper_id)
            for paper in allowed.values()
            if paper.pin is not None and paper.day == TODAY
        )
        expected = [paper_id for _, paper_id in pins][: min(MOST_PINS, reader.size)]
        assert ids[: len(expected)] == expected
        assert [pick.reason for pick in picks].count("editor’s pick") == len(expected)
        wanted = any(set(paper.topics) & set(reader.topics) for paper in allowed.values())
        assert picks or not reader.size or not wanted
    shuffled = chance.sample(pool, len(pool))
    order = chance.sample(range(len(batch)), len(batch))
    again = rank(lay_out(shuffled, TODAY, KNOWN, TOPICS), [batch[place] for place in order])
    assert again == [digests[place] for place in order]
