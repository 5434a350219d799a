"""How well the ranking finds what people want, on recorded papers: nothing of the data is part of Paperboy.

PAPERBOY_REAL_DATA names a folder with huggingface/DAY.json.gz (a day's papers, as its public API gives them),
relevance/lists.json ({name: {interest, papers}}: what experts listed under an interest; positives only, so
precision is understated) and relevance/readers.jsonl ({reader, papers: [[day, id], ...]}: what somebody wrote
or submitted).
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from digest.pool import Corpus, Entry, lay_out
from digest.ranking import Profile, rank
from digest.vocabulary import Vocabulary, count
from digest.words import says_something, tokens

CANDIDATES = 3_000
HISTORY, LEAST_HISTORY, PHRASES = 8, 3, 3

Ranking = Callable[[str], Sequence[int]]  # an interest -> places of papers, the best first


@dataclass(frozen=True, slots=True)
class Recorded:
    """A paper as it was featured."""

    identity: str
    day: date
    title: str
    abstract: str
    votes: int


@lru_cache(maxsize=1)
def featured(folder: Path) -> list[Recorded]:
    """Return the recorded papers, once each, in the order of their ids."""
    found = {}
    for file in sorted((folder / "huggingface").glob("*.json.gz")):
        for item in json.loads(gzip.decompress(file.read_bytes())):
            paper = item["paper"]
            found[paper["id"]] = Recorded(
                paper["id"],
                date.fromisoformat(file.name[:10]),
                paper["title"],
                paper.get("summary") or "",
                paper.get("upvotes") or 0,
            )
    return [found[identity] for identity in sorted(found)]


def pool_of(papers: Sequence[Recorded], known: Vocabulary) -> Corpus:
    """Return `papers` as one edition; paper ids are places in `papers`."""
    day = max(paper.day for paper in papers)
    entries = (
        Entry(place, day, day, paper.title, paper.abstract, upvotes=paper.votes)
        for place, paper in enumerate(papers)
    )
    return lay_out(entries, day, known, {})


def picks(pool: Corpus, words: tuple[str, ...], size: int) -> list[int]:
    """Return what a new reader of `words` alone gets."""
    profile = Profile({}, words, (), (), size, frozenset(), None)
    return [pick.paper_id for pick in rank(pool, [profile])[0]]


def lists(folder: Path, seed: int) -> Iterator[tuple[str, float, float]]:
    """Yield (ranking's name, precision at 10, recall at 50) for each expert's list, among CANDIDATES papers.

    All listed papers and, drawn with `seed`, others.
    """
    wanted = json.loads((folder / "relevance" / "lists.json").read_text())
    listed = {identity for one in wanted.values() for identity in one["papers"]}
    papers = featured(folder)
    others = [paper for paper in papers if paper.identity not in listed]
    drawn = np.random.default_rng(seed).permutation(len(others))
    kept = [paper for paper in papers if paper.identity in listed]
    kept += [others[place] for place in drawn[: CANDIDATES - len(kept)]]
    kept.sort(key=lambda paper: paper.identity)
    known = count((paper.title, paper.abstract) for paper in papers)
    for name, ranking in _rankings(kept, known).items():
        for one in wanted.values():
            good = {place for place, paper in enumerate(kept) if paper.identity in one["papers"]}
            order = ranking(one["interest"])
            recall = len(good & set(order[:50])) / min(len(good), 50)
            yield name, len(good & set(order[:10])) / 10, recall


def _rankings(papers: Sequence[Recorded], known: Vocabulary) -> dict[str, Ranking]:
    pool = pool_of(papers, known)
    vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True)
    matrix = vectorizer.fit_transform([f"{paper.title}\n{paper.abstract}" for paper in papers])

    def cosine(interest: str) -> list[int]:
        scores = (matrix @ vectorizer.transform([interest]).T).toarray().ravel()
        return [int(place) for place in np.argsort(-scores, kind="stable")]

    return {
        "ranking": lambda interest: picks(pool, (interest,), 50),
        "trend only": lambda _: picks(pool, (), 50),
        "plain TF-IDF": cosine,
    }


def next_days(folder: Path) -> Iterator[tuple[str, float, bool]]:
    """Yield (ranking's name, share of the day's papers placed behind, in the first five) per next paper.

    The reader's words are telling pairs of words from the titles of up to HISTORY earlier papers.
    """
    papers = featured(folder)
    known = count((paper.title, paper.abstract) for paper in papers)
    by_identity = {paper.identity: paper for paper in papers}
    days: dict[date, list[Recorded]] = defaultdict(list)
    for paper in papers:
        days[paper.day].append(paper)
    for line in (folder / "relevance" / "readers.jsonl").read_text().splitlines():
        past = [
            by_identity[identity] for _, identity in json.loads(line)["papers"] if identity in by_identity
        ]
        for place in range(LEAST_HISTORY, len(past)):
            rivals = days[past[place].day]
            if len(rivals) < 10:
                continue
            before = past[max(0, place - HISTORY) : place]
            words = tuple(phrase for paper in before for phrase in telling_pairs(paper.title, known))
            pool, size = pool_of(rivals, known), len(rivals)
            for name, own in (("ranking", words), ("trend only", ())):
                order = picks(pool, own, size)
                target = rivals.index(past[place])
                position = order.index(target) if target in order else size - 1
                yield name, 1 - position / (size - 1), position < 5


def telling_pairs(title: str, known: Vocabulary) -> list[str]:
    """Return the PHRASES rarest pairs of neighbouring words of a title, of words that several papers have."""
    words = title.split()
    rated = []
    for pair in (f"{one} {other}" for one, other in pairwise(words)):
        stems = tokens(pair)
        if len(stems) > 1 and all(says_something(word) and known.counts.get(word, 0) > 2 for word in stems):
            rated.append((sum(map(known.rarity, stems)) / len(stems), pair.replace(",", " ")))
    return [pair for _, pair in sorted(rated, reverse=True)[:PHRASES]]
