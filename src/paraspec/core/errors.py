"""The one exception that users see as a message instead of a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Something that the user can mend: a file, a value, a missing input.

    Parameters
    ----------
    where
        File, with line, row or column where known.
    fault
        What is wrong, with the offending value.
    remedy
        What is allowed, or what to do next.
    """

    def __init__(self, where: object, fault: str, remedy: str) -> None:
        self.where = str(where)
        self.fault = fault
        self.remedy = remedy
        super().__init__(f"{self.where}: {fault}. {remedy}")


def similar(given: str, known: Iterable[str], n: int = 3) -> list[str]:
    """Known names that a mistyped one may stand for, the likeliest first; may be [].

    >>> similar("lama-64", ["gpt2-64", "llama-64"])
    ['llama-64']
    """
    return get_close_matches(given, list(known), n=n, cutoff=0.5)
