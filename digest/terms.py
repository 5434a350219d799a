"""The words of the 60 days before an edition: counted once when it freezes, read by every worker."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, OuterRef

from digest.models import Appearance, Candidate, Edition, EditionTerms, Paper
from digest.vocabulary import Vocabulary, count, pack, unpack

WINDOW = timedelta(days=60)
#: Rows read at a time: the papers of 60 days are never in memory together.
_CHUNK = 500


def compute(edition: Edition) -> EditionTerms:
    """Count and store the words of the papers of the 60 days up to `edition.day` and of its candidates."""
    vocabulary = count(_texts(edition))
    terms, _ = EditionTerms.objects.update_or_create(
        edition=edition, defaults={"documents": vocabulary.documents, "packed": pack(vocabulary)}
    )
    return terms


def load(edition: Edition) -> Vocabulary:
    """Return the words of `edition`; counted anew, without storing them, if that has not been done.

    Raises VocabularyError when what is stored is damaged or of another release.
    """
    packed = EditionTerms.objects.filter(edition=edition).values_list("packed", flat=True).first()
    return count(_texts(edition)) if packed is None else unpack(bytes(packed))


def _texts(edition: Edition) -> Iterator[tuple[str, str]]:
    """Yield (title, abstract) of each paper of the window, once, chunk by chunk in the order of their ids."""
    appeared = Appearance.objects.filter(paper=OuterRef("pk"), day__range=(edition.day - WINDOW, edition.day))
    candidate = Candidate.objects.filter(paper=OuterRef("pk"), edition=edition)
    papers = Paper.objects.filter(Exists(appeared) | Exists(candidate), withdrawn_at=None).order_by("id")
    last = 0
    while True:
        chunk = list(papers.filter(id__gt=last).values_list("id", "title", "abstract")[:_CHUNK])
        yield from ((title, abstract) for _, title, abstract in chunk)
        if len(chunk) < _CHUNK:
            return
        last = chunk[-1][0]
