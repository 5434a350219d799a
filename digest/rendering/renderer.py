"""The digests of one edition: what all readers share is made once, what is one reader's is spliced in."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from digest.models import Edition
from digest.ranking import Pick
from digest.rendering import fragments, opening, wording
from digest.rendering.counted import Counter, Cut, cut
from digest.rendering.fragments import LEVELS, Entry, Fragment
from digest.rendering.markup import lines
from digest.rendering.shell import Shell, html_shell, text_shell
from subscribers import links
from subscribers.mail import compose_digest
from subscribers.models import Subscriber

#: Bytes of a digest's HTML, decoded. Gmail cuts a mail off above 102 kB and hides its end, the footer.
MOST_HTML = 90_000
#: Characters of a subject and of its paper's title.
SUBJECT, SUBJECT_TITLE = 140, 100
_REASON = 160
# Keeps the text that follows out of the line an inbox shows beside the subject.
_FILLER = "\n" + "\n".join(["&#847;&zwnj;&nbsp;" * 12] * 6)
_PREHEADER_BYTES = 6 * 3 * fragments.BRIEF + len(_FILLER) + 20  # one character escaped takes up to 6


class NothingToSendError(ValueError):
    """None of the picked papers exists any more; `str()` is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Digest:
    """A reader's mail, and the picks it really shows: what did not fit has not been seen."""

    message: EmailMultiAlternatives
    shown: Sequence[Pick]


@dataclass(frozen=True, slots=True)
class _Frame:
    """Both shells with all filled in that the readers of one edition share."""

    html: Shell
    text: Shell
    weight: int


class EditionRenderer:
    """Makes the digests of `edition`. Papers are read when it is made, or when a pick first names one."""

    def __init__(self, edition: Edition, paper_ids: Iterable[int]) -> None:
        """Load the papers `paper_ids` and their notes; compile the shell."""
        self._edition = edition
        self._entries: dict[int, Entry | None] = {}
        self._fragments: dict[tuple[int, int, int], Fragment] = {}
        #: By the identity of the fragments above, which live as long.
        self._cuts: dict[int, Cut] = {}
        self._frames: dict[int, _Frame] = {}
        self._load(set(paper_ids))

    def message(
        self, delivery_public_id: str, subscriber: Subscriber, picks: Sequence[Pick], at: datetime
    ) -> EmailMultiAlternatives:
        """Return the mail of `digest`."""
        return self.digest(delivery_public_id, subscriber, picks, at).message

    def digest(
        self, delivery_public_id: str, subscriber: Subscriber, picks: Sequence[Pick], at: datetime
    ) -> Digest:
        """Return `subscriber`'s digest of `picks`, the same bytes for the same arguments.

        `at` is the aware moment of its Date, its links and the year that dates leave out. HTML stays within
        MOST_HTML: abstracts are shortened step by step, then papers are left to the page online. Raises
        NothingToSendError, and MailError for an address or text that no mail can carry.
        """
        self._load({pick.paper_id for pick in picks} - self._entries.keys())
        picks = [pick for pick in picks if self._entries[pick.paper_id]]
        if not picks:
            raise NothingToSendError("None of the papers picked for this reader is stored any more.")
        frame = self._frame(at.year)
        reader = self._of_reader(delivery_public_id, subscriber, at)
        own = {key: escape(value) for key, value in reader.items()}
        # No slot of a reader's stands there more than twice.
        room = MOST_HTML - frame.weight - _PREHEADER_BYTES - 2 * sum(map(len, own.values()))
        counter = Counter(delivery_public_id) if subscriber.clicks_counted_since else None
        chosen = self._fitting(picks, at.year, room, counter)
        titles = [fragment.title for fragment in chosen]
        html = {**own, "preheader": _preheader(self._edition, chosen), "papers": _html(chosen, picks)}
        text = {**reader, "papers": _text(chosen, picks)}
        message = compose_digest(
            to=subscriber.address,
            subscriber_public_id=subscriber.public_id,
            delivery_public_id=delivery_public_id,
            edition_day=self._edition.day,
            subject=subject(self._edition, titles, at.year),
            html=frame.html.text(html),
            text=frame.text.text(text),
            at=at,
        )
        return Digest(message, picks[: len(chosen)])

    def _of_reader(self, delivery_public_id: str, reader: Subscriber, at: datetime) -> dict[str, str]:
        since = wording.day(reader.confirmed_at or reader.created_at, at.year)
        return {
            "unsubscribe": links.unsubscribe_url(reader.public_id, delivery_public_id),
            "preferences": links.preferences_url(reader.public_id, at),
            "pause": links.pause_url(reader.public_id, at),
            # On two lines, since wrapping costs more than all the rest of a mail.
            "why": f"You get this because {reader.address}\nsubscribed to {settings.LIST_NAME} on {since}.",
        }

    def _fitting(
        self, picks: Sequence[Pick], year: int, room: int, counter: Counter | None
    ) -> list[Fragment]:
        """Return the fragments of as many picks as `room` bytes hold, with as much text as they leave.

        Where clicks are counted, their links lead past `counter`.
        """
        reasons = sum(len(_reason_html(pick.reason).encode()) for pick in picks)
        for level in range(len(LEVELS)):
            chosen = [self._fragment(pick.paper_id, level, year) for pick in picks]
            if counter is not None:
                chosen = [counter.lead(self._cut(fragment)) for fragment in chosen]
            if reasons + sum(fragment.weight for fragment in chosen) <= room:
                return chosen
        used = 0
        for place, fragment in enumerate(chosen):
            used += fragment.weight + len(_reason_html(picks[place].reason).encode())
            if used > room:
                return chosen[: max(place, 1)]
        return chosen

    def _fragment(self, paper_id: int, level: int, year: int) -> Fragment:
        key = (paper_id, level, year)
        if key not in self._fragments:
            entry = self._entries[paper_id]
            if entry is None:
                raise NothingToSendError("A paper picked for this reader is not stored any more.")
            self._fragments[key] = fragments.build(entry, level, year)
        return self._fragments[key]

    def _cut(self, fragment: Fragment) -> Cut:
        if id(fragment) not in self._cuts:
            self._cuts[id(fragment)] = cut(fragment)
        return self._cuts[id(fragment)]

    def _frame(self, year: int) -> _Frame:
        if year not in self._frames:
            self._frames[year] = _frame(self._edition, year)
        return self._frames[year]

    def _load(self, paper_ids: set[int]) -> None:
        if paper_ids:
            found = fragments.load(self._edition, paper_ids)
            self._entries.update({key: found.get(key) for key in paper_ids})


