"""``python -m paraspec``: the command, wherever the package lies."""

from paraspec.cli.main import main

main()
