"""The environment, read setting by setting; what is wrong with it is kept, to be told all at once."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from django.core.exceptions import ImproperlyConfigured

from digest.configuration import flag, refuse

T = TypeVar("T")


class Environment:
    """Settings from `values`, each checked by one of `configuration`'s readers.

    Where a reader refuses, the default stands in, unchecked, until `finish` raises: nobody gets to see it.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.problems: list[str] = []
        #: In production `required` settings have no default.
        self.production = False

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Keep the problem of a reader called within the block."""
        try:
            yield
        except ImproperlyConfigured as problem:
            self.problems.append(str(problem))

    def refuse(self, name: str, problem: str) -> None:
        """Keep a problem with the setting `name`: one sentence, saying what to do."""
        self.problems.append(str(refuse(name, problem)))

    def text(self, name: str, default: str) -> str:
        """Return the setting as it stands there."""
        return self.values.get(name, default)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a setting that is on or off."""
        return self.read(name, default, flag) if name in self.values else default

    # `default` is what `check` makes a T of, or a T to stand in.
    def read(self, name: str, default: Any, check: Callable[..., T], **limits: Any) -> T:  # noqa: ANN401
        """Return what `check(name, value, **limits)` makes of the setting, or of `default`."""
        with self.noting():
            return check(name, self.values.get(name, default), **limits)
        return cast("T", default)

    def required(self, name: str, development: str, check: Callable[..., T], **limits: Any) -> T:  # noqa: ANN401
        """As `read`; but `development` stands in for what is not set in development only."""
        if self.values.get(name, "" if self.production else development):
            return self.read(name, development, check, **limits)
        self.refuse(name, "production needs it. Set it, or set DEBUG=true on a development machine.")
        return cast("T", development)

    def finish(self) -> None:
        """Raise ImproperlyConfigured with every problem on a line of its own, if there is any."""
        if self.problems:
            raise ImproperlyConfigured("\n".join(self.problems))
