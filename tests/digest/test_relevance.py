"""The ranking on recorded papers: it must find what people want clearly better than what merely trends."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from tests.bench import relevance

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif("PAPERBOY_REAL_DATA" not in os.environ, reason="PAPERBOY_REAL_DATA is not set"),
]


@pytest.fixture
def folder() -> Path:
    """Return where the recorded papers lie."""
    return Path(os.environ["PAPERBOY_REAL_DATA"])


def means(rows: Iterable[tuple[str, float, float]]) -> dict[str, tuple[float, float]]:
    """Return each ranking's mean of the two figures."""
    figures: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, one, other in rows:
        figures[name].append((one, other))
    return {
        name: (float(np.mean(both, axis=0)[0]), float(np.mean(both, axis=0)[1]))
        for name, both in figures.items()
    }


def test_an_interest_finds_what_experts_listed_under_it(folder: Path) -> None:
    found = means(row for seed in range(3) for row in relevance.lists(folder, seed))
    precision, recall = found["ranking"]
    assert precision > 0.45 > 3 * found["trend only"][0]
    assert recall > 0.5 > 3 * found["trend only"][1]
    assert precision > 1.1 * found["plain TF-IDF"][0]
    assert recall > found["plain TF-IDF"][1]


def test_words_of_earlier_papers_find_a_readers_next_one(folder: Path) -> None:
    found = means(relevance.next_days(folder))
    assert found["ranking"][0] > found["trend only"][0] + 0.05
    assert found["ranking"][1] > 1.2 * found["trend only"][1]
