"""The `paraspec` command as a user starts it, in a process of its own."""

import subprocess
import sys

RUN = "from paraspec.cli.main import main; main()"


def paraspec(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run it; its output is captured, its exit code not judged."""
    command = [sys.executable, "-c", RUN, *arguments]
    return subprocess.run(  # type: ignore[call-overload]
        command, capture_output=True, text=True, timeout=60, **options
    )
