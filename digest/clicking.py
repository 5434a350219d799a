"""Who follows a link: a person, or a program that looks at mail before its reader does. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

#: Nobody reads a mail, chooses a paper and presses within so short a time of its leaving.
TOO_SOON = timedelta(seconds=10)
#: So many different links of one mail within so short a time are a program's.
BURST, BURST_WITHIN = 3, timedelta(seconds=2)
#: Words in the User-Agent of scanners, previews and libraries. A person's browser has none of them.
_PROGRAMS = re.compile(
    r"(?<!cu)bots?\b|crawl|spider|scan|preview|prefetch|proxy|monitor|check(?:er)?\b|fetch|"
    r"barracuda|proofpoint|mimecast|fireeye|trend ?micro|symantec|sophos|forcepoint|cloudmark|messagelabs|"
    r"microsoft office|skypeuri|safelinks|bingpreview|google-?safety|facebookexternalhit|slack|discord|"
    r"whatsapp|telegram|curl|wget|libwww|python|java/|okhttp|go-http|axios|node|ruby|perl|headless|phantom",
    re.IGNORECASE,
)


class Followed(Protocol):
    """What is judged of a click that is written down."""

    paper_id: int
    link: str
    robot: str
    at: datetime


def why_a_robot(method: str, headers: Mapping[str, str], *, sent_at: datetime | None, at: datetime) -> str:
    """Return why a request is taken for a program's, in a word or two; empty: it may be a person's."""
    agent = headers.get("User-Agent", "")
    purpose = f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')} {headers.get('X-Moz', '')}"
    signs = (
        ("asked for the head", method == "HEAD"),
        ("prefetched", "prefetch" in purpose.lower() or "preview" in purpose.lower()),
        ("no browser's name", not agent.strip()),
        ("a program's name", bool(_PROGRAMS.search(agent))),
        # RFC 9110: browsers tell what they accept; many scanners do not.
        ("accepts no page", "text/html" not in headers.get("Accept", "")),
        ("too soon", sent_at is not None and at - sent_at < TOO_SOON),
    )
    return next((why for why, seen in signs if seen), "")


def humans(clicks: Sequence[Followed]) -> list[Followed]:
    """Return the clicks on one mail, in order of time, that are a person's.

    BURST different links within BURST_WITHIN are a program's, all of them, whatever name it gives itself.
    """
    unmarked = [click for click in clicks if not click.robot]
    burst: set[int] = set()
    for start, first in enumerate(unmarked):
        near = [
            place for place in range(start, len(unmarked)) if unmarked[place].at - first.at <= BURST_WITHIN
        ]
        if len({(unmarked[place].paper_id, unmarked[place].link) for place in near}) >= BURST:
            burst.update(near)
    return [click for place, click in enumerate(unmarked) if place not in burst]
