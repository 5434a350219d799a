"""Start real processes without waiting for Python: a server that has imported everything, and forks.

What it forks is a leader of its own session and runs the command line it is given, as `celery` or `gunicorn`
would. The server has one thread and no connection.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from celery.bin.celery import main as celery
from gunicorn.app.wsgiapp import run as gunicorn  # type: ignore[import-untyped]

from tests.chaos import app, broken  # noqa: F401 - imported before anything is forked
from tests.chaos.killing import Killer
from tests.chaos.steps import Kill

_COMMANDS: Mapping[str, Callable[[], object]] = {"celery": celery, "gunicorn": gunicorn}


class Nursery:
    """The house's end of the line. `deaths`: the pipe on which processes say that they are about to kill."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair()
        self.deaths, self._tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self._line.close()
            os.close(self.deaths)
            _serve(theirs, self._tell)
        theirs.close()
        os.close(self._tell)
        self._answers = self._line.makefile("r")

    def start(self, argv: Sequence[str], *, folder: Path, kills: Sequence[dict[str, Any]] = ()) -> int:
        """Start `argv` and return its process id, which is its group's, too; its output goes to `folder`."""
        return self._ask({"argv": argv, "folder": str(folder), "kills": kills})

    def signal_of(self, pid: int) -> int:
        """Wait until `pid`, started here, has ended; return the signal that ended it, 0 if none did."""
        return self._ask({"wait": pid})

    def close(self) -> None:
        """End the server."""
        self._line.close()
        self._answers.close()
        os.waitpid(self.pid, 0)

    def _ask(self, said: dict[str, Any]) -> int:
        self._line.sendall(json.dumps(said).encode() + b"\n")
        return int(self._answers.readline())


def _serve(line: socket.socket, tell: int) -> None:
    for said in map(json.loads, line.makefile("r")):
        if "wait" in said:
            _, status = os.waitpid(said["wait"], 0)
            answer = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        else:
            answer = os.fork()
            if answer == 0:
                line.close()
                _become(said["argv"], Path(said["folder"]), [Kill(**kill) for kill in said["kills"]], tell)
        line.sendall(f"{answer}\n".encode())
    os._exit(0)


def _become(argv: Sequence[str], folder: Path, kills: Sequence[Kill], tell: int) -> None:
    """Be the command `argv`, to the end."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        output = os.open(folder / f"{argv[0]}.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        broken.remove(os.environ.get("CHAOS_BROKEN", ""))
        Killer(kills, folder, tell).arm()
        sys.argv = list(argv)
        _COMMANDS[argv[0]]()
        code = 0
    except SystemExit as exit_:
        code = exit_.code if isinstance(exit_.code, int) else 1
    except BaseException:  # noqa: BLE001 - the log is where it is looked for
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
