"""Turns answered items into tables of effects, and those into verdicts on claims.

Start at :mod:`paraspec.stats.effects` for the definitions (PSS), at
:mod:`paraspec.stats.run` for the way from a study's folder to its tables.
"""
