"""One line of what the doctor found, with its cure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from subscribers.outcomes import told


class Level(StrEnum):
    """How a finding is meant; only WRONG makes the command fail."""

    GOOD = "good"
    ADVICE = "advice"
    WRONG = "wrong"
    UNSEEN = "could not look"


class CouldNotLookError(Exception):
    """The world did not answer; `str()` says why. No verdict either way."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, and what to do about it; neither holds a secret or a reader's address."""

    level: Level
    seen: str
    cure: str = ""


Findings = Iterator[Finding]


def good(seen: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(Level.GOOD, seen)


def advice(seen: str, cure: str) -> Finding:
    """Return what could be better."""
    return Finding(Level.ADVICE, seen, cure)


def wrong(seen: str, cure: str) -> Finding:
    """Return what has to be mended."""
    return Finding(Level.WRONG, seen, cure)


def unseen(seen: str, cure: str = "") -> Finding:
    """Return what could not be looked at."""
    return Finding(Level.UNSEEN, seen, cure)


def quoted(words: object) -> str:
    """Return what the world said as one short line without addresses and without our secrets."""
    text = str(words)
    for secret in _secrets():
        text = text.replace(secret, "(secret)")
    return told(text)


def _secrets() -> list[str]:
    """Return every secret of the settings that a server could repeat, longest first."""
    ours = [settings.SECRET_KEY, settings.ADDRESS_PEPPER, settings.EMAIL_HOST_PASSWORD]
    ours += [str(settings.DATABASES["default"].get("PASSWORD", "")), settings.REDIS_URL]
    for value in settings.ANYMAIL.values():
        ours += value if isinstance(value, list) else [str(value)]
    ours += [secret.partition(":")[2] for secret in settings.ANYMAIL.get("WEBHOOK_SECRET", [])]
    return sorted((each for each in ours if each and len(each) > 5), key=len, reverse=True)
