"""The subject line and the word to all readers: as they are, and as an inbox and the mail will show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings
from django.utils.safestring import SafeString

from digest.admin.edition.rows import Row
from digest.models import Edition
from digest.rendering import opening, wording
from digest.rendering.fragments import BRIEF, TITLE
from digest.rendering.renderer import preheader, subject

#: How many papers the sample reader gets.
SAMPLE = 10
#: Characters of a subject that phones show, and of subject and preheader together on a computer.
PHONE, WIDE = 40, 100


@dataclass(frozen=True, slots=True)
class Inbox:
    """The line of an inbox. `own`: the subject is the curator's; else it is an example of one reader's.

    `wide_subject` and `wide_preheader` are what a computer's screen has room for; a phone cuts by its width.
    """

    sender: str
    subject: str
    preheader: str
    own: bool

    @property
    def wide_subject(self) -> str:
        """The subject, cut where a computer cuts it."""
        return wording.clip(self.subject, WIDE)

    @property
    def wide_preheader(self) -> str:
        """What of the preheader has room behind the subject."""
        left = WIDE - len(self.subject)
        return wording.clip(self.preheader, left) if left > 5 else ""


def content(
    edition: Edition, typed_subject: str | None, typed_word: str | None, papers: Iterable[Row]
) -> dict[str, object]:
    """Return what the words' panel shows: what is stored, or what was typed and could not be stored."""
    line = edition.subject if typed_subject is None else typed_subject
    word = edition.note if typed_word is None else typed_word
    titles = [row.title for row in papers if not row.hidden and not row.withdrawn][:SAMPLE]
    return {
        "subject": line,
        "word": word,
        "longest_subject": Edition.LONGEST_SUBJECT,
        "longest_word": Edition.LONGEST_NOTE,
        "word_in_mail": opening.NOTE,
        "phone": PHONE,
        "unsaved": typed_subject is not None or typed_word is not None,
        **looks(edition, line, word, titles),
    }


def looks(edition: Edition, line: str, word: str, titles: Sequence[str]) -> dict[str, object]:
    """Return how `line` and `word` will look in a mail with papers of `titles`; nothing is stored."""
    return {"inbox": _inbox(edition, line, titles), "word_looks": _word(word)}


def _word(word: str) -> list[SafeString]:
    return opening.note(word[: Edition.LONGEST_NOTE])


def _inbox(edition: Edition, line: str, titles: Sequence[str]) -> Inbox:
    own = bool(wording.line(line, Edition.LONGEST_SUBJECT))
    named = Edition(day=edition.day, subject=line)
    some = [wording.plain(title, TITLE) for title in titles] or ["The title of the first paper"]
    return Inbox(
        sender=parseaddr(settings.DEFAULT_FROM_EMAIL)[0] or settings.LIST_NAME,
        subject=subject(named, some, edition.day.year),
        preheader=" · ".join(preheader(named, [wording.plain(title, BRIEF) for title in some])),
        own=own,
    )
