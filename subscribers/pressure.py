"""Whether more sign up, or are refused, than is usual: what curators are told."""

from dataclasses import dataclass
from datetime import datetime

from subscribers import limits

#: Sign-ups of an hour that are nothing to speak of, how many times the usual hour is, and refusals likewise.
UNREMARKABLE = 50
TIMES_THE_USUAL = 5
UNREMARKABLE_REFUSALS = 100


@dataclass(frozen=True, slots=True)
class Spike:
    """The last hour's sign-ups and refusals, and an hour's usual sign-ups."""

    asked: int
    usual: int
    refused: int

    def __str__(self) -> str:
        told = f"Sign-ups: {self.asked:,} asked for in the last hour, usually {self.usual:,}."
        return f"{told} {self.refused:,} refused by limits." if self.refused else told


def spike(at: datetime) -> Spike | None:
    """Return what is unusual about the hour before `at`, or None."""
    now = limits.pressure(at)
    many = now.asked > max(UNREMARKABLE, TIMES_THE_USUAL * now.usual)
    if not many and now.refused <= UNREMARKABLE_REFUSALS:
        return None
    return Spike(now.asked, round(now.usual), now.refused)
