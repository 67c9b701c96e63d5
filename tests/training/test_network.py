"""Ranks of two hosts, each with a network of its own, meet on the interface that reaches the first of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.cli import main
from tests.commands import lacking
from tests.training.runs import finished, losses, train_arguments
from training.network import CHOICE, choose_interface

TWO_HOSTS = """
set -eu
ip link set lo up
unshare --net sleep 300 & other=$!
trap 'kill $other' EXIT
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep .1; done
there="nsenter --target $other --net"
ip link add left type veth peer name right netns $other
ip addr add 10.77.0.1/24 dev left
ip link set left up
$there ip addr add 10.77.0.2/24 dev right
$there ip link set lo up
$there ip link set right up
"""
"""Two network namespaces and a cable, in a network that the machine's own knows nothing of."""
RANKS = """
export MASTER_ADDR=10.77.0.1 MASTER_PORT=29500 WORLD_SIZE=2 LOCAL_WORLD_SIZE=1 LOCAL_RANK=0
RANK=1 $there "$@" &
RANK=0 "$@"
wait $!
"""


def on_two_hosts(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What a script says on the first of two hosts; ``$there`` runs a command on the other one."""
    own = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = ["unshare", *own, "--net", "sh", "-c", TWO_HOSTS + script, "sh", *words]
    return finished(command, PATH=f"{os.environ['PATH']}:/usr/sbin:/sbin")


@pytest.fixture(scope="module")
def two_hosts() -> None:
    """Networks of our own can be made here: by root, or where users may have namespaces."""
    done = on_two_hosts("")
    if done.returncode:
        lacking(f"no networks of our own on this machine (iproute2? root?): {done.stderr.strip()[-200:]}")


@pytest.mark.usefixtures("two_hosts")
@pytest.mark.parametrize("stage", [0, 2])
def test_a_run_on_two_hosts_is_that_of_one(chats: str, run: Path, tmp_path: Path, stage: int) -> None:
    out = tmp_path / "hosts"
    sets = (f"zero.stage={stage}", "schedule.max_steps=2", "launch.timeout_minutes=1")
    assert main([*train_arguments(chats, out, *sets), "--prepare"]) == 0
    done = on_two_hosts(RANKS, sys.executable, "-m", "training.sft", str(out))
    assert done.returncode == 0, done.stderr
    assert losses(out)[1] == pytest.approx(losses(run)[1], abs=5e-5)


CHOSEN = """
export MASTER_ADDR=$1 WORLD_SIZE=2 LOCAL_WORLD_SIZE=$2
shift 2
"$@"
ip route add default via 10.77.0.2
"$@"
"""
PRINTED = "import os; from training.network import *; choose_interface(); print(os.environ.get(CHOICE))"
INTERFACES = [
    ("127.0.0.1", 2, ["lo", "lo"]),
    ("10.77.0.2", 1, ["left", "left"]),  # another host is the first
    ("10.77.0.1", 1, ["left", "left"]),  # this one is, by the address that others know
    ("127.0.0.1", 1, ["None", "left"]),  # this one is, by an address of its own
    ("2001:db8::1", 1, ["None", "None"]),  # no way leads there
]


@pytest.mark.usefixtures("two_hosts")
@pytest.mark.parametrize(("address", "local", "expected"), INTERFACES, ids=str)
def test_the_interface_is_the_one_that_reaches_the_first_rank(address: str, local: int, expected: list[str]) -> None:
    """Without and with a default route."""
    done = on_two_hosts(CHOSEN, address, str(local), sys.executable, "-c", PRINTED)
    assert done.stdout.split() == expected, done.stderr


def test_an_interface_that_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHOICE, "ib0")
    choose_interface()
    assert os.environ[CHOICE] == "ib0"
