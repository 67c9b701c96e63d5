"""Is this machine ready? Java, Delta's jars, Spark, Python and our packages on the executors, memory, disk."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pyspark

from jobs import session
from jobs.errors import UsageError

_JAVA = 17
_NEEDED_GB = 3.0
Check = tuple[bool, str]


def run(fetch_only: bool, print_only: bool, trial_only: bool) -> int:
    """``winnow doctor``: prints one line a check, that of a failed one with what to do. 0: all well, 2: not."""
    if print_only:
        print(",".join(session.jars()))
        return 0
    if fetch_only:
        fetch_jars()
        return 0
    checks: tuple[Callable[[], Check], ...] = (_python, _java, _jars, _memory, _disk, _spark)
    checks = (_trial,) if trial_only else checks
    is_well = True
    for check in checks:
        is_ok, told = check()
        print(("ok    " if is_ok else "FAIL  ") + told)
        is_well = is_well and is_ok
        if not is_ok and check is _java:
            break
    return 0 if is_well else 2


def fetch_jars() -> None:
    """Resolve once, by Spark's own Ivy, Delta's jars into :func:`jobs.session.jar_folder` and, where Spark NLP is
    installed, its jars below; nothing to do when there."""
    _fetch("Delta", session.delta_package(), session.jar_folder(), session.jars())
    if session.nlp_package():
        _fetch("Spark NLP", session.nlp_package(), session.nlp_jar_folder(), session.nlp_jars())


def _fetch(name: str, package: str, folder: Path, there: list[str]) -> None:
    if there:
        print(f"{name}'s jars are in {folder}")
        return
    is_ok, told = _java()
    if not is_ok:
        raise UsageError(told)
    print(f"fetching {package} into {folder}")
    cache = folder.with_name(folder.name + ".ivy")
    code = "from pyspark.sql import SparkSession; SparkSession.builder.getOrCreate().stop()"
    confs = {
        "spark.jars.packages": package,
        "spark.jars.ivy": str(cache),
        "spark.jars.excludes": ",".join(session.UNNEEDED),
        "spark.master": "local[1]",
        "spark.ui.enabled": "false",
    }
    submit = {**os.environ, "PYSPARK_SUBMIT_ARGS": _arguments(confs), "PYSPARK_PYTHON": sys.executable}
    done = subprocess.run([sys.executable, "-c", code], env=submit, capture_output=True, text=True, check=False)
    found = [jar for jar in cache.glob("jars/*.jar") if _is_wanted(jar.name)]
    if done.returncode or not found:
        raise UsageError(f"{name}'s jars could not be fetched: {_last_line(done.stderr)}; put them into {folder}")
    _keep(found, folder)
    shutil.rmtree(cache)
    print(f"{len(found)} jars, {sum(jar.stat().st_size for jar in folder.glob('*.jar')) / 1e6:.0f} MB")


def _arguments(confs: dict[str, str]) -> str:
    """Settings for a session, as pyspark takes them from the environment: a path may have spaces."""
    given = (part for key, value in confs.items() for part in ("--conf", f"{key}={value}"))
    return shlex.join([*given, "pyspark-shell"])


def _is_wanted(name: str) -> bool:
    """Is this jar, named ``<group>_<artifact>-<version>.jar`` by Ivy, not on Spark's class path already?"""
    return _artifact(name.split("_", 1)[1]) not in _spark_artifacts()


@cache
def _spark_artifacts() -> frozenset[str]:
    return frozenset(_artifact(jar.name) for jar in Path(pyspark.__file__).parent.glob("jars/*.jar"))


def _artifact(name: str) -> str:
    """``jackson-core`` of ``jackson-core-2.15.2.jar``."""
    return re.split(r"-\d", name, maxsplit=1)[0]


def _keep(found: list[Path], folder: Path) -> None:
    """All jars appear at once: a fetch that is interrupted leaves no half folder."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for jar in found:
        shutil.copy2(jar, partial / jar.name)
    partial.rename(folder)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search("UNRESOLVED|UnknownHost|download failed", line)]
    telling = telling or [line for line in lines if re.search("Exception|rror", line)]
    return (telling or lines or ["no output"])[-1][:300]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    is_ok = (3, 11) <= sys.version_info < (3, 14)
    return is_ok, f"Python {version} at {sys.executable}" + ("" if is_ok else ": 3.11, 3.12 or 3.13 is needed")


def _java() -> Check:
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    advice = f"install it, on Debian or Ubuntu: apt-get install openjdk-{_JAVA}-jre-headless (or -21-)"
    if not java or not Path(java).exists():
        return False, f"Java {_JAVA} not found ({java or 'no `java` on the PATH'}): {advice}"
    shown = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    line = next((line for line in shown.splitlines() if "version" in line), "")
    number = line.split('"')[1].split(".")[0] if '"' in line else "?"
    is_ok = number.isdecimal() and int(number) >= _JAVA
    return is_ok, f"Java {number} at {java}" + ("" if is_ok else f": {_JAVA} or newer is needed; {advice}")


def _jars() -> Check:
    found, folder = session.jars(), session.jar_folder()
    if not found:
        return False, f"no Delta jars in {folder}: run `winnow doctor --fetch-jars` once, with network"
    return True, f"{len(found)} Delta jars in {folder}"


def _memory() -> Check:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    total = pages * size / 2**30
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.exists() and (text := limit.read_text().strip()).isdecimal():
        total = min(total, int(text) / 2**30)
    advice = "" if total >= _NEEDED_GB else f": {_NEEDED_GB:.0f} GB are needed for the embedded session"
    return total >= _NEEDED_GB, f"{total:.1f} GB of memory{advice}"


def _disk() -> Check:
    free = shutil.disk_usage(os.environ.get("SPARK_LOCAL_DIRS", "/tmp")).free / 2**30
    advice = "" if free >= 2 else ": Spark needs room for shuffles; set SPARK_LOCAL_DIRS to a larger disk"
    return free >= 2, f"{free:.1f} GB free for Spark's temporary files{advice}"


def _spark() -> Check:
    """Start a session, write and read a Delta table, and import our packages in a worker's Python."""
    import tempfile

    try:
        spark = session.open_session("doctor")
        with tempfile.TemporaryDirectory() as folder:
            spark.range(3).write.format("delta").save(f"{folder}/t")
            rows = spark.read.format("delta").load(f"{folder}/t").count()
        workers = spark.range(2).mapInArrow(_worker, "told string").distinct().collect()
        told = "; ".join(sorted(row.told for row in workers))
        spark.stop()
        return rows == 3, f"Spark {spark.version} with Delta; executors: {told}"
    except Exception as error:
        from jobs.failures import explain

        return False, f"Spark: {explain(error)[0]}"


def _trial() -> Check:
    from jobs import trial

    try:
        return True, trial.run()
    except Exception as error:
        from jobs.failures import explain

        return False, f"Trial run: {explain(error)[0]}"


def _worker(batches):
    import platform

    import numba
    import pyarrow as pa

    import udfs

    for batch in batches:
        told = (
            f"Python {platform.python_version()}, pyarrow {pa.__version__}, numba {numba.__version__}, {udfs.__name__}"
        )
        yield pa.RecordBatch.from_pydict({"told": [told] * batch.num_rows})
