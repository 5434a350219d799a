"""What the ranking costs, against the plain way of doing it in the same run, and what it finds.

    python -m tests.bench.ranking [--readers 1000] [--candidates 1500]

The plain way: per reader, a TF-IDF cosine of each of their phrases with every paper (scikit-learn), topics
and votes added up paper by paper, one sort. Papers are invented. With PAPERBOY_REAL_DATA relevance is
measured too, on recorded ones.
"""

import argparse
import os
import random
import resource
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from digest.pool import Entry, lay_out
from digest.ranking import Profile, rank
from digest.vocabulary import count
from tests.bench import relevance
from tests.digest.readership import TODAY, a_candidate, a_profile

TOPICS = {number: f"Topic {number}" for number in range(1, 21)}
chance = random.Random(20260304)


def invented_words(amount: int) -> list[str]:
    """Return pronounceable words, the first ones the most used (`sentence`)."""
    syllables = [one + other for one in "bdfgklmnprstvz" for other in "aeiou"]
    return list(dict.fromkeys("".join(chance.choices(syllables, k=3)) for _ in range(2 * amount)))[:amount]


WORDS = invented_words(12_000)


def sentence(length: int) -> str:
    """Return words as unevenly used as in real text (Zipf)."""
    places = [min(int(chance.paretovariate(0.6)), len(WORDS)) - 1 for _ in range(length)]
    return " ".join(WORDS[place] for place in places)


def candidates(amount: int) -> list[Entry]:
    """Return invented candidates of a week's editions."""
    return [
        a_candidate(
            number,
            title=sentence(10),
            abstract=sentence(180),
            day=TODAY - timedelta(days=chance.choice([0, 0, 0, 1, 2, 3])),
            authors=tuple(sentence(2) for _ in range(5)),
            topics=tuple(chance.sample(sorted(TOPICS), chance.choice([0, 1, 1, 2, 3]))),
            upvotes=int(chance.paretovariate(0.8)),
            pin=number if number < 3 else None,
        )
        for number in range(1, amount + 1)
    ]


def readers(amount: int, papers: Sequence[Entry]) -> list[Profile]:
    """Return readers with topics, words of their own and a history."""
    return [
        a_profile(
            topics=dict.fromkeys(chance.sample(sorted(TOPICS), chance.choice([0, 1, 2, 3, 5])), 1.0),
            words=tuple(
                " ".join(chance.choice(papers).title.split()[:2]) for _ in range(chance.choice([0, 1, 2, 3]))
            ),
            excluded=(chance.choice(WORDS),),
            seen=frozenset(chance.sample(range(1, 3 * len(papers)), 100)),
            since=chance.choice([None, TODAY - timedelta(days=1), TODAY - timedelta(days=7)]),
        )
        for _ in range(amount)
    ]


def plainly(papers: Sequence[Entry], batch: Sequence[Profile]) -> None:
    """Rank the plain way."""
    vectorizer = TfidfVectorizer(sublinear_tf=True)
    matrix = vectorizer.fit_transform([f"{paper.title} {paper.abstract}" for paper in papers])
    for reader in batch:
        own = np.zeros(len(papers))
        for phrase in reader.words:
            own += (matrix @ vectorizer.transform([phrase]).T).toarray().ravel()
        scores = {}
        for place, paper in enumerate(papers):
            new = reader.since is None or paper.day > reader.since
            barred = any(text in f"{paper.title} {paper.abstract}".split() for text in reader.excluded)
            if new and not barred and paper.paper_id not in reader.seen:
                followed = sum(reader.topics.get(topic, 0.0) for topic in paper.topics)
                scores[paper.paper_id] = own[place] + followed + np.log1p(paper.upvotes) / 6
        sorted(scores, key=lambda paper_id: (-scores[paper_id], paper_id))


def peak() -> float:
    """Return this process's peak memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def speed(amount: int, size: int) -> None:
    """Print times as ratios, and the memory a larger batch adds."""
    papers = candidates(size)
    begun = time.process_time()
    pool = lay_out(papers, TODAY, count((paper.title, paper.abstract) for paper in papers), TOPICS)
    built = time.process_time() - begun
    few, many = readers(amount, papers), readers(5 * amount, papers)
    begun = time.process_time()
    rank(pool, few)
    ours = time.process_time() - begun
    before = peak()
    begun = time.process_time()
    rank(pool, many)
    fivefold, added = time.process_time() - begun, peak() - before
    sample = few[: max(len(few) // 20, 1)]
    begun = time.process_time()
    plainly(papers, sample)
    plain = (time.process_time() - begun) * len(few) / len(sample)
    print(
        f"{amount} readers x {size} candidates: {ours:.2f} s of processor time, pool built in {built:.2f} s"
    )
    print(f"  {plain / ours:.0f} times as fast as the plain way (measured on {len(sample)} readers)")
    print(f"  5 times the readers: {fivefold / ours:.1f} times the time, {added:.0f} MB more at the peak")


def found(folder: Path) -> None:
    """Print what the ranking finds on recorded papers."""
    print(f"experts' lists among {relevance.CANDIDATES} papers, five draws (precision at 10, recall at 50)")
    figures: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for seed in range(5):
        for name, *row in relevance.lists(folder, seed):
            figures[name].append(tuple(row))
    show(figures)
    print("a reader's next paper among its day's (share placed behind it, in the first five)")
    figures = defaultdict(list)
    for name, *values in relevance.next_days(folder):
        figures[name].append(tuple(values))
    show(figures)


def show(figures: dict[str, list[tuple[float, ...]]]) -> None:
    """Print one line per ranking."""
    for name, rows in figures.items():
        print(
            f"  {name:14}"
            + "".join(f"{value:8.3f}" for value in np.mean(rows, axis=0))
            + f"   n = {len(rows)}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readers", type=int, default=1_000)
    parser.add_argument("--candidates", type=int, default=1_500)
    options = parser.parse_args()
    speed(options.readers, options.candidates)
    if "PAPERBOY_REAL_DATA" in os.environ:
        found(Path(os.environ["PAPERBOY_REAL_DATA"]))


if __name__ == "__main__":
    main()
