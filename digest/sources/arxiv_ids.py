"""The arXiv id in what a person pastes: an id, or the address of a page about the paper; pure."""

import re
from urllib.parse import urlsplit

#: Longer than any address of a paper; more is not looked at.
LONGEST = 500
_NEW = r"[0-9]{2}(?:0[1-9]|1[0-2])\.[0-9]{4,5}"
_OLD = r"(?:[a-z]+(?:-[a-z]+)?)(?:\.[a-z]{2})?/[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{3}"
_ID = re.compile(rf"(?:arxiv:\s*)?({_NEW}|{_OLD})(?:v[0-9]{{1,3}})?", re.IGNORECASE | re.ASCII)
#: Before the id in the path of an address, by host.
_PATHS = {
    "arxiv.org": re.compile(
        r"/(?:abs|pdf|html|format|ps|e-print|src)/(?:arxiv:)?(.+?)(?:\.pdf)?/?", re.IGNORECASE
    ),
    "huggingface.co": re.compile(r"/papers/(.+?)(?:\.md)?/?"),
    "hf.co": re.compile(r"/papers/(.+?)/?"),
    "alphaxiv.org": re.compile(r"/(?:abs|overview|pdf)/(.+?)(?:\.pdf)?/?"),
    "doi.org": re.compile(r"/10\.48550/arxiv\.(.+)", re.IGNORECASE),
}


def arxiv_id(given: str) -> str | None:
    """Return the id without its version that `given` names ("hep-th/9901001", "2503.02130"), or None."""
    text = given.strip()
    if len(text) > LONGEST:
        return None
    found = _ID.fullmatch(text) or _ID.fullmatch(_from_address(text))
    if found is None:
        return None
    archive, slash, number = found[1].lower().partition("/")
    # Subject classes of old ids (math.GT/0309136) are decoration: arXiv itself leaves them out.
    return archive.partition(".")[0] + slash + number if slash else archive


def _from_address(text: str) -> str:
    """Return what stands in the place of the id in an address, or the empty string."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").lower()
    except ValueError:
        return ""
    for name, path in _PATHS.items():
        if parts.scheme in {"http", "https"} and (host == name or host.endswith(f".{name}")):
            found = path.fullmatch(parts.path)
            return found[1] if found else ""
    return ""
