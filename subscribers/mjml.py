"""The MJML compiler behind one function."""

import re

import mjml

#: The compiler writes one line; mail allows 998 bytes a line (RFC 5322), and slots are still to be filled.
_BREAK_AFTER = 300
_BETWEEN_TAGS = re.compile(rf"([^\n]{{{_BREAK_AFTER},}}?>)(?=<)")


class MJMLError(ValueError):
    """The source is no MJML; `str()` says where it breaks."""


def to_html(source: str) -> str:
    """Return the HTML of an MJML document that came with the code.

    Never give it a stranger's words: the compiler passes markup through and validates nothing, so papers'
    text is spliced into its output, escaped, afterwards. Included files are refused, and without `fonts={}`
    the mail would load a font from a third party. Long lines are broken between tags. Raises MJMLError.
    """
    if "<mj-include" in source:
        raise MJMLError("mj-include is switched off: a mail's shell is one file.")
    try:
        return _BETWEEN_TAGS.sub(r"\1\n", mjml.mjml2html(source, fonts={}))
    except ValueError as error:
        raise MJMLError(f"The mail's shell cannot be compiled: {error}") from error
