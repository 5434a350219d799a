"""One paper brought by hand: from the database, else from arXiv, now, while a person waits."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import datetime

import structlog
from django.conf import settings

from digest.curation.adding import CURATOR
from digest.models import Edition, Paper
from digest.sources import turn as turns
from digest.sources.arxiv import Arxiv
from digest.sources.arxiv_ids import arxiv_id
from digest.sources.arxiv_parsing import NAME
from digest.sources.base import PaperRecord, SourceError
from digest.sources.fetching import Fetcher, Limits
from digest.storing import store

#: Characters of what a person may give; more is no id.
LONGEST_GIVEN = 500
#: How long arXiv's turn is waited for, in seconds; its answer may then take as long as LIMITS say.
PATIENCE = 6.0
#: A person waits: one try, and no page hangs for longer than some ten seconds.
LIMITS = Limits(connect=3, read=4, whole=5, most_bytes=2_000_000, tries=1)
log = structlog.get_logger(__name__)


class BringingError(Exception):
    """A paper that could not be had; the text says why and what to do."""


def hurried() -> Arxiv:
    """Return a conversation with arXiv that takes its turn among all processes and gives up in seconds."""
    ends = time.monotonic() + PATIENCE

    def turn() -> AbstractContextManager[None]:
        return turns.turn(NAME, patience=max(ends - time.monotonic(), 0.0))

    return Arxiv(api=Fetcher(settings.ARXIV_API_URL, limits=LIMITS, turn=turn))


def look_up(given: str, *, converse: Callable[[], Arxiv] = hurried) -> Paper | PaperRecord:
    """Return the paper that `given` names: the stored one, else what arXiv tells of it, not stored yet.

    Call it outside a transaction. Raises BringingError.
    """
    name = arxiv_id(given)
    if name is None:
        raise BringingError(
            "That is no arXiv id and no address of a paper. Give an id like 2503.02130 or hep-th/9901001, or "
            "the address of its page on arxiv.org or huggingface.co/papers."
        )
    paper = Paper.objects.filter(arxiv_id=name).first()
    return paper or _asked(name, converse)


def keep(found: Paper | PaperRecord, edition: Edition, *, at: datetime) -> Paper:
    """Return the stored paper of `found`; one that arXiv told of is stored, its topics too.

    It appears on the curators' desk, on the edition's day.
    """
    if isinstance(found, Paper):
        return found
    return store(replace(found, source=CURATOR, day=edition.day, appears=True), at=at)[0]


def _asked(name: str, converse: Callable[[], Arxiv]) -> PaperRecord:
    try:
        with closing(converse()) as conversation:
            pages = list(conversation.by_ids([name]))
    except SourceError as error:
        if error.unreachable:
            log.warning("bringing_failed", paper=name, why=str(error))
            raise BringingError(
                "arXiv cannot be reached or did not answer in time. Nothing was added; try again in a minute."
            ) from error
        raise BringingError(f"arXiv could not tell: {error} Nothing was added.") from error
    record = next((one for page in pages for one in page.records if one.arxiv_id == name), None)
    skipped = [entry for page in pages for entry in page.skipped]
    if record is None and skipped:
        raise BringingError(f"arXiv's entry for {name} cannot be read: {skipped[0].reason}.")
    if record is None:
        raise BringingError(f"arXiv has no paper {name}. Look at the id again, please.")
    return record
