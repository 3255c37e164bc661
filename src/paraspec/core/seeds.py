"""Every random draw is seeded by what it is for, never by its place in a loop."""

import hashlib

import numpy as np


def seed_for(*names: object) -> int:
    """63-bit seed derived from names, e.g. ``seed_for("random", model, concept)``."""
    text = "\x1f".join(str(name) for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(*names: object) -> np.random.Generator:
    """NumPy generator seeded by :func:`seed_for`."""
    return np.random.default_rng(seed_for(*names))
