"""Which file may hold the key of masked values? One outside the lake that others on the machine cannot read.

It holds the key's bytes and nothing else. A path may begin with ``~``, in a recipe too.
"""

import os
import secrets
import stat
from pathlib import Path

from udfs.delta.log import local_path
from udfs.sealing import KEY_BYTES, Key

MAKE_ONE = "`winnow make-key FILE` makes one"


def make(path: str) -> Key:
    """A new key, written to a new file that only its owner can read. ValueError where there is a file already, or none
    can be written."""
    secret = secrets.token_bytes(KEY_BYTES)
    try:
        with open(os.open(os.path.expanduser(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret)
    except FileExistsError:
        raise ValueError(f"{path} is there already and may have sealed values: name a new file") from None
    except OSError as error:
        raise ValueError(f"cannot write {path}: {error.strerror}") from None
    return Key(secret)


def read(path: str, lake: str) -> Key:
    """The key in this file, which must be outside of ``lake``, closed to others, and of the right length.

    Raises ValueError that says what is wrong with it and what to do; never what is in it.
    """
    _require_outside(path, lake)
    try:
        with open(os.path.expanduser(path), "rb") as file:
            mode, secret = os.fstat(file.fileno()).st_mode, file.read(KEY_BYTES + 1)
    except FileNotFoundError:
        raise ValueError(f"there is no key file {path}: {MAKE_ONE}") from None
    except OSError as error:
        raise ValueError(f"cannot read key file {path}: {error.strerror}") from None
    if mode & stat.S_IRWXO:
        raise ValueError(f"anyone on this machine can read or change key file {path}: run `chmod o= {path}`")
    if len(secret) != KEY_BYTES:
        found = f"{len(secret)}" if len(secret) < KEY_BYTES else "more"
        raise ValueError(f"expected {KEY_BYTES} bytes in key file {path}, found {found}: {MAKE_ONE}")
    return Key(secret)


def _require_outside(path: str, lake: str) -> None:
    """A key beside what it seals would seal nothing from who can read the lake."""
    folder = local_path(lake)
    if folder is not None and Path(path).expanduser().resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"key file {path} is inside the lake {lake}: move it out, where readers of the lake are not")
