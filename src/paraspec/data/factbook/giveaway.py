"""When an answer can be read off the concept's name (rule 13 of the design)."""

import re
import unicodedata
from functools import lru_cache

SHARED_RUN = 4
"""Letters in a row that a name and an answer may not share."""

CODE_LETTERS = 3
"""Longest answer that counts as a code: ISO codes, domains, chemical symbols."""

# Letters that Unicode does not decompose into a base letter and a mark.
_UNMARKED = str.maketrans("łøđðıħŧ", "loddiht")


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """Fold case and accents away.

    >>> fold("São Tomé"), fold("İzmir"), fold("Łódź")
    ('sao tome', 'izmir', 'lodz')
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return bare.translate(_UNMARKED)


@lru_cache(maxsize=1 << 18)
def gives_away(answer: str, name: str) -> str:
    """Say how ``answer`` can be guessed from ``name``; empty if it cannot.

    >>> gives_away("Mexico City", "Mexico")
    'the name is in the answer'
    >>> gives_away("Malagasy", "Madagascar")
    'name and answer share 4 letters in a row'
    >>> gives_away("MC", "Morocco")
    'the letters of the code occur in order in the name'
    >>> gives_away("Paris", "France")
    ''
    """
    folded, named = fold(answer), fold(name)
    short, long = _compact(folded), _compact(named)
    if short and short in long:
        return "the answer is in the name"
    if long and long in short:
        return "the name is in the answer"
    if _runs(folded) & _runs(named):
        return f"name and answer share {SHARED_RUN} letters in a row"
    if is_code(answer) and _in_order(short, long):
        return "the letters of the code occur in order in the name"
    return ""


def is_code(answer: str) -> bool:
    """Tell whether an answer is a code rather than a word.

    >>> [is_code(a) for a in ("FR", ".de", "Fe", "one", "Rome", "+33")]
    [True, True, True, False, False, False]
    """
    letters = "".join(c for c in answer if c.isalpha())
    marked = answer.startswith(".") or letters != letters.lower()
    return 0 < len(letters) <= CODE_LETTERS and marked and " " not in answer


@lru_cache(maxsize=1 << 16)
def _compact(folded: str) -> str:
    return "".join(c for c in folded if c.isalnum())


@lru_cache(maxsize=1 << 16)
def _runs(folded: str) -> set[str]:
    words = re.findall(r"[^\W\d_]+", folded)
    return {
        word[i : i + SHARED_RUN]
        for word in words
        for i in range(len(word) - SHARED_RUN + 1)
    }


def _in_order(letters: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)
