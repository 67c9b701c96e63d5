"""What all settings are made of."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Bound = Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)]
Policy = Literal["drop", "tag", "off"]
"""``drop``: left out of the dataset. ``tag``: stored (a label, a row of ``duplicates``), nothing else. ``off``: not
looked for."""


class Section(BaseModel):
    """A part of the tree: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
