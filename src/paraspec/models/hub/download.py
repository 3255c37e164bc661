"""Downloading one file: only what lacks is asked for, and the whole is hashed.

`huggingface_hub`'s own ``snapshot_download`` (2.4.0) throws a partial file away when
the process ends, which costs up to a whole shard. The ``http_get`` beneath it takes
the number of bytes that are there already; this module keeps them between runs.
"""

import logging
from collections.abc import Callable
from io import BufferedWriter
from pathlib import Path

import httpx2
from huggingface_hub import hf_hub_url
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers
from huggingface_hub.utils.sha import git_hash
from huggingface_hub.utils.tqdm import silent_tqdm

from paraspec.core.errors import UserError
from paraspec.core.files import sha256_of
from paraspec.models.hub.client import LATER, refusals
from paraspec.models.hub.listing import Listing, RemoteFile

logger = logging.getLogger(__name__)

PARTIAL = ".download"
"""Folder of unfinished files, each under the hash of its content."""
LOST_CONNECTIONS = 5
"""Resets in one file after which to give up."""

Advance = Callable[[float], None]
"""Told how many further bytes there are; negative if some were thrown away."""


def download(
    listing: Listing, file: RemoteFile, folder: Path, on_bytes: Advance
) -> None:
    """Bring one file into a folder, unless it is there already.

    Raises
    ------
    UserError
        If the hub refuses, if the connection breaks for good (what came is kept), or
        if the file is not what the hub listed (it is deleted).
    """
    final, partial = folder / file.name, partial_path(folder, file)
    if final.is_file() and matches(final, file):
        on_bytes(file.size)
        return
    partial.parent.mkdir(parents=True, exist_ok=True)
    with refusals(listing.repository, listing.commit):
        _complete(listing, file, partial, on_bytes)
    where = f"hub repository {listing.repository}"
    size = partial.stat().st_size
    if size < file.size:
        raise UserError(
            where, f"{file.name} broke off at {size} of {file.size} bytes", LATER
        )
    if not matches(partial, file):
        partial.unlink()
        raise UserError(
            where,
            f"{file.name} came with another hash than the hub lists, and was deleted",
            "Fetch it again; if that repeats, a proxy or mirror alters files",
        )
    partial.replace(final)


def partial_path(folder: Path, file: RemoteFile) -> Path:
    """Where a file lies while it is not complete."""
    return folder / PARTIAL / (file.sha256 or file.blob)


def matches(path: Path, file: RemoteFile) -> bool:
    """Whether a file has the size and the hash that the hub lists."""
    if path.stat().st_size != file.size:
        return False
    if file.sha256:
        return sha256_of(path) == file.sha256
    return bool(git_hash(path.read_bytes()) == file.blob)


def _complete(
    listing: Listing, file: RemoteFile, partial: Path, on_bytes: Advance
) -> None:
    """Ask for the bytes that a partial file lacks, again after a lost connection.

    The client itself asks again after time-outs, refused connections and answers that
    end early, but not where a connection is reset.
    """
    for lost in range(LOST_CONNECTIONS + 1):
        try:
            with partial.open("ab") as stream:
                _ask(listing, file, _Counted(stream, on_bytes, count_old=not lost))
        except httpx2.ReadError:
            if lost == LOST_CONNECTIONS:
                raise
            there = partial.stat().st_size
            logger.info("%s: connection lost at %d bytes", file.name, there)
        else:
            return


class _Counted:
    """A file that tells how many bytes it gains and loses, as `http_get` needs it."""

    def __init__(
        self, stream: BufferedWriter, on_bytes: Advance, *, count_old: bool
    ) -> None:
        self.stream, self.on_bytes = stream, on_bytes
        self.size = stream.tell()
        on_bytes(self.size if count_old else 0)
        self.seek, self.tell = stream.seek, stream.tell

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.on_bytes(len(data))
        return self.stream.write(data)

    def truncate(self) -> None:
        """Cut here: the server began anew, or more came than there is."""
        kept = self.stream.tell()
        self.on_bytes(kept - self.size)
        self.size = kept
        self.stream.truncate(kept)


def _ask(listing: Listing, file: RemoteFile, stream: _Counted) -> None:
    if stream.size > file.size:
        stream.seek(0)
        stream.truncate()
    headers = build_hf_headers()
    headers["accept-encoding"] = "identity"  # so that bytes there are bytes sent
    url = hf_hub_url(listing.repository, file.name, revision=listing.commit)
    try:
        http_get(
            url,
            stream,
            resume_size=stream.size,
            headers=headers,
            expected_size=file.size,
            tqdm_class=silent_tqdm,
        )
    except HfHubHTTPError:
        raise
    except OSError as error:
        if error.errno is not None:  # the disk's, not http_get's own remark on sizes
            where = f"hub repository {listing.repository}"
            fault = f"{file.name} cannot be written: {error.strerror}"
            raise UserError(where, fault, f"Make room. {LATER}") from error
