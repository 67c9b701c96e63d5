import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import udfs
from tests.memory import guarded
from udfs.compiled import compiled, find_byte, mix, put_byte, put_bytes

SOURCES = [Path(udfs.__file__).with_name(name) for name in ("__init__.py", "compiled.py")]
RUN = """
import numpy
from udfs.compiled import mix
print(mix(numpy.uint64(1)), sum(mix.stats.cache_hits.values()), mix.stats.cache_path)
"""
MIXED = 0xB456BCFC34C2CB2C
"""The mix of 1."""


def run(home: Path, path: Path) -> tuple[int, int, str]:
    """Mix of 1, cache hits and cache folder, in a fresh process with the package at ``path``."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA", "PYTHON"))}
    env = {**keep, "PYTHONPATH": str(path), "TMPDIR": str(home), "HOME": str(home / "nowhere")}
    done = subprocess.run([sys.executable, "-c", RUN], env=env, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    mixed, hits, folder = done.stdout.split()
    return int(mixed), int(hits), folder


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "app.zip"
    with zipfile.ZipFile(path, "w") as file:
        for source in SOURCES:
            file.write(source, f"udfs/{source.name}")
    return path


@pytest.fixture
def site(tmp_path):
    for source in SOURCES:
        folder = tmp_path / "site" / "udfs"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, folder)
    return tmp_path / "site"


def test_kernels_of_a_zip_are_compiled_once_for_all_copies_of_it(home, archive, tmp_path):
    copy = shutil.copy(archive, tmp_path / "app-of-the-next-run.zip")
    assert run(home, archive)[:2] == (MIXED, 0)
    mixed, hits, folder = run(home, Path(copy))
    assert (mixed, hits) == (MIXED, 1)
    assert Path(folder).parent == home / f"winnow-kernels-{os.getuid()}"


def test_kernels_of_a_zip_run_where_nothing_can_be_cached(home, archive):
    (home / f"winnow-kernels-{os.getuid()}").write_text("a file where the folder would be")
    assert run(home, archive) == (MIXED, 0, "None")


def test_a_cache_that_others_can_write_to_is_not_used(home, archive):
    folder = home / f"winnow-kernels-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    assert run(home, archive) == (MIXED, 0, "None")


def test_a_package_that_can_be_written_has_its_cache_beside_it_and_a_changed_source_is_compiled_anew(home, site):
    mixed, hits, folder = run(home, site)
    assert (mixed, hits, Path(folder).parent) == (MIXED, 0, site / "udfs" / "__pycache__")
    source = site / "udfs" / "compiled.py"
    source.write_text(source.read_text().replace("0xC4CEB9FE1A85EC53", "0xC4CEB9FE1A85EC55"))
    later = source.stat().st_mtime + 2  # Python tells sources apart by size and whole seconds
    os.utime(source, (later, later))
    mixed, hits, _ = run(home, site)
    assert (mixed != MIXED, hits) == (True, 0)


def test_a_package_that_cannot_be_written_has_its_cache_in_the_temporary_folder(home, site):
    (site / "udfs" / "__pycache__").write_text("a file where the folder would be")
    mixed, _, folder = run(home, site)
    assert mixed == MIXED
    assert Path(folder).parent == home / f"winnow-kernels-{os.getuid()}"


def test_mix_is_the_finaliser_of_murmurhash3():
    def reference(word):
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53, 1):
            word = (word ^ (word >> 33)) * factor % 2**64
        return word

    for word in (0, 1, 2**63, 2**64 - 1, 0x123456789ABCDEF):
        assert mix(np.uint64(word)) == reference(word)


@compiled
def copy(data, begin, size, out, to):
    source, target = np.uint64(data.ctypes.data), np.uint64(out.ctypes.data)
    put_bytes(source, np.uint64(begin), np.uint64(size), target, np.uint64(to))


@compiled
def put(out, at, byte):
    put_byte(np.uint64(out.ctypes.data), np.uint64(at), np.uint8(byte))


@compiled
def find(data, at, byte):
    return np.int64(find_byte(np.uint64(data.ctypes.data), np.uint64(at), np.uint64(len(data)), np.uint8(byte)))


@given(st.binary(min_size=56, max_size=56), st.integers(0, 15), st.integers(0, 15), st.integers(0, 40))
def test_just_these_bytes_are_copied(data, begin, to, size):
    out, expected = np.full(64, 0xEE, np.uint8), bytearray(b"\xee" * 64)
    copy(np.frombuffer(data, np.uint8), begin, size, out, to)
    put(out, 63, data[0])
    expected[to : to + size], expected[63] = data[begin : begin + size], data[0]
    assert out.tobytes() == expected


hostile = st.sampled_from(b"\x00\n\x0b\\\xff")


@given(st.lists(hostile, max_size=40).map(bytes), st.integers(0, 40), hostile)
def test_the_first_such_byte_is_found(data, at, byte):
    found = data.find(byte, at)
    assert find(np.frombuffer(data, np.uint8), min(at, len(data)), byte) == (found if found >= 0 else len(data))


def test_nothing_is_copied_or_looked_at_past_a_buffer():
    with guarded() as page:
        for size in range(41):
            source = np.arange(size, dtype=np.uint8)
            copy(source, 0, size, page, len(page) - size)
            out = np.empty(size, np.uint8)
            copy(page, len(page) - size, size, out, 0)
            assert out.tobytes() == source.tobytes()
            assert find(page, len(page) - size, 0xFF) == len(page)
