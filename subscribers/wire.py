"""Know whether a request to a provider left: urllib3's connections, with that one fact recorded.

`requests` reports refused, unresolved, untrusted and dropped connections in overlapping classes. Whether the
request began to be written is a fact of the connection, so the connection keeps it.
"""

import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class _Record(threading.local):
    """Each thread sends one message at a time, through connections of its own."""

    begun = False


_record = _Record()


def forget() -> None:
    """Start a new message: none of it has left."""
    _record.begun = False


def begun() -> bool:
    """Return whether a request of this thread was begun since `forget()`."""
    return _record.begun


class _Connection(HTTPConnection):
    """A connection that dials (and shakes hands) before a request counts as begun."""

    def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on untouched
        """Write one request."""
        if self.sock is None:
            self.connect()
        _record.begun = True
        super().request(*args, **kwargs)


class _SecureConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """requests' own adapter over recording connections, proxies included."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed on untouched
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - handed on untouched
        """Make the pools of connections through `proxy`."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager


def watch(session: requests.Session) -> None:
    """Record the requests of `session` from now on."""
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
