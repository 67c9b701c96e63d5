"""Do these rows give a run something to learn from, and something to be measured on?"""

from collections.abc import Mapping

from conf.training import Data
from training.errors import RunRefused
from training.exchanges import OUTCOMES

LOST = 0.5
"""Largest share of conversations of a split that may leave no row behind, but for those that are too long."""


def check(stats: Mapping[str, int | float], refusal: str, data: Data) -> None:
    """Raises RunRefused with every reason why a run on rows with these ``Prepared.stats`` should not start."""
    found = problems(stats, refusal, data)
    if found:
        raise RunRefused("; ".join(found))


def problems(stats: Mapping[str, int | float], refusal: str, data: Data) -> list[str]:
    """Every such reason, one sentence each."""
    found = [problem for split in ("train", "eval") if (problem := _of_rows(stats, refusal, data, split))]
    if not found and not data.min_mask_share <= mask_share(stats) <= data.max_mask_share:
        found.append(
            f"{mask_share(stats):.2%} of the tokens would be trained, expected {data.min_mask_share:.2%} to "
            f"{data.max_mask_share:.2%}: check base.template and data.loss_on, or set data.min_mask_share and "
            "data.max_mask_share"
        )
    return found


def mask_share(stats: Mapping[str, int | float], split: str = "train") -> float:
    """Share of the tokens of a split that have loss."""
    return stats[f"{split}.trained_tokens"] / max(1, stats[f"{split}.tokens"])


def told(stats: Mapping[str, int | float], split: str) -> str:
    """What became of the conversations of a split, in words: ``1,060 conversations = 1,000 whole + 60 cut``."""
    parts = [f"{stats[f'{split}.{name}']:,} {name}" for name in OUTCOMES if stats[f"{split}.{name}"]]
    return f"{stats[f'{split}.rows']:,} conversations = {' + '.join(parts) or 'none'}"


def _of_rows(stats: Mapping[str, int | float], refusal: str, data: Data, split: str) -> str:
    if split == "eval" and data.eval == "none":
        return ""
    rows, made = stats[f"{split}.rows"], stats[f"{split}.token_rows"]
    lost = stats[f"{split}.no_loss"] + stats[f"{split}.refused"]
    why = f" (the template refuses: {refusal})" if refusal else ""
    if not rows:
        advice = "publish with publish.eval_share above 0, or set data.eval=none" if split == "eval" else "publish more"
        return f"the dataset version has no {split} rows: {advice}"
    if not made:
        return (
            f"no {split} row has a token to train: {told(stats, split)}{why}; check base.template and data.max_tokens"
        )
    if lost > LOST * rows:
        return f"over half of the {split} rows would be left out: {told(stats, split)}{why}; check base.template"
    return ""
