"""A real SLURM of one node for the tests: controller, daemon and munge on loopback.

The configuration must be ``/etc/slurm/slurm.conf``, because the executor plugin drops
``SLURM_CONF`` from its jobs' environment. It is written only where there is none, its
first line says whose it is, and what an earlier run left behind is recognised by that
line, stopped and removed. All else lies in a folder of its own.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

ETC = Path("/etc/slurm")
CONF = ETC / "slurm.conf"
GRES = ETC / "gres.conf"
HEADER = "# Written by paraspec's tests, and removed by them; state: "
DAEMONS = ["munged", "slurmctld", "slurmd"]
CPUS = 4
MEMORY_MB = 8000
WAIT = 20.0
"""Seconds that a daemon may take to answer."""


class CannotStart(Exception):
    """Why no SLURM runs here."""


def settings(state: Path, host: str) -> str:
    """Text of slurm.conf.

    Jobs that exceed their memory are killed within two seconds; ended ones stay known
    for ten minutes, for there is no accounting database to ask.
    """
    lines = {
        "ClusterName": "onenode",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmUser": "root",
        "SlurmdUser": "root",
        "AuthType": "auth/munge",
        "AuthInfo": f"socket={state}/munge/socket",
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        "MpiDefault": "none",
        "AccountingStorageType": "accounting_storage/none",
        "JobAcctGatherType": "jobacct_gather/linux",
        "JobAcctGatherFrequency": "task=2",
        "JobAcctGatherParams": "OverMemoryKill",
        "SlurmdParameters": "config_overrides",  # more CPUs than the machine has
        "ReturnToService": "2",
        "MinJobAge": "600",
        "KillWait": "2",
        "StateSaveLocation": f"{state}/ctld",
        "SlurmdSpoolDir": f"{state}/spool",
        "SlurmctldPidFile": f"{state}/slurmctld.pid",
        "SlurmdPidFile": f"{state}/slurmd.pid",
        "SlurmctldLogFile": f"{state}/slurmctld.log",
        "SlurmdLogFile": f"{state}/slurmd.log",
        "GresTypes": "gpu",
    }
    node = f"NodeAddr=127.0.0.1 CPUs={CPUS} RealMemory={MEMORY_MB} Gres=gpu:h200:1"
    return "\n".join(
        [
            f"{HEADER}{state}",
            *(f"{key}={value}" for key, value in lines.items()),
            f"NodeName={host} {node} State=UNKNOWN",
            f"PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP",
            f"PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP",
            "",
        ]
    )


def ask(*command: str) -> str:
    """Run a SLURM command; its output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise CannotStart(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def wait_for(what: str, true, seconds: float = WAIT, every: float = 0.1) -> None:
    """Wait until a condition holds, or say that it never did."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise CannotStart(f"after {seconds:.0f} s not yet: {what}")
        time.sleep(every)


def refuse_what_is_missing() -> None:
    """Say why SLURM cannot start here, if it cannot."""
    if os.geteuid() != 0:
        raise CannotStart("a test SLURM needs root")
    missing = [name for name in [*DAEMONS, "sbatch"] if not shutil.which(name)]
    if missing:
        raise CannotStart(f"not installed: {', '.join(missing)} (slurm-wlm, munge)")


def left_behind() -> Path | None:
    """State folder of an earlier run of these tests; a foreign SLURM is refused."""
    if not CONF.exists():
        return None
    first = CONF.read_text().partition("\n")[0]
    if not first.startswith(HEADER):
        raise CannotStart(f"{CONF} belongs to a SLURM of this machine")
    return Path(first.removeprefix(HEADER))


def owner_lives(state: Path) -> bool:
    """Whether the tests that own a state folder still run."""
    with suppress(OSError, ValueError):
        owner = int((state / "owner").read_text())
        os.kill(owner, 0)
        return owner != os.getpid()
    return False


def is_daemon(pid: int) -> bool:
    """Whether a number from a pid file still means one of SLURM's daemons."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() in DAEMONS
    except OSError:
        return False


def stop_daemon(pid_file: Path) -> None:
    """End the daemon of a pid file, gently and then not."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return
    for sent in (signal.SIGTERM, signal.SIGKILL):
        if not is_daemon(pid):
            return
        os.kill(pid, sent)
        with suppress(CannotStart):
            wait_for("its end", lambda: not is_daemon(pid), 5)


def clean(state: Path) -> None:
    """Stop the daemons of a state folder; remove it and the configuration."""
    for name in ("slurmctld.pid", "slurmd.pid", "munge/pid"):
        stop_daemon(state / name)
    for path in (CONF, GRES):
        if path.exists() and path.read_text().startswith(HEADER):
            path.unlink()
    shutil.rmtree(state, ignore_errors=True)


@dataclass
class Cluster:
    """SLURM of one node; ``with Cluster():`` starts and stops it."""

    host: str = field(default_factory=lambda: socket.gethostname().partition(".")[0])
    state: Path = field(init=False)

    def __enter__(self) -> "Cluster":
        refuse_what_is_missing()
        if (old := left_behind()) is not None:
            if owner_lives(old):
                raise CannotStart("other tests run a SLURM on this machine now")
            clean(old)
        self.state = Path(tempfile.mkdtemp(prefix="paraspec-slurm-"))
        try:
            self.start()
        except BaseException:
            clean(self.state)
            raise
        return self

    def __exit__(self, *fault: object) -> None:
        with suppress(CannotStart, subprocess.TimeoutExpired):
            ask("scancel", "--user=root")
            wait_for("jobs ended", lambda: not self.running(), 10)
        clean(self.state)

    def start(self) -> None:
        """Write the configuration, then start the daemons one by one."""
        (self.state / "owner").write_text(str(os.getpid()))
        for name in ("munge", "ctld", "spool"):
            (self.state / name).mkdir(mode=0o755)
        self.state.chmod(0o755)
        ETC.mkdir(exist_ok=True)
        CONF.write_text(settings(self.state, self.host))
        GRES.write_text(f"{HEADER}{self.state}\nName=gpu Type=h200 File=/dev/null\n")
        self.start_munge()
        self.start_controller()
        ask("slurmd", "-N", self.host)
        wait_for("an idle node", lambda: "idle" in ask("sinfo", "-h", "-o", "%T"))

    def start_munge(self) -> None:
        """Start a munge of its own; that of the machine, if any, is left alone."""
        own = self.state / "munge"
        key = own / "key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        named = {
            "key": key,
            "log": own / "log",
            "pid": own / "pid",
            "seed": own / "seed",
        }
        files = [f"--{name}-file={path}" for name, path in named.items()]
        ask("munged", "--force", f"--socket={own}/socket", *files)
        wait_for("munge's socket", (own / "socket").exists)

    def start_controller(self) -> None:
        """Start slurmctld, from its saved state where there is one."""
        ask("slurmctld")
        wait_for("the controller", lambda: "UP" in ping())

    def stop_controller(self) -> None:
        """Stop slurmctld; jobs go on."""
        stop_daemon(self.state / "slurmctld.pid")

    def jobs(self, *states: str) -> dict[str, str]:
        """Number and comment of every job that has not ended, or is in these states."""
        chosen = ["-t", ",".join(states)] if states else []
        listing = ask("squeue", "-h", "-o", "%i|%k", *chosen)
        return dict(line.split("|", 1) for line in listing.splitlines())

    def running(self) -> dict[str, str]:
        """Number and comment of every job that a node works at."""
        return self.jobs("R", "CG")

    def named(self, comment: str, seconds: float = 60) -> str:
        """Number of the running job with this in its comment, once there is one."""

        def found() -> list[str]:
            return [n for n, said in self.running().items() if comment in said]

        wait_for(f"a job called {comment}", found, seconds)
        return found()[0]


def ping() -> str:
    """What the controller says of itself; nothing while it is down."""
    done = subprocess.run(["scontrol", "ping"], capture_output=True, text=True)
    return done.stdout
