"""The mail around the papers: compiled once, cut at its slots, filled by joining.

Values are joined between the pieces, so what stands in a value is never looked at again: a title that
contains a slot's name is a title.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.template.loader import get_template

from subscribers import mjml

_SLOT = re.compile(r"%%([a-z_]+)%%")


@dataclass(frozen=True, slots=True)
class Shell:
    """Pieces of a mail: those at even places are text, those at odd places name a slot."""

    pieces: tuple[str, ...]

    @property
    def slots(self) -> frozenset[str]:
        """The slots still open."""
        return frozenset(self.pieces[1::2])

    def filled(self, values: Mapping[str, str]) -> "Shell":
        """Return the shell with the slots in `values` closed; the others stay open."""
        pieces = [""]
        for place, piece in enumerate(self.pieces):
            if place % 2 and piece not in values:
                pieces += [piece, ""]
            else:
                pieces[-1] += values[piece] if place % 2 else piece
        return Shell(tuple(pieces))

    def text(self, values: Mapping[str, str]) -> str:
        """Return the mail with every open slot filled; raises KeyError for one without a value."""
        pieces = list(self.pieces)
        pieces[1::2] = [values[name] for name in pieces[1::2]]
        return "".join(pieces)


def html_shell(template: str) -> Shell:
    """Return the shell of an MJML template that came with the code."""
    return _compiled(_source(template))


def text_shell(template: str) -> Shell:
    """Return the shell of a plain-text template that came with the code."""
    return Shell(tuple(_SLOT.split(_source(template))))


def _source(template: str) -> str:
    # The source as written: slots belong to us, not to the template engine.
    source: str = get_template(template).template.source  # type: ignore[attr-defined]
    return source


@functools.lru_cache(maxsize=4)
def _compiled(source: str) -> Shell:
    """Return the compiled shell, kept for as long as the source stays the same."""
    html = mjml.to_html(re.sub(r"<!--.*?-->", "", source, flags=re.DOTALL))
    # The compiler drops the role it is given; without it a screen reader counts rows and columns.
    html = html.replace(
        'cellspacing="0" width="100%" style="color',
        'cellspacing="0" role="presentation" width="100%" style="color',
    )
    return Shell(tuple(_SLOT.split(html)))
