"""How frequent a concept's name is: Zipf frequency, tier and common words."""

from collections.abc import Sequence
from typing import get_args

from wordfreq import zipf_frequency

from paraspec.data.factbook.giveaway import fold
from paraspec.data.format import Tier

TIERS: tuple[Tier, ...] = get_args(Tier)
"""From the most to the least frequent third."""

COMMON_WORDS = frozenset(
    {
        *("chad", "chile", "china", "georgia", "guinea", "japan", "jordan"),
        *("panama", "turkey"),
        *("carbon", "copper", "gold", "iron", "lead", "mercury", "neon", "nickel"),
        *("platinum", "silver", "tin"),
        *("lima", "manila", "medina", "sofia"),
    }
)
"""Names that also have an everyday sense of their own, so that their Zipf frequency
counts more than the concept. Decided by reading all chosen names: a name is listed if
an English dictionary has it in lower case with another meaning (lead, turkey, nice), or
if it is a common English given name (Chad, Jordan, Charlotte)."""


def zipf(name: str) -> float:
    """Zipf frequency of a name in English: log10 of its count per billion words.

    >>> zipf("France") > zipf("Kiribati") > 0
    True
    """
    return float(zipf_frequency(name, "en"))


def is_common_word(name: str) -> bool:
    """Tell whether the name is also an everyday English word or given name.

    >>> is_common_word("Turkey"), is_common_word("France")
    (True, False)
    """
    return fold(name) in COMMON_WORDS


def tiers(names: Sequence[str]) -> dict[str, Tier]:
    """Split names into three equal tiers by Zipf frequency, ties by name.

    >>> tiers(["Nauru", "France", "Togo"])
    {'France': 'high', 'Togo': 'mid', 'Nauru': 'low'}
    """
    ranked = sorted(names, key=lambda name: (-zipf(name), name))
    return {
        name: TIERS[len(TIERS) * rank // len(ranked)]
        for rank, name in enumerate(ranked)
    }
