"""Where the development pack lies: unpacked beside its archive, or in ``/tmp/devpack``, unpacked there once."""

import tarfile
import tempfile
from pathlib import Path


def folder(data: Path) -> Path:
    """The folder with the pack's sources; ``FileNotFoundError`` where there is neither folder nor archive."""
    for place in (data / "devpack", Path(tempfile.gettempdir()) / "devpack"):
        if (place / "safety").is_dir():
            return place
    archive = data / "devpack.tar.xz"
    if not archive.exists():
        raise FileNotFoundError(2, "no development pack", str(archive))
    with tarfile.open(archive) as packed:
        packed.extractall(tempfile.gettempdir(), filter="data")
    return Path(tempfile.gettempdir()) / "devpack"
