"""A name server on loopback, over UDP and TCP, that knows a few names."""

import contextlib
import socketserver
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass
class DnsServer:
    """`records`: {(name, kind): texts as in a zone file}. `silent`: questions are taken and not answered."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    silent: bool = False
    #: (name, kind, "udp" or "tcp") of every question.
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    #: Names whose zone is broken.
    broken: set[str] = field(default_factory=set)

    def __enter__(self) -> Self:
        # Both protocols under one number, which the second may not get: then another number is tried.
        for _ in range(20):
            self._udp = _Udp(("127.0.0.1", 0), _UdpHandler)
            with contextlib.suppress(OSError):
                self._tcp = _Tcp(self._udp.server_address, _TcpHandler)
                break
            self._udp.server_close()
        for server in (self._udp, self._tcp):
            server.zone = self
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    @property
    def address(self) -> str:
        """Where it listens: host:port."""
        return f"127.0.0.1:{self._udp.server_address[1]}"

    def text(self, name: str, *texts: str) -> None:
        """Publish TXT records; long ones are cut into strings of 255, as they must be."""
        self.records[name, "TXT"] = [
            " ".join(f'"{text[start : start + 255]}"' for start in range(0, max(len(text), 1), 255))
            for text in texts
        ]

    def answer(self, question: bytes, protocol: str) -> bytes | None:
        """Return the answer to `question`, or None."""
        query = dns.message.from_wire(question)
        (asked,) = query.question
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append((name, kind, protocol))
        if self.silent:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif texts := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *texts))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        wire = response.to_wire(max_size=65535)
        if protocol == "udp" and len(wire) > 512:
            response.answer.clear()
            response.flags |= dns.flags.TC
            wire = response.to_wire()
        return wire


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads = True
    zone: DnsServer


class _Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    zone: DnsServer


class _UdpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        question, sink = self.request
        answer = self.server.zone.answer(question, "udp")  # type: ignore[attr-defined]
        if answer is not None:
            sink.sendto(answer, self.client_address)


class _TcpHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError, struct.error):
            (length,) = struct.unpack("!H", self._read(2))
            answer: Any = self.server.zone.answer(self._read(length), "tcp")  # type: ignore[attr-defined]
            if answer is not None:
                self.request.sendall(struct.pack("!H", len(answer)) + answer)

    def _read(self, length: int) -> bytes:
        read = b""
        while len(read) < length:
            piece = self.request.recv(length - len(read))
            if not piece:
                raise OSError("gone")
            read += piece
        return read
