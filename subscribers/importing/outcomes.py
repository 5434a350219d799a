"""What can become of a row, and the tally that an import keeps of it."""

from dataclasses import dataclass, field
from typing import Any

from django.db import models

#: Examples kept of each outcome, and different tags counted: what a page can show.
MOST_EXAMPLES = 50
MOST_TAGS = 200


class Outcome(models.TextChoices):
    """What becomes of a row. DOUBTED is told beside NEW, of the same row."""

    NEW = "new", "New readers"
    HERE = "here", "Already here, left as they are"
    DUPLICATE = "duplicate", "In the file before"
    NOT_SUBSCRIBED = "not_subscribed", "Not subscribed there"
    BOUNCED = "bounced", "Undeliverable there: onto the suppression list"
    SUPPRESSED = "suppressed", "On the suppression list"
    WITHDRAWN = "withdrawn", "Left this list before"
    INVALID = "invalid", "Cannot be read"
    DOUBTED = "doubted", "Of the new readers: something in the row is left out"


#: These are no problems to look into: the reader is here now, or was.
UNREMARKABLE = frozenset({Outcome.NEW, Outcome.HERE})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of the row that begins on `line`; `address` as far as the row has one."""

    line: int
    outcome: Outcome
    reason: str = ""
    address: str = ""


@dataclass
class Tally:
    """Counts, examples and tags so far, in the shape that the job's row keeps them."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[list[Any]]] = field(default_factory=dict)
    tags: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        """Count one row."""
        name = verdict.outcome.value
        self.counts[name] = self.counts.get(name, 0) + 1
        shown = self.examples.setdefault(name, [])
        if len(shown) < MOST_EXAMPLES:
            shown.append([verdict.line, verdict.address, verdict.reason])

    def add_tag(self, tag: str, slug: str) -> None:
        """Count one new reader with `tag`, which is the topic `slug`, or none of ours."""
        if tag in self.tags or len(self.tags) < MOST_TAGS:
            self.tags.setdefault(tag, [0, slug])[0] += 1
