"""Comparing names and answers regardless of case and accents."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=1 << 16)  # every concept is compared with every item
def folded(text: str) -> str:
    """Lower-case ``text`` without accents and outer blanks.

    >>> folded(" São Tomé ")
    'sao tome'
    """
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    return plain.casefold().strip()
