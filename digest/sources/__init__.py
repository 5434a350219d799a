"""Where papers come from."""

from collections.abc import Callable

from digest.sources.arxiv import Arxiv
from digest.sources.base import Source
from digest.sources.huggingface import HuggingFace

#: Each source by its name; calling it opens a conversation.
SOURCES: dict[str, Callable[[], Source]] = {"huggingface": HuggingFace, "arxiv": Arxiv}
