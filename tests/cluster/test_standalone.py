"""The jobs on a real standalone cluster give the dataset of the local run.

The code reaches the executors only as ``app.zip`` (the wheel), so a module that cannot be imported from a zip fails
here.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyspark
import pytest

from conf import tables
from jobs import session
from jobs.lake import Lake
from tests.commands import JAVA, ROOT

SPARK_HOME = Path(pyspark.__file__).parent
HOST = "127.0.0.1"


def free_port() -> int:
    with contextlib.closing(socket.socket()) as found:
        found.bind((HOST, 0))
        return found.getsockname()[1]


def environment(folder: Path) -> dict[str, str]:
    """As on a cluster: Python's packages are installed there, ours are not."""
    ours = ("PYTHONPATH", "PYSPARK_GATEWAY_PORT", "SPARK_CONF_DIR")
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    return {
        **clean,
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_DAEMON_JAVA_OPTS": JAVA,
        "SPARK_WORKER_DIR": str(folder / "work"),
        "SPARK_LOCAL_DIRS": str(folder / "tmp"),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    log = (folder / f"{arguments[0].rsplit('.', 1)[-1]}-{arguments[-1].replace('/', '_')[-20:]}.log").open("wb")
    command = [str(SPARK_HOME / "bin" / "spark-class"), *arguments]
    return subprocess.Popen(command, env=environment(folder), stdout=log, stderr=log, start_new_session=True)


@pytest.fixture(scope="module", autouse=True)
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is compiled already, where processes find it whose code is a zip."""
    folder = tmp_path_factory.mktemp("kernels")
    for cache in (found for package in ("udfs", "jobs") for found in (ROOT / package).rglob("__pycache__")):
        shutil.copytree(cache, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.pyc"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_CACHE_DIR", str(folder))
        yield


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One master and two workers on loopback."""
    folder = tmp_path_factory.mktemp("cluster")
    port, url = free_port(), ""
    url = f"spark://{HOST}:{port}"
    place = ("--host", HOST, "--port", str(port), "--webui-port", str(free_port()))
    started = [start(folder, "org.apache.spark.deploy.master.Master", *place)]
    wait_for(port)
    for _ in range(2):
        size = ("--cores", "1", "--memory", "1g", "--host", HOST, "--webui-port", str(free_port()))
        started.append(start(folder, "org.apache.spark.deploy.worker.Worker", *size, url))
    yield url
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
            return
        time.sleep(0.2)
    raise TimeoutError(f"nothing listens on {HOST}:{port}")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network, under the name of a zip."""
    folder = tmp_path_factory.mktemp("app")
    source = folder / "source"
    left_out = (".*", "__pycache__", "tests", "lake", "sample", "build", "*.egg-info")
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*left_out))
    command = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    subprocess.run([sys.executable, "-m", *command], check=True)
    [wheel] = folder.glob("*.whl")
    return wheel.rename(folder / "app.zip")


def submit(master: str, app: Path, folder: Path, job: str, *arguments: str) -> None:
    """`spark-submit` as on a cluster, from a folder where our packages are not."""
    (folder / "jobs").mkdir(exist_ok=True)
    script = shutil.copy(ROOT / "jobs" / f"{job}.py", folder / "jobs")
    command = [
        str(SPARK_HOME / "bin" / "spark-submit"),
        *("--master", master, "--py-files", str(app), "--jars", ",".join(session.jars())),
        *("--driver-memory", "1g", "--executor-memory", "1g", "--conf", "spark.sql.shuffle.partitions=2"),
        *("--conf", f"spark.driver.host={HOST}", "--conf", f"spark.executor.extraJavaOptions={JAVA}"),
        *("--driver-java-options", JAVA),
        script,
        *arguments,
    ]
    done = subprocess.run(
        command, env=environment(folder), capture_output=True, text=True, timeout=400, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_every_job_by_spark_submit_gives_the_local_dataset(
    master: str, app: Path, lake: Lake, small_sample: Path, tmp_path: Path
) -> None:
    place = ("--config", "smoke", "--lake", str(tmp_path / "lake"))
    submit(master, app, tmp_path, "ingest", *place, "--input", str(small_sample))
    for job in ("annotate", "dedup", "publish"):
        submit(master, app, tmp_path, job, *place)
    found = Lake(lake.spark, str(tmp_path / "lake"))
    assert found.lineage(tables.DATASET).digest == lake.lineage(tables.DATASET).digest
