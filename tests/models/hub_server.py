"""A loopback server that speaks the hub's HTTP API, as `huggingface_hub` calls it.

Written after the client's source (2.4.0) and the hub's documented answers: the listing
of a revision, the check of access, small files from the repository itself, large ones
(LFS) by a redirect to another host that must not see the token.
"""

import hashlib
import json
import os
import socket
import struct
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from urllib.parse import unquote, urlsplit

from huggingface_hub.utils.sha import git_hash

LFS_FROM = 1000
"""Size from which a file counts as large; the hub's own rule is by name."""


@dataclass
class Repository:
    """What the hub holds under one name."""

    files: dict[str, bytes]
    gated: bool = False
    licence: dict[str, str] = field(default_factory=lambda: {"license": "apache-2.0"})
    branches: dict[str, str] = field(default_factory=dict)
    older: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """Files of commits that `main` has left behind."""

    @property
    def commit(self) -> str:
        """Commit of `main`: changes with the files."""
        digest = hashlib.sha1(usedforsecurity=False)
        for name in sorted(self.files):
            digest.update(name.encode() + b"\0" + self.files[name])
        return digest.hexdigest()

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """Commit and files of a revision."""
        commit = {"main": self.commit, **self.branches}.get(revision, revision)
        if commit == self.commit:
            return commit, self.files
        return (commit, self.older[commit]) if commit in self.older else None

    def push(self, **files: bytes) -> None:
        """Move `main` to a new commit."""
        self.older[self.commit] = dict(self.files)
        self.files |= files


@dataclass
class Request:
    """One request as the server saw it."""

    method: str
    path: str
    range: str
    token: str


@dataclass
class Hub:
    """The server's contents, its faults and what it was asked."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    token: str = "hf_secret0123456789"
    requests: list[Request] = field(default_factory=list)
    cuts: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """By file: after how many bytes an answer ends, and how (`closed`, `reset`)."""
    statuses: dict[str, list[int]] = field(default_factory=dict)
    """By file: statuses of answers once its cuts are used up."""
    sent_instead: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    """Sizes to list in place of the real ones."""
    port: int = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, name: str) -> list[str]:
        """Ranges that were asked of a large file, from the first byte or later."""
        return [
            r.range
            for r in self.requests
            if r.path.startswith("/cdn/") and r.path.endswith("/" + name)
        ]

    def fetched(self) -> set[str]:
        """Names of the files that were asked for."""
        return {
            r.path.rsplit("/", 1)[1] for r in self.requests if "/resolve/" in r.path
        }


class Refused(Exception):
    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        self.status, self.code, self.message = status, code, message


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        ranges = self.headers.get("Range", "")
        self.hub.requests.append(Request(self.command, path, ranges, token))
        try:
            self.answer(path, token)
        except Refused as refused:
            self.send_response(refused.status)
            self.send_header("X-Error-Code", refused.code)
            self.send_header("X-Error-Message", refused.message)
            self.send_header("Content-Length", "0")
            self.end_headers()

    do_HEAD = do_GET

    def answer(self, path: str, token: str) -> None:
        if path.startswith("/cdn/"):
            repository, commit, name = self.split(path.removeprefix("/cdn/"), "/at/")
            self.send_file(name, repository.at(commit)[1][name])
            return
        if token not in ("", self.hub.token):
            message = "Invalid credentials in Authorization header"
            raise Refused(401, message=message)
        if path.startswith("/api/models/"):
            self.answer_api(path.removeprefix("/api/models/"), token)
            return
        repository, commit, name = self.split(path.removeprefix("/"), "/resolve/")
        self.check_access(repository, token)
        found = repository.at(commit)
        if found is None:
            raise Refused(404, "RevisionNotFound")
        if name not in found[1]:
            raise Refused(404, "EntryNotFound")
        if len(found[1][name]) < LFS_FROM:
            self.send_file(name, found[1][name])
            return
        self.send_response(302)
        place = path.replace("/resolve/", "/at/")
        self.send_header("Location", f"http://localhost:{self.hub.port}/cdn{place}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def split(self, path: str, mark: str) -> tuple[Repository, str, str]:
        repository, _, rest = path.partition(mark)
        commit, _, name = rest.partition("/")
        return self.repository(repository), commit, name

    def repository(self, name: str) -> Repository:
        if name not in self.hub.repositories:
            raise Refused(401, "RepoNotFound", "Repository not found")
        return self.hub.repositories[name]

    def check_access(self, repository: Repository, token: str) -> None:
        if repository.gated and token != self.hub.token:
            raise Refused(403 if token else 401, "GatedRepo", "Access is restricted")

    def answer_api(self, path: str, token: str) -> None:
        if path.endswith("/auth-check"):
            repository = self.repository(path.removesuffix("/auth-check"))
            self.check_access(repository, token)
            self.send_json({})
            return
        name, _, revision = path.partition("/revision/")
        repository = self.repository(name)
        found = repository.at(revision)
        if found is None:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        self.send_json(
            {
                "id": name,
                "sha": found[0],
                "gated": "manual" if repository.gated else False,
                "cardData": repository.licence,
                "siblings": [self.sibling(n, data) for n, data in found[1].items()],
            }
        )

    def sibling(self, name: str, data: bytes) -> dict[str, object]:
        size = self.hub.sizes.get(name, len(data))
        listed: dict[str, object] = {
            "rfilename": name,
            "size": size,
            "blobId": git_hash(data),
        }
        if len(data) >= LFS_FROM:
            sha256 = hashlib.sha256(data).hexdigest()
            listed["lfs"] = {"sha256": sha256, "size": size, "pointerSize": 130}
        return listed

    def send_json(self, value: object) -> None:
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def send_file(self, name: str, data: bytes) -> None:
        data = self.hub.sent_instead.get(name, data)
        cuts, statuses = self.hub.cuts.get(name), self.hub.statuses.get(name)
        if not cuts and statuses:
            raise Refused(statuses.pop(0))
        start = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        self.send_response(206 if start else 200)
        if start:
            self.send_header(
                "Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}"
            )
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        if not cuts:
            self.wfile.write(data[start:])
            return
        end, how = cuts.pop(0)
        self.wfile.write(data[start:end])
        self.wfile.flush()
        if how == "reset":  # lingering for 0 s sends RST in place of FIN
            sleep(0.5)  # the client reads what was sent: RST drops the rest
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            os.close(self.connection.detach())  # without the shutdown that sends FIN
        self.close_connection = True


def serve(hub: Hub) -> ThreadingHTTPServer:
    """Serve a hub on a free port until `shutdown` is called."""
    handler = type("HubHandler", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.port = server.server_address[1]
    Thread(target=server.serve_forever, daemon=True).start()
    return server
