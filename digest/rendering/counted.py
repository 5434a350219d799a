"""A reader's papers with links that lead past the counter, for those who agreed. Others' are left alone.

A fragment is cut at its links once an edition; per reader the signed ones are joined in between.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from digest.rendering.fragments import Fragment, ways_in_text
from subscribers import links

#: The fragment's own template writes these; of what stands in a paper every < and " is escaped.
_HREF = re.compile(r'(?<=<a href=")[^"]*(?=")|(?<=<a\nhref=")[^"]*(?=")')


@dataclass(frozen=True, slots=True)
class Cut:
    """A fragment between its links: before and after the reason, as HTML, and the text after it."""

    fragment: Fragment
    before: Sequence[str]
    after: Sequence[str]
    text: Sequence[str]
    #: Bytes of the addresses that go.
    replaced: int


def cut(fragment: Fragment) -> Cut:
    """Return `fragment` cut at its links."""
    before, after = (_HREF.split(part) for part in fragment.html)
    replaced = sum(len(found.encode()) for part in fragment.html for found in _HREF.findall(part))
    text = [fragment.text[1]]
    for line in ways_in_text(fragment.ways):
        # The last time it stands there: an abstract may quote a link.
        start, _, rest = text[-1].rpartition(line)
        text[-1:] = [start + line.rpartition(" ")[0] + " ", rest]
    return Cut(fragment, before, after, text, replaced)


class Counter:
    """The signed links of one delivery."""

    def __init__(self, delivery_public_id: str) -> None:
        self._delivery = delivery_public_id

    def lead(self, piece: Cut) -> Fragment:
        """Return the fragment of `piece` with its links leading past the counter."""
        fragment = piece.fragment
        # Of letters, digits, dots, - and _ behind SITE_URL: nothing in them needs escaping.
        signed = [links.click_url(self._delivery, f"{fragment.key}-{code}") for code in fragment.codes]
        first = len(piece.before) - 1
        return replace(
            fragment,
            html=(_joined(piece.before, signed[:first]), _joined(piece.after, signed[first:])),
            text=(fragment.text[0], _joined(piece.text, signed[len(signed) - len(fragment.ways) :])),
            weight=fragment.weight - piece.replaced + sum(map(len, signed)),
        )


def _joined(pieces: Sequence[str], between: Sequence[str]) -> str:
    parts = [pieces[0]]
    for link, piece in zip(between, pieces[1:], strict=True):
        parts += (link, piece)
    return "".join(parts)
