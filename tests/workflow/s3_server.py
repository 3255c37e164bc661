"""An S3 server in a process of its own, on loopback."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2


@contextmanager
def s3_server() -> Iterator[str]:
    """Address of a server with one bucket, ``shared``; stopped afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _make_bucket(address)
        yield address
    finally:
        server.terminate()
        server.wait(10)


def _make_bucket(address: str) -> None:
    """Make the bucket as soon as the server answers."""
    for _ in range(150):
        try:
            httpx2.put(f"{address}/shared").raise_for_status()
        except httpx2.TransportError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the S3 server did not start")
