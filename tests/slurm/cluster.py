"""A real Slurm on loopback: munged, slurmctld and two slurmd, children of the test run, in a folder of their own."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
NODES = ("n1", "n2")


def missing() -> list[str]:
    """Programs of Slurm that this machine lacks."""
    return [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]


@contextmanager
def running() -> Iterator[Path]:
    """Start the cluster; the path of its slurm.conf, by which (``SLURM_CONF``) Slurm's commands find it."""
    # Not pytest's folder: the path of a socket has at most 107 bytes.
    with TemporaryDirectory(prefix="slurm-") as name, ExitStack() as daemons:
        folder = Path(name)
        conf = _configure(folder)
        _start(daemons, _munged(folder))
        _until("munged has a socket", lambda: (folder / "munge.socket").exists(), folder)
        _start(daemons, ["slurmctld", "-D", "-f", str(conf)])
        for node in NODES:
            _start(daemons, ["slurmd", "-D", "-N", node, "-f", str(conf)])
        _until("both nodes are idle", lambda: _ask(conf, "sinfo", "-h", "-o", "%D %t").strip() == "2 idle", folder)
        yield conf
        _ask(conf, "scancel", "--user", getpass.getuser())
        _until("the queue is empty", lambda: not _ask(conf, "squeue", "-h").strip(), folder)


def _configure(folder: Path) -> Path:
    (folder / "state").mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    controller, first, second = _free_ports(3)
    text = resources.files(__package__).joinpath("slurm.conf").read_text(encoding="utf-8")
    conf = folder / "slurm.conf"
    conf.write_text(
        text.format(
            folder=folder,
            host=socket.gethostname().split(".")[0],
            user=getpass.getuser(),
            controller_port=controller,
            first_port=first,
            second_port=second,
        )
    )
    return conf


def _munged(folder: Path) -> list[str]:
    files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munge.pid", "seed-file": "munge.seed"}
    options = [f"--{option}={folder / file}" for option, file in files.items()]
    return ["munged", "--foreground", "--force", *options, f"--log-file={folder / 'munge.log'}"]


def _start(daemons: ExitStack, command: list[str]) -> None:
    environment = {**os.environ, "PATH": _path()}
    daemon = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    daemons.callback(_stop, daemon)


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(20)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _until(what: str, is_so: Callable[[], bool], folder: Path) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        if time.monotonic() > deadline:
            logs = "\n".join(f"{log.name}: {log.read_text()[-2000:]}" for log in sorted(folder.glob("*.log")))
            raise RuntimeError(f"waited two minutes until {what}\n{logs}")
        time.sleep(0.2)


def _ask(conf: Path, *command: str) -> str:
    environment = {**os.environ, "PATH": _path(), "SLURM_CONF": str(conf)}
    return subprocess.run(command, env=environment, capture_output=True, text=True).stdout


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _path() -> str:
    # The daemons are in sbin, which is not on every user's PATH.
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
