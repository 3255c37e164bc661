"""Talking to the hub: one place where its refusals become plain messages.

Messages name repository and revision, never an address or a header: with them a token
could reach a log. The token itself (``HF_TOKEN`` or the stored login) is left to
`huggingface_hub`, which sends it to the hub only.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo

from paraspec.core.errors import UserError

SECONDS = 30.0
"""Wait for an answer about a repository."""
LATER = "Try again; what was downloaded is kept"


def repository_info(repository: str, revision: str) -> ModelInfo:
    """Ask what a revision holds: commit, licence, files with sizes and hashes.

    Raises
    ------
    UserError
        If the hub cannot be reached, has no such repository or revision, or does not
        let this user read its files.
    """
    api = HfApi()
    with refusals(repository, revision):
        info = api.model_info(
            repository, revision=revision, files_metadata=True, timeout=SECONDS
        )
        if info.gated:  # anybody may list the files of a gated repository
            api.auth_check(repository)
    return info


@contextmanager
def refusals(repository: str, revision: str) -> Iterator[None]:
    """Turn the client's exceptions into :class:`UserError`."""
    where = f"hub repository {repository}"
    try:
        yield
    except GatedRepoError as error:
        raise UserError(where, *_gated(repository)) from error
    except RevisionNotFoundError as error:
        fault = f"has no revision {revision!r}"
        raise UserError(
            where, fault, "Correct the column revision: a branch, tag or commit"
        ) from error
    except RepositoryNotFoundError as error:
        raise UserError(where, *_unknown()) from error
    except DisabledRepoError as error:
        raise UserError(
            where, "was disabled by the hub", "Choose another model"
        ) from error
    except HfHubHTTPError as error:
        raise UserError(where, *_refused(error.response.status_code)) from error
    except OfflineModeIsEnabled as error:
        fault = "the hub may not be asked: HF_HUB_OFFLINE is set"
        raise UserError(where, fault, "Unset it to fetch models") from error
    except httpx2.HTTPError as error:
        fault = f"the hub cannot be reached ({type(error).__name__})"
        remedy = f"Check the network, and HF_ENDPOINT if you use a mirror. {LATER}"
        raise UserError(where, fault, remedy) from error


def _gated(repository: str) -> tuple[str, str]:
    if get_token():
        return (
            "is gated, and your token gives no access to it",
            "Ask for access on the model's page, with the account of the token; a "
            "fine-grained token also needs the right to read gated repositories",
        )
    return (
        "is gated, and no token was found",
        f"Accept its licence on the page of {repository}, then set HF_TOKEN or run "
        "`hf auth login`",
    )


def _unknown() -> tuple[str, str]:
    private = "it is private for your token" if get_token() else "it is private"
    return (
        f"the hub knows no such repository, or {private}",
        "Correct the column source; for a private one set HF_TOKEN or run "
        "`hf auth login`",
    )


def _refused(status: int) -> tuple[str, str]:
    if status in (401, 403):
        return (
            f"the hub denies access (status {status})",
            "Check that HF_TOKEN or the stored login is still valid",
        )
    return f"the hub answered with status {status}", LATER
