"""Resolving a whole model table's revisions to commits, for its lock."""

import logging
from datetime import UTC, datetime
from pathlib import Path

from paraspec.core.errors import UserError
from paraspec.core.model_lock import Locked, agrees, lock_path, read_lock, write_lock
from paraspec.core.model_table import ModelRow, read_models
from paraspec.models.hub.client import repository_info
from paraspec.models.hub.listing import listing_of

logger = logging.getLogger(__name__)


def resolve(table: Path, *, update: bool = False) -> tuple[Locked, ...]:
    """Write the lock of a model table; without network where nothing is new.

    Commits that are locked already stay, so that results stay reproducible while
    branches move.

    Parameters
    ----------
    table
        Model table.
    update
        Ask anew also for what is locked.

    Raises
    ------
    UserError
        All models that cannot be fetched, in one message; no lock is written then.
    """
    old = {} if update else read_lock(table)
    rows, faults = [], []
    for row in read_models(table):
        if not row.repository:
            continue
        locked = old.get(row.model)
        if locked is not None and agrees(row, locked):
            rows.append(locked)
            continue
        try:
            rows.append(_ask(row))
        except UserError as error:
            faults.append(f"model {row.model}: {error}")
    if faults:
        fault = f"{len(faults)} models cannot be resolved. {' '.join(faults)}"
        raise UserError(table, fault.removesuffix("."), "No lock was written")
    write_lock(table, rows)
    logger.info("%d commits in %s", len(rows), lock_path(table))
    return tuple(rows)


def _ask(row: ModelRow) -> Locked:
    """Resolve one revision, and see that its files could be fetched."""
    info = repository_info(row.repository, row.revision)
    listing = listing_of(row.repository, info, remote_code=row.remote_code)
    logger.info("%s: %s at %s", row.model, row.revision, listing.commit)
    return Locked(
        model=row.model,
        repository=row.repository,
        revision=row.revision,
        commit=listing.commit,
        resolved=datetime.now(UTC).date(),
    )
