"""What is said to every reader of an edition: the curator's word and the subject line."""

from digest.curation.deciding import (
    CLOCK,
    WORDABLE,
    By,
    CurationError,
    Kind,
    deciding,
    record,
    refuse_conflict,
)
from digest.models import Decision, Edition


def annotate_edition(
    edition: Edition, note: str, *, by: By = CLOCK, seen: int | None = None
) -> Decision | None:
    """Write the curator's word to every reader, plain text; the empty string takes it away."""
    word = note.replace("\r\n", "\n").strip()
    _refuse_long(word, Edition.LONGEST_NOTE, "word")
    with deciding(edition, WORDABLE) as locked:
        refuse_conflict(locked, seen, [Kind.WORD])
        if locked.note == word:
            return None
        before, locked.note = locked.note, word
        locked.save(update_fields=["note"])
        return record(locked, Kind.WORD, by, before={"word": before}, after={"word": word})


def name_edition(
    edition: Edition, subject: str, *, by: By = CLOCK, seen: int | None = None
) -> Decision | None:
    """Write the subject line of every reader's mail; the empty string leaves it to each reader's papers."""
    line = " ".join(subject.split())
    _refuse_long(line, Edition.LONGEST_SUBJECT, "subject")
    with deciding(edition, WORDABLE) as locked:
        refuse_conflict(locked, seen, [Kind.SUBJECT])
        if locked.subject == line:
            return None
        before, locked.subject = locked.subject, line
        locked.save(update_fields=["subject"])
        return record(locked, Kind.SUBJECT, by, before={"subject": before}, after={"subject": line})


def _refuse_long(text: str, longest: int, what: str) -> None:
    if len(text) > longest:
        raise CurationError(
            f"The {what} has {len(text):,} characters; {longest:,} is the most. Shorten it, please."
        )
    if "\x00" in text:
        raise CurationError(
            f"The {what} holds a character that cannot be stored (NUL). Type it anew, please."
        )
