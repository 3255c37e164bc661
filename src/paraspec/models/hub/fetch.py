"""Fetching a published model: a pinned commit becomes a folder of its own."""

import logging
import shutil
from pathlib import Path

from paraspec.core.errors import UserError
from paraspec.core.model_table import ModelRow
from paraspec.core.progress import progress
from paraspec.models.hub.client import repository_info
from paraspec.models.hub.download import PARTIAL, download, partial_path
from paraspec.models.hub.listing import Listing, RemoteFile, is_ours, listing_of

logger = logging.getLogger(__name__)

MEGABYTE = 1e6
SPARE = 0.5e9
"""Bytes of disk that stay free."""


def fetch(row: ModelRow, commit: str, folder: Path) -> Listing:
    """Fetch one commit of a hub model; what is there already is checked and kept.

    Parameters
    ----------
    row
        Model table's row, whose source is on the hub.
    commit
        Commit to fetch.
    folder
        Model folder.

    Returns
    -------
    Listing
        What the folder then holds.

    Raises
    ------
    UserError
        If the hub refuses or cannot be reached, if the disk is too small (before
        anything is downloaded), or if a file does not have the hash that is listed.
    """
    info = repository_info(row.repository, commit)
    listing = listing_of(row.repository, info, remote_code=row.remote_code)
    folder.mkdir(parents=True, exist_ok=True)
    _drop_others(folder, listing)
    _check_room(folder, listing)
    logger.info(
        "%s: %s at %s, %.0f MB, licence %s",
        *(row.model, row.repository, listing.commit, listing.size / MEGABYTE),
        listing.licence or "not named",
    )
    total = round(listing.size / MEGABYTE)
    with progress(f"fetching {row.model} (MB)", total) as advance:
        for file in listing.files:
            download(listing, file, folder, lambda n: advance(n / MEGABYTE))
    shutil.rmtree(folder / PARTIAL, ignore_errors=True)
    return listing


def _drop_others(folder: Path, listing: Listing) -> None:
    """Delete files of another commit, which would be loaded with or before these."""
    names = {file.name for file in listing.files}
    for path in folder.iterdir():
        if path.is_file() and is_ours(path.name) and path.name not in names:
            path.unlink()


def _check_room(folder: Path, listing: Listing) -> None:
    needed = sum(_missing(folder, file) for file in listing.files)
    free = shutil.disk_usage(folder).free
    if needed and needed + SPARE > free:
        raise UserError(
            folder,
            f"{listing.repository} needs {needed / MEGABYTE:,.0f} MB more, and only "
            f"{free / MEGABYTE:,.0f} MB are free ({SPARE / MEGABYTE:,.0f} must stay)",
            "Make room, or link the study's folder to a larger disk",
        )


def _missing(folder: Path, file: RemoteFile) -> int:
    """Bytes of a file that are still to come, by its size alone."""
    for path in (folder / file.name, partial_path(folder, file)):
        if path.is_file():
            return max(0, file.size - path.stat().st_size)
    return file.size
