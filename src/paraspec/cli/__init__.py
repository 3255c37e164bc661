"""Command line: one command for each step. Parses, calls, writes; no science."""

from paraspec.cli.main import main

__all__ = ["main"]
