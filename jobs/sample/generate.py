"""``winnow sample``: writes the sample input that ships with the product, with the truth beside it.

All texts come from the generator in this package. The same number and seed give the same bytes in every file.
"""

from pathlib import Path
from random import Random

from jobs.errors import UsageError
from jobs.sample import faults, truth, twins
from jobs.sample.conversations import Chat, compose, compose_group
from jobs.sample.parts import FILES, PARQUET, write_parts

HOMES = {"sharegpt": 0.08, "messages": 0.08, "samantha": 0.03, "alpaca": 0.03, "csv": 0.03}
"""Share of the conversations written to each part; the rest, about three quarters, goes to ``lmsys``."""
TWINS, DECOYS, GROUPED, SOURCES = 0.08, 0.03, 0.12, 0.06
"""Shares of planted copies, of decoys, of answers that share their first message, and of conversations copied from."""
SMALLEST = 200


def write_sample(folder: str | Path, conversations: int = 20_000, seed: int = 1) -> dict[str, int]:
    """Writes the sample into ``folder`` and returns its counts.

    ``conversations`` readable ones in all (planted copies among them), and apart from them a few dozen broken records
    and one broken file. Raises :class:`UsageError` for a folder that holds something else or cannot be made, and
    for fewer than ``SMALLEST`` conversations.
    """
    folder = Path(folder)
    if conversations < SMALLEST:
        raise UsageError(f"expected at least {SMALLEST} conversations, got {conversations}: ask for more")
    _make_folder(folder)
    rng = Random(seed)
    chats, planted = _chats(conversations, rng)
    truth.write_note(folder)
    places = write_parts(folder, chats, rng)
    truth.write_tables(folder, planted, places)
    return {
        "conversations": len(chats),
        "near_copies": sum(row.kind != "decoy" for row in planted),
        "decoys": sum(row.kind == "decoy" for row in planted),
        "faulty_conversations": sum(bool(chat.fault) for chat in chats),
        "broken_records": sum(place.reason is not None for place in places),
        "broken_files": 1,
    } | {file: sum(place.file == file for place in places) for file in (*PARQUET, *FILES.values())}


def _chats(total: int, rng: Random) -> tuple[list[Chat], list[twins.Planted]]:
    """All conversations in their final order, and the truth about the copies among them."""
    copies, decoys, grouped = (round(share * total) for share in (TWINS, DECOYS, GROUPED))
    groups = _groups(grouped, rng)
    singles = [compose(home, rng) for home in _homes(total, total - copies - decoys - grouped, rng)]
    faults.plant(singles, total, rng)
    sound = [chat for chat in singles if not chat.fault and chat.home in ("lmsys", "sharegpt")]
    sources = rng.sample(sound, round(SOURCES * total))
    near, near_truth = twins.plant(sources, copies, False, rng)
    far, far_truth = twins.plant(sources, decoys, True, rng)
    chats = singles + groups + near + far
    rng.shuffle(chats)
    return chats, near_truth + far_truth


def _homes(total: int, singles: int, rng: Random) -> list[str]:
    homes = [home for home, share in HOMES.items() for _ in range(round(share * total))]
    homes += ["lmsys"] * (singles - len(homes))
    rng.shuffle(homes)
    return homes


def _groups(count: int, rng: Random) -> list[Chat]:
    """Conversations in groups of three to eight that share their first message."""
    chats: list[Chat] = []
    while len(chats) < count:
        left = count - len(chats)
        size = left if left <= 8 else min(3 + int(rng.random() * 6), left - 3)
        chats += compose_group(size, rng)
    return chats


def _make_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"expected a folder, found a file: {folder}")
    if folder.is_dir() and any(folder.iterdir()) and not truth.is_ours(folder):
        raise UsageError(f"{folder} is not empty and not a sample of ours: name another folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made ({error.strerror}): name another folder with --out") from error


def run(out: str, conversations: int, seed: int) -> int:
    """Writes the sample, says what it wrote, returns 0; raises as :func:`write_sample` does."""
    counts = write_sample(out, conversations, seed)
    print("\n".join(f"{count:>8,}  {name}" for name, count in counts.items()))
    print(f"written to {out}; the truth is in {Path(out) / truth.FOLDER}, which readers skip")
    return 0
