"""The pool of an edition, from the database into arrays."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db.models import F

from digest import terms
from digest.models import Candidate, Edition, Paper, PaperTopic
from digest.pool import Corpus, Entry, lay_out
from subscribers.models import Topic

#: How far a pool reaches, in editions (this one among them) and in papers.
MOST_EDITIONS, MOST_PAPERS = 7, 3_000
#: Papers read at a time; below every database's limit of parameters.
_CHUNK = 500


def load(edition: Edition, *, most: int = MOST_EDITIONS) -> Corpus:
    """Return the pool of `edition`, ready for `ranking.rank`: some 20 queries and 40 MB at its largest.

    It holds the candidates of this and the newest earlier editions that have some fixed, `most` in all (from
    1: this alone, enough where nobody is shown another day's), one per paper: its
    newest candidacy, which alone decides whether it is hidden. The newest editions come first, within one the
    pinned and most voted. Keep the answer while you send this edition: it takes a second to build.
    Raises vocabulary.VocabularyError when the edition's stored terms cannot be read.
    """
    newest = _newest(edition, most)
    names = dict(Topic.objects.values_list("id", "name"))
    return lay_out(_entries(sorted(newest), newest), edition.day, terms.load(edition), names)


def _newest(edition: Edition, most: int) -> dict[int, Candidate]:
    """Return the newest candidacy of each paper of the pool that is not hidden, by paper id."""
    with_papers = Edition.objects.with_candidates().filter(candidate_count__gt=0)
    earlier = with_papers.before(edition.day)[: most - 1]
    known: set[int] = set()
    found: dict[int, Candidate] = {}
    for one in (edition, *earlier):
        candidates = one.candidates.order_by(F("pin").asc(nulls_last=True), "-upvotes", "paper_id")
        for candidate in candidates.filter(paper__withdrawn_at=None):
            if len(found) >= MOST_PAPERS:
                return found
            if candidate.paper_id not in known and not candidate.hidden:
                candidate.edition = one
                found[candidate.paper_id] = candidate
            known.add(candidate.paper_id)
    return found


def _entries(paper_ids: Sequence[int], newest: dict[int, Candidate]) -> Iterator[Entry]:
    """Yield the candidates as plain values, reading papers and topics chunk by chunk."""
    for start in range(0, len(paper_ids), _CHUNK):
        chunk = paper_ids[start : start + _CHUNK]
        topics = defaultdict(list)
        for paper_id, topic_id in PaperTopic.objects.filter(paper__in=chunk).values_list(
            "paper_id", "topic_id"
        ):
            topics[paper_id].append(topic_id)
        papers = Paper.objects.filter(id__in=chunk).values_list("id", "title", "abstract", "authors")
        for paper_id, title, abstract, authors in papers:
            candidate = newest[paper_id]
            yield Entry(
                paper_id=paper_id,
                day=candidate.edition.day,
                featured_on=candidate.featured_on,
                title=title,
                abstract=abstract,
                authors=tuple(authors),
                topics=tuple(sorted(topics[paper_id])),
                upvotes=candidate.upvotes,
                comments=candidate.comments,
                stars=candidate.stars,
                pin=candidate.pin,
            )
