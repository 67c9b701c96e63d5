"""The process that Spark forks its Python workers from when it runs on one machine.

Spark's own does the same, but its workers import everything anew (2 s each), and what it does between two tasks grows
with what is loaded: it looks at every object for garbage, and reads the directory of every archive on the path again
(pyspark's zips and Spark's largest jar), a tenth of a second a task in all. Here all is loaded before the first fork
and set apart from later collections, no archive is on the path, and no task waits for the network's acknowledgements.
"""

import gc
import socket
import sys

_ARCHIVES = (".zip", ".jar")  # nothing in them is wanted: pyspark is installed beside them
sys.path[:] = [place for place in sys.path if not place.endswith(_ARCHIVES)]
for _place in [place for place in sys.path_importer_cache if any(end in place for end in _ARCHIVES)]:
    del sys.path_importer_cache[_place]  # places where this module was looked for

import numpy as np  # noqa: E402
from pyspark import daemon  # noqa: E402

import jobs.chain  # noqa: E402
import udfs.columns  # noqa: E402
from udfs.compiled import mix  # noqa: E402

LOADED = (jobs.chain, udfs.columns)
"""What the workers run, directly or by what it imports."""


def main() -> None:
    """Fork workers as Spark asks for them, until it is gone."""
    mix(np.uint64(1))  # sets numba up
    gc.collect()
    gc.freeze()
    work = daemon.worker
    daemon.worker = lambda connection, *rest: work(_prompt(connection), *rest)
    daemon.manager()


def _prompt(connection: socket.socket) -> socket.socket:
    """The connection to Spark, on which the beginning of a task is acknowledged at once. As it comes, Linux waits 40 ms
    for more to acknowledge, and Java with the rest of what it sends."""
    if hasattr(socket, "TCP_QUICKACK") and connection.family != socket.AF_UNIX:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    return connection


if __name__ == "__main__":
    main()
