"""Ask the sources, store what they give, and leave a receipt for every source, category and day."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from digest import thumbnails
from digest.asking import ASKED_WITHIN, due, is_due
from digest.matching import Compiled, compile_topics, topics_for
from digest.models import Appearance, IngestRun, Paper, PaperTopic, SourceTurn
from digest.sources import SOURCES
from digest.sources import turn as turns
from digest.sources.arxiv import Arxiv
from digest.sources.base import Page, SourceError, Window
from digest.storing import current_topics, store, store_all
from subscribers.models import Topic

__all__ = ["complete", "due", "ingest", "rematch", "rematch_edited", "store", "take_in"]
log = structlog.get_logger(__name__)

#: So many answers in a row that never came, and the rest of the days is not asked for.
GIVE_UP_AFTER = 2
#: Why an entry is skipped that is sound and of no use: arXiv announces new versions of old papers too.
UNKNOWN = "new version of a paper not held"
#: The category of a receipt for papers asked for by id.
BY_ID = "by id"
#: From so many entries on, all of them broken is a broken answer: the source has changed its ways.
ENOUGH_TO_JUDGE = 3
#: Longer than any asking takes, the time limit of Celery's tasks included.
TAKING_IN = timedelta(minutes=10)
#: Pictures that do not come in this time come another time; an edition goes out without.
PICTURES_SECONDS = 45.0
_CHUNK = 1000


def _ignore(run: IngestRun) -> None:
    """Nobody watches."""


def ingest(
    source: str,
    window: Window,
    *,
    at: datetime,
    progress: Callable[[IngestRun], None] = _ignore,
    again: bool = True,
) -> list[IngestRun]:
    """Ask `source` for every day of `window`, store what it gives, return the receipts.

    `again=False` is for the clock: it leaves out what another process has asked or is asking since `due` was
    looked up, so two beats ask once. `progress` is told of every receipt. A source's fault makes a failed
    receipt and never an exception; what was stored before stays.
    """
    topics, began = current_topics(), time.monotonic()
    conversation = SOURCES[source]()
    runs: list[IngestRun] = []
    faults: list[SourceError] = []
    try:
        for day in window.days():
            for category in conversation.categories():
                now = at + timedelta(seconds=time.monotonic() - began)
                run = _begin(
                    IngestRun(source=source, category=category, day=day, started_at=now), again=again
                )
                if run is None:
                    continue
                pages = conversation.pages(run.category, run.day, at=run.started_at)
                _ask(run, pages, topics, faults, check=_refuse_sudden_silence)
                run.finished_at = at + timedelta(seconds=time.monotonic() - began)
                run.save()
                runs.append(run)
                progress(run)
    finally:
        conversation.close()
    return runs


def complete(window: Window, *, at: datetime, converse: Callable[[], Arxiv] = Arxiv) -> IngestRun | None:
    """Ask arXiv for what Hugging Face does not tell of its papers of `window`; return the receipt.

    That is the categories, which topics are matched by, the version and the exact text. None where there is
    nothing to ask for. A paper arXiv does not know either is asked for again while it is in the window.
    """
    featured = Appearance.objects.filter(source="huggingface", day__range=(window.first, window.last))
    bare = Paper.objects.filter(version=0, arxiv_id__isnull=False, appearances__in=featured)
    ids = list(bare.order_by("pk").values_list("arxiv_id", flat=True))
    if not ids:
        return None
    run = IngestRun.objects.create(source="arxiv", category=BY_ID, day=window.last, started_at=at)
    began = time.monotonic()
    with closing(converse()) as conversation:
        _ask(run, conversation.by_ids(filter(None, ids)), current_topics(), [], check=_nothing_more)
    run.finished_at = at + timedelta(seconds=time.monotonic() - began)
    run.save()
    return run


def take_in(source: str, window: Window, *, at: datetime) -> bool:
    """Do what the clock asks for one source: ask, complete, fetch pictures; say whether it was done.

    One such at a time in the whole house: sources are slow, above all when they fail, and must not occupy
    every worker while readers wait. What is left out is still due a minute later.
    """
    try:
        with turns.turn("ingest", pause=timedelta(0), lease=TAKING_IN, patience=0):
            # No SourceError leaves these: their faults are receipts and log lines.
            ingest(source, window, at=at, again=False)
            if "arxiv" in settings.SOURCES:
                complete(window, at=at)
            thumbnails.fetch_missing(at=at, seconds=PICTURES_SECONDS)
    except SourceError:
        return False
    return True


def _begin(run: IngestRun, *, again: bool) -> IngestRun | None:
    """Write the receipt as running, or return None where another process has just done so."""
    lock = f"ingest:{run.source}"
    SourceTurn.objects.get_or_create(source=lock, defaults={"free_at": timezone.now()})
    with transaction.atomic():
        SourceTurn.objects.select_for_update().get(source=lock)
        if not again and not is_due(run.source, run.category, run.day, run.started_at):
            return None
        same = IngestRun.objects.filter(source=run.source, category=run.category, day=run.day)
        same.filter(state=IngestRun.State.RUNNING, started_at__lt=run.started_at - ASKED_WITHIN).update(
            state=IngestRun.State.FAILED,
            error="The process ended in the middle of it.",
            finished_at=run.started_at,
        )
        run.save()
    return run


def _ask(
    run: IngestRun,
    pages: Iterable[Page],
    topics: Compiled,
    faults: list[SourceError],
    *,
    check: Callable[[IngestRun], None],
) -> None:
    """Fill in `run` from `pages`, which ask as they are read; `check` raises SourceError on a doubtful end.

    `faults` are the unreachable answers in a row until now, each once.
    """
    try:
        _refuse_hopeless(faults)
        for page in pages:
            _take(run, page, topics)
        _refuse_unreadable(run)
        check(run)
        run.state = IngestRun.State.COMPLETE if run.announced else IngestRun.State.QUIET
        faults.clear()
    except SourceError as error:
        run.state, run.error = IngestRun.State.FAILED, str(error)[:300]
        if error.unreachable and error not in faults:
            faults.append(error)
    except Exception as error:  # a fault of ours must not cost the other days and categories
        log.exception("ingest_fault", source=run.source, category=run.category, day=str(run.day))
        run.state = IngestRun.State.FAILED
        run.error = f"A fault in Paperboy ({type(error).__name__}); the log has the details."
    if run.state == IngestRun.State.FAILED:
        log.warning(
            "ingest_failed", source=run.source, category=run.category, day=str(run.day), why=run.error
        )


def _refuse_hopeless(faults: list[SourceError]) -> None:
    if len(faults) >= GIVE_UP_AFTER:
        raise SourceError(f"Not asked, after {len(faults)} failures in a row. The last one: {faults[-1]}")


def _take(run: IngestRun, page: Page, topics: Compiled) -> None:
    for entry in page.skipped:
        log.warning(
            "entry_skipped", source=run.source, category=run.category, entry=entry.source_id, why=entry.reason
        )
    counts = store_all(page.records, at=run.started_at, topics=topics)
    run.announced += len(page.records) + len(page.skipped)
    run.new += counts.new
    run.updated += counts.updated
    run.unchanged += counts.unchanged
    run.skipped += len(page.skipped) + counts.unknown
    reasons = Counter[str](run.reasons) + Counter(entry.reason for entry in page.skipped)
    run.reasons = dict(reasons + Counter({UNKNOWN: counts.unknown}))
    if (
        page.day and page.day != run.day
    ):  # the receipt is for the day that was covered, not for the hoped-for one
        log.warning(
            "other_day", source=run.source, category=run.category, asked=str(run.day), given=str(page.day)
        )
        run.day = page.day


def _refuse_unreadable(run: IngestRun) -> None:
    """Raise SourceError where nothing of an answer could be read: the source has changed its ways."""
    broken = Counter[str]({why: count for why, count in run.reasons.items() if why != UNKNOWN})
    if run.announced >= ENOUGH_TO_JUDGE and run.announced == broken.total():
        most = broken.most_common(1)[0][0]
        raise SourceError(f"Not one of {run.announced} entries could be read; most often: {most}.")


def _refuse_sudden_silence(run: IngestRun) -> None:
    """Raise SourceError where a day that had papers has none any more."""
    if not run.announced:
        same = IngestRun.objects.filter(
            source=run.source, category=run.category, day=run.day, announced__gt=0
        )
        before = same.order_by("-announced").first()
        if before is not None:
            raise SourceError(
                f"The answer is empty, and earlier there were {before.announced} papers on that day."
            )


def _nothing_more(run: IngestRun) -> None:
    """Any end is a good one."""


def rematch(topics: Iterable[Topic] | None = None) -> int:
    """Work out anew which papers belong to `topics` (all, if None); return how many memberships changed.

    For after curators edited topics. An inactive topic has no papers.
    """
    chosen = list(Topic.objects.all() if topics is None else topics)
    ids = {topic.pk for topic in chosen}
    compiled = compile_topics(topic for topic in chosen if topic.active)
    changed = 0
    for papers in _chunks():
        wanted = {
            (paper["pk"], topic)
            for paper in papers
            for topic in topics_for((paper["title"], paper["abstract"]), paper["categories"], compiled)
        }
        with transaction.atomic():
            changed += _replace([paper["pk"] for paper in papers], ids, wanted)
    return changed


def rematch_edited(*, at: datetime) -> int:
    """Match papers anew to the topics edited since they were matched; return how many memberships changed.

    A topic edited while this runs is taken again the next time.
    """
    edited = list(Topic.objects.edited())
    changed = rematch(edited) if edited else 0
    Topic.objects.filter(pk__in=[topic.pk for topic in edited]).update(matched_at=at)
    return changed


def _chunks() -> Iterator[list[Any]]:
    last = 0
    while True:
        papers = list(
            Paper.objects.filter(pk__gt=last)
            .order_by("pk")
            .values("pk", "title", "abstract", "categories")[:_CHUNK]
        )
        if not papers:
            return
        yield papers
        last = papers[-1]["pk"]


def _replace(papers: list[int], topics: set[int], wanted: set[tuple[int, int]]) -> int:
    here = PaperTopic.objects.filter(paper_id__gte=papers[0], paper_id__lte=papers[-1], topic_id__in=topics)
    rows = {(paper, topic): pk for pk, paper, topic in here.values_list("pk", "paper_id", "topic_id")}
    gone = [pk for pair, pk in rows.items() if pair not in wanted]
    come = sorted(wanted - rows.keys())
    for start in range(0, len(gone), _CHUNK):
        PaperTopic.objects.filter(pk__in=gone[start : start + _CHUNK]).delete()
    PaperTopic.objects.bulk_create(
        [PaperTopic(paper_id=paper, topic_id=topic) for paper, topic in come],
        ignore_conflicts=True,
        batch_size=_CHUNK,
    )
    return len(gone) + len(come)
