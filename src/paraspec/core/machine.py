"""What this machine is, as far as it may be told: never its name."""

import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def processor_name() -> str:
    """Model name of the processor; its architecture where the system tells no more."""
    lines = (
        CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.is_file() else []
    )
    named = (line.split(":", 1)[1] for line in lines if line.startswith("model name"))
    return next(named, "").strip() or platform.machine() or "unknown"
