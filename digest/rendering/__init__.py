"""The digest mail: a compiled shell, a fragment a paper, and per reader only their joining."""

from digest.rendering.renderer import EditionRenderer, NothingToSendError

__all__ = ["EditionRenderer", "NothingToSendError"]
