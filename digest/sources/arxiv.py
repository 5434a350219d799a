"""arXiv: today's announcements from the feeds, past days and single papers from the search API."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings

from digest.sources import turn as turns
from digest.sources.announcements import eastern_date, submitted_between
from digest.sources.arxiv_parsing import NAME, Found, complaint, parse_api, parse_feed
from digest.sources.base import Page, PaperRecord, Skipped, SourceError
from digest.sources.fetching import Answer, Fetcher, Limits
from digest.sources.taxonomy import canonical

PAGE_SIZE = 1000  # arXiv gives 2000 at most; a page of 1000 is about 4 MB
MOST_RESULTS = 30_000
IDS_A_SLICE = 100
#: arXiv tells nobody how long to wait, and does not like impatience.
LIMITS = Limits(backoff=3)
_EMPTY_TRIES = 3


class Arxiv:
    """A conversation with arXiv, which waits its turn among all processes before every request."""

    def __init__(
        self, *, feeds: Fetcher | None = None, api: Fetcher | None = None, pause: timedelta = turns.PAUSE
    ) -> None:
        def turn() -> AbstractContextManager[None]:
            return turns.turn(NAME, pause=pause)

        self._feeds = feeds or Fetcher(settings.ARXIV_FEED_URL, limits=LIMITS, turn=turn)
        self._api = api or Fetcher(settings.ARXIV_API_URL, limits=LIMITS, turn=turn)
        self._past_day: date | None = None
        self._past: Page | SourceError = Page()

    def categories(self) -> tuple[str, ...]:
        """The categories this installation follows, one run each."""
        return tuple(settings.ARXIV_CATEGORIES)

    def pages(self, category: str, day: date, *, at: datetime) -> Iterator[Page]:
        """Yield what arXiv announced in `category` on the Eastern date `day`.

        Today's date is asked of the feed, which knows no other; an earlier one of the API. The API is asked
        once for all categories of a day, since one cross-listed paper answers several of them.
        """
        name = canonical(category)
        if name is None:
            raise SourceError(f"arXiv has no category {category!r}. Look into ARXIV_CATEGORIES.")
        if day >= eastern_date(at):
            yield self._feed(category, day)
        else:
            past = self._of_past_day(day)
            yield Page(
                tuple(record for record in past.records if name in record.categories),
                tuple(entry for entry in past.skipped if name in entry.categories or not entry.categories),
            )

    def by_ids(self, ids: Iterable[str]) -> Iterator[Page]:
        """Yield the papers with the arXiv ids `ids`, slice by slice; unknown ones are silently missing."""
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), IDS_A_SLICE):
            piece = wanted[start : start + IDS_A_SLICE]
            yield self._ask({"id_list": ",".join(piece), "max_results": len(piece)}, appears=False).page

    def close(self) -> None:
        """Close the connections."""
        self._feeds.close()
        self._api.close()

    def _feed(self, category: str, day: date) -> Page:
        answer = self._feeds.get(f"{self._feeds.base}/atom/{category}")
        _refuse_error(answer)
        return parse_feed(answer.body, day)

    def _of_past_day(self, day: date) -> Page:
        """Return a past day in all our categories; the answer, or its failure, is kept for the other runs."""
        if self._past_day != day:
            try:
                self._past = self._search(day)
            except SourceError as error:
                self._past = error
            self._past_day = day
        if isinstance(self._past, SourceError):
            raise self._past
        return self._past

    def _search(self, day: date) -> Page:
        submitted = submitted_between(day)
        if submitted is None:
            return Page()
        first, end = (f"{moment:%Y%m%d%H%M}" for moment in submitted)
        names = dict.fromkeys(name for given in self.categories() if (name := canonical(given)))
        query = " OR ".join(f"cat:{name}" for name in names)
        records: list[PaperRecord] = []
        skipped: list[Skipped] = []
        start, total = 0, 1
        while start < total:
            found = self._ask(
                {"search_query": f"({query}) AND submittedDate:[{first} TO {end}]", "sortBy": "submittedDate",
                 "sortOrder": "ascending", "start": start, "max_results": PAGE_SIZE},
                appears=True,
            )  # fmt: skip
            # The range is by the minute and includes both ends; the cut-off decides.
            records += [record for record in found.page.records if record.day == day]
            skipped += found.page.skipped
            start, total = start + PAGE_SIZE, found.total
            if total > MOST_RESULTS:
                raise SourceError(f"arXiv has {total} papers for one day, and gives {MOST_RESULTS} at most.")
        return Page(tuple(records), tuple(skipped))

    def _ask(self, parameters: dict[str, str | int], *, appears: bool) -> Found:
        """Return one slice; an empty one although there are results is asked again, for arXiv does that."""
        for _again in range(_EMPTY_TRIES):
            answer = self._api.get(f"{self._api.base}?{urlencode(parameters)}")
            _refuse_error(answer)
            found = parse_api(answer.body, appears=appears)
            if found.page.records or found.page.skipped or found.total <= int(parameters.get("start", 0)):
                return found
        raise SourceError(
            f"arXiv says it has {found.total} papers and gave none (asked {_EMPTY_TRIES} times).",
            unreachable=True,
        )


def _refuse_error(answer: Answer) -> None:
    if answer.status == 403:
        raise SourceError("arXiv answered 403: it wants us to stop. Look into CONTACT_EMAIL and the pace.")
    if answer.status != 200:
        raise SourceError(f"arXiv answered {answer.status}: {complaint(answer.body) or 'no reason given'}")
