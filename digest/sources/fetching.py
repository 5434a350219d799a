"""Fetch one answer from a source: bounded in bytes, in time, in tries, and kept to one host."""

import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr, parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

import httpx
from django.conf import settings

from digest.sources.base import SourceError

REDIRECTS = frozenset({301, 302, 303, 307, 308})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how much and how often. Seconds and bytes."""

    connect: float = 5
    read: float = 20
    whole: float = 60  # one answer from request to last byte
    most_bytes: int = 20_000_000  # after decompression
    tries: int = 4
    patience: float = 45  # no further try begins later than this after the first
    backoff: float = 1  # the first pause; each next one is twice as long
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the body decompressed, and the headers with lower-case names."""

    url: str
    status: int
    body: bytes
    headers: Mapping[str, str]


class _TryAgainError(Exception):
    """A failure that may pass. `wait` is what the host asked for, in seconds."""

    def __init__(self, sentence: str, wait: float | None = None) -> None:
        super().__init__(sentence)
        self.wait = wait


class Fetcher:
    """Asks one host, `base`, politely; `turn` is held while a request is under way."""

    def __init__(
        self,
        base: str,
        *,
        limits: Limits | None = None,
        sleep: Callable[[float], None] = time.sleep,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.base, self.limits = base, limits or Limits()
        self._host = urlsplit(base).hostname or base
        self._sleep, self._turn = sleep, turn
        self._client = httpx.Client(
            headers={"User-Agent": user_agent(), "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(self.limits.read, connect=self.limits.connect),
            follow_redirects=False,
            trust_env=self._host not in LOOPBACK,  # a proxy of the environment leads outwards only
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def get(self, url: str) -> Answer:
        """Return the answer to GET `url`, of any status but 429 and 5xx, trying again while that may help.

        Raises SourceError with a sentence for the receipt: the host unreachable, too slow, too much, leading
        elsewhere. Retry-After (RFC 9110 section 10.2.3) is obeyed; one beyond our patience ends the tries.
        """
        began = time.monotonic()
        for tried in range(1, self.limits.tries + 1):
            try:
                return self._follow(url)
            except _TryAgainError as error:
                pause = error.wait if error.wait is not None else self._pause(tried)
                spent = time.monotonic() - began
                if tried == self.limits.tries or spent + pause > self.limits.patience:
                    times = "once" if tried == 1 else f"{tried} times"
                    wish = f" It asks to wait {error.wait:.0f} s." if error.wait else ""
                    raise SourceError(f"{error} (asked {times}).{wish}", unreachable=True) from error
                self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _pause(self, tried: int) -> float:
        return self.limits.backoff * 2.0 ** (tried - 1) * random.uniform(0.75, 1.25)  # noqa: S311 - jitter

    def _follow(self, url: str) -> Answer:
        for _hop in range(self.limits.redirects + 1):
            check_address(url, self.base)
            with self._turn():
                answer = self._ask(url)
            if answer.status not in REDIRECTS:
                return answer
            url = urljoin(url, answer.headers.get("location", ""))
        raise SourceError(f"{self._host} redirects in circles.")

    def _ask(self, url: str) -> Answer:
        ends = time.monotonic() + self.limits.whole
        try:
            with self._client.stream("GET", url) as response:
                self._judge(response)
                body = b"" if response.status_code in REDIRECTS else b"".join(self._body(response, ends))
        except httpx.TimeoutException as error:
            raise _TryAgainError(f"{self._host} did not answer in time") from error
        except httpx.TransportError as error:
            raise _TryAgainError(f"The connection to {self._host} failed: {_short(error)}") from error
        except (httpx.HTTPError, httpx.InvalidURL, zlib.error) as error:
            raise SourceError(f"The answer of {self._host} is broken: {_short(error)}.") from error
        return Answer(url, response.status_code, body, {k.lower(): v for k, v in response.headers.items()})

    def _judge(self, response: httpx.Response) -> None:
        if response.status_code == 429 or response.status_code >= 500:
            raise _TryAgainError(f"{self._host} answered {response.status_code}", _wish(response.headers))

    def _body(self, response: httpx.Response, ends: float) -> Iterator[bytes]:
        """Yield the body, unpacked here in small steps, so that a bomb never goes off in memory."""
        size = 0
        for piece in _unfold(response):
            size += len(piece)
            if size > self.limits.most_bytes:
                raise SourceError(f"{self._host} sent more than {self.limits.most_bytes / 1e6:.0f} MB.")
            if time.monotonic() > ends:
                raise _TryAgainError(f"{self._host} took longer than {self.limits.whole:.0f} s to answer")
            yield piece


def user_agent() -> str:
    """Return who we are and whom to write to: arXiv and Hugging Face ask for it."""
    contact = parseaddr(settings.CONTACT_EMAIL)[1].encode("ascii", "ignore").decode()
    return f"Paperboy/0.1 (+{settings.SITE_URL}; mailto:{contact})"


def check_address(url: str, base: str) -> None:
    """Raise SourceError unless `url` is on the host, scheme and port of `base`, and https outside DEBUG."""
    here, there = urlsplit(base), urlsplit(url)
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        raise SourceError(
            f"{here.hostname} leads to another address, {there.scheme}://{there.netloc or '…'}."
        )
    if there.scheme != "https" and not settings.DEBUG:
        raise SourceError(f"The address of {here.hostname} is not encrypted. Use https://.")


def _unfold(response: httpx.Response) -> Iterator[bytes]:
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding in {"identity", ""}:
        yield from response.iter_raw(_CHUNK)
        return
    if coding not in {"gzip", "x-gzip"}:
        raise SourceError(f"The answer is encoded as {coding[:20]!r}, which nobody asked for.")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for packed in response.iter_raw(_CHUNK):
        while packed and not unpacker.eof:
            yield unpacker.decompress(packed, _CHUNK)
            packed = unpacker.unconsumed_tail  # noqa: PLW2901 - what one bounded step left over
    if not unpacker.eof:
        raise _TryAgainError("The compressed answer ends too early")


def _wish(headers: httpx.Headers) -> float | None:
    """Return how many seconds the host asks to wait, or None: Retry-After, else RateLimit's reset."""
    after = headers.get("retry-after", "").strip()
    if after.isdigit():
        return float(after[:9])
    if after:
        try:
            return max(0.0, (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):
            return None
    parts = dict(
        part.strip().split("=", 1) for part in headers.get("ratelimit", "").split(";") if "=" in part
    )
    reset = parts.get("t", "")
    return float(reset[:9]) if parts.get("r") == "0" and reset.isdigit() else None


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
