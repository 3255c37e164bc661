"""Command line: one command for each step. Parses, calls, writes; no science.

Empty of code: every step's closure holds this package (`paraspec.core.closure`), so an
import here would make each new command of `main` rerun every finished job.
"""
