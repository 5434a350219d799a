"""Cells that a spreadsheet would take for formulas: harmless on the way out, whole again on the way in."""

import re

#: What spreadsheets begin a formula with; tab and carriage return lead to one in some of them.
_RISKY = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guarded(cell: str) -> str:
    """Return `cell` so that a spreadsheet shows it instead of running it: with an apostrophe in front."""
    return f"'{cell}" if _RISKY.match(cell) else cell


def unguarded(cell: str) -> str:
    """Return what `guarded` was given; cells that look guarded by chance lose one apostrophe, too."""
    return cell[1:] if _GUARDED.match(cell) else cell


def looks_guarded(cell: str) -> bool:
    """Say whether `unguarded` would change the cell."""
    return bool(_GUARDED.match(cell))
