"""Curators' decisions: what is pinned, hidden, noted, added and said, and what goes out. Their sole writer.

Every decision is a row of `Decision`, written in the transaction that changes what it is about: who, when,
what stood there before and since. `by` says who (the clock or a command by default). `seen` is the revision
of the edition that the deciding person had before them: where the same thing was decided otherwise since,
`ConflictError` says by whom, and nothing changes. Without `seen` nothing is compared.
"""

from digest.curation.adding import ADDABLE, add
from digest.curation.deciding import (
    CLOCK,
    HIDEABLE,
    SHAPEABLE,
    WORDABLE,
    By,
    ConflictError,
    CurationError,
    deed_of,
)
from digest.curation.leaving import approve, cancel, pause, resume
from digest.curation.papers import LONGEST_NOTE, MOST_PINS, annotate, hide, pin, show, unpin
from digest.curation.undoing import newest_of, undo, undoable
from digest.curation.wording import annotate_edition, name_edition

__all__ = [
    "ADDABLE",
    "CLOCK",
    "HIDEABLE",
    "LONGEST_NOTE",
    "MOST_PINS",
    "SHAPEABLE",
    "WORDABLE",
    "By",
    "ConflictError",
    "CurationError",
    "add",
    "annotate",
    "annotate_edition",
    "approve",
    "cancel",
    "deed_of",
    "hide",
    "name_edition",
    "newest_of",
    "pause",
    "pin",
    "resume",
    "show",
    "undo",
    "undoable",
    "unpin",
]
