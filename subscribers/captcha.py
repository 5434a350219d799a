"""The puzzle on the sign-up form, only where CAPTCHA names one: Turnstile or hCaptcha.

Both work alike: a script of theirs puts a box into the form and an answer into a field of it, and
`siteverify` tells whether the answer is good. The reader's network address is not sent along.
"""

import asyncio
import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import httpx
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger(__name__)

#: For all of a question to the provider, and bytes of its answer that are read.
_SECONDS = 3.0
_LONGEST_SAID = 16 * 1024
#: What a provider's script and frame need of the Content-Security-Policy.
_DIRECTIVES = ("script-src", "frame-src", "connect-src", "style-src")


@dataclass(frozen=True, slots=True)
class Puzzle:
    """A provider: its script, the class of its box, the field of its answer, where to ask, its hosts."""

    script: str
    box: str
    field: str
    siteverify: str
    hosts: tuple[str, ...]

    @property
    def site_key(self) -> str:
        """The key that its script is told."""
        return str(settings.CAPTCHA_SITE_KEY)


PUZZLES = {
    "turnstile": Puzzle(
        script="https://challenges.cloudflare.com/turnstile/v0/api.js",
        box="cf-turnstile",
        field="cf-turnstile-response",
        siteverify="https://challenges.cloudflare.com/turnstile/v0/siteverify",
        hosts=("https://challenges.cloudflare.com",),
    ),
    "hcaptcha": Puzzle(
        script="https://js.hcaptcha.com/1/api.js",
        box="h-captcha",
        field="h-captcha-response",
        siteverify="https://api.hcaptcha.com/siteverify",
        hosts=("https://hcaptcha.com", "https://*.hcaptcha.com"),
    ),
}


class Verdict(enum.Enum):
    """What came of asking about an answer."""

    GOOD = enum.auto()
    BAD = enum.auto()
    NOBODY_TO_ASK = enum.auto()


def in_use() -> Puzzle | None:
    """Return the puzzle that stands on the form, if one does."""
    return PUZZLES.get(settings.CAPTCHA)


def answer_in(data: Mapping[str, object]) -> str:
    """Return the answer among the fields `data` of a form, empty where there is none.

    A program may call the field `captcha`, whoever the provider is.
    """
    puzzle = in_use()
    return str(data.get(puzzle.field) or data.get("captcha") or "") if puzzle else ""


def judge(answer: str) -> Verdict:
    """Ask the provider about `answer`; without a puzzle in use, anything is good."""
    puzzle = in_use()
    if puzzle is None:
        return Verdict.GOOD
    if not 0 < len(answer) <= 8192:
        return Verdict.BAD
    said = _ask(puzzle, answer)
    if said is None:
        return Verdict.NOBODY_TO_ASK
    if said.get("success") is True:
        return Verdict.GOOD
    codes = [str(code)[:60] for code in said.get("error-codes") or []]
    if any("secret" in code for code in codes):
        log.error("the captcha's secret key is refused", codes=codes)
        return Verdict.NOBODY_TO_ASK
    return Verdict.BAD


def _ask(puzzle: Puzzle, answer: str) -> dict[str, Any] | None:
    """Return what the provider says, or None where it says nothing that can be read."""
    fields = {"secret": settings.CAPTCHA_SECRET_KEY, "response": answer}
    try:
        said = json.loads(asyncio.run(_posted(puzzle.siteverify, fields)))
    except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
        log.warning("captcha not checked", fault=type(error).__name__)
        return None
    return said if isinstance(said, dict) else None


async def _posted(url: str, fields: dict[str, str]) -> bytes:
    """Return the body of the answer to a form. Raises TimeoutError, httpx.HTTPError, ValueError.

    httpx counts its seconds anew with every byte that comes, so a server that trickles would hold a web
    thread for minutes. Run as a task, all of it has one deadline: connecting, headers and body.
    """
    body = b""
    async with (
        asyncio.timeout(_SECONDS),
        httpx.AsyncClient(timeout=_SECONDS) as client,
        client.stream("POST", url, data=fields) as response,
    ):
        response.raise_for_status()
        async for chunk in response.aiter_bytes(_LONGEST_SAID):
            body += chunk
            if len(body) > _LONGEST_SAID:
                raise ValueError("The provider says more than anybody would read.")
    return body


def allowed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let the provider's script and frame into the pages of `view`, which shows the sign-up form."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        puzzle = in_use()
        if puzzle is not None:
            hosts = {name: list(puzzle.hosts) for name in _DIRECTIVES}
            vars(response)["_csp_update"] = {**vars(response).get("_csp_update", {}), **hosts}
        return response

    return wrapped