def subject(edition: Edition, titles: Sequence[str], year: int) -> str:
    """Return the curator's subject, else "Daily Papers, 4 May: the first title + 9 more"; one clean line."""
    own = wording.line(edition.subject, Edition.LONGEST_SUBJECT)
    if own:
        return own
    start = f"{settings.LIST_NAME}, {wording.day(edition.day, year)}: "
    end = f" + {len(titles) - 1} more" if len(titles) > 1 else ""
    return start + wording.clip(titles[0], min(SUBJECT_TITLE, SUBJECT - len(start) - len(end))) + end


def _frame(edition: Edition, year: int) -> _Frame:
    day = wording.day(edition.day, year, weekday=True)
    online = f"{settings.SITE_URL}/editions/{edition.day.isoformat()}/"
    shared = {
        "list": settings.LIST_NAME,
        "date": day,
        "byline": settings.BYLINE,
        "online": online,
        "all": f"Read all {edition.candidate_count} papers online"
        if edition.candidate_count
        else "Read online",
        "postal": settings.POSTAL_ADDRESS,
        "title": f"{settings.LIST_NAME}, {day}",
    }
    html = html_shell("email/digest.mjml").filled(
        {key: lines(value) for key, value in shared.items()} | {"opening": opening.html(edition)}
    )
    text = text_shell("email/digest.txt").filled(
        {
            **shared,
            "byline": wording.wrapped(f"by {settings.BYLINE} and the research community"),
            "opening": opening.text(edition),
        }
    )
    return _Frame(html, text, len("".join(html.pieces).encode()))


def _html(chosen: Sequence[Fragment], picks: Sequence[Pick]) -> str:
    parts: list[str] = []
    for fragment, pick in zip(chosen, picks, strict=False):
        parts += (fragment.html[0], _reason_html(pick.reason), fragment.html[1])
    return "".join(parts)


def _text(chosen: Sequence[Fragment], picks: Sequence[Pick]) -> str:
    parts: list[str] = []
    for place, (fragment, pick) in enumerate(zip(chosen, picks, strict=False), start=1):
        parts += (f"{place:>2}. ", fragment.text[0], _reason_text(pick.reason), fragment.text[1])
    return "".join(parts)


@functools.lru_cache(maxsize=4096)
def _reason_html(reason: str) -> str:
    return lines(_sentence(reason))


@functools.lru_cache(maxsize=4096)
def _reason_text(reason: str) -> str:
    return wording.wrapped(f"Why: {_sentence(reason)}", "    ")


def _sentence(reason: str) -> str:
    line = wording.plain(reason, _REASON)
    return line[:1].upper() + line[1:]


def preheader(edition: Edition, briefs: Sequence[str]) -> list[str]:
    """Return which of `briefs`, the short titles, an inbox shows: those that the subject does not name."""
    if wording.line(edition.subject, Edition.LONGEST_SUBJECT):
        return list(briefs[:3])
    return list(briefs[1:4] or briefs[:1])


def _preheader(edition: Edition, chosen: Sequence[Fragment]) -> str:
    return "\n· ".join(preheader(edition, [fragment.brief for fragment in chosen])) + _FILLER
