"""Crops that grow during a training: stages, each with crops of one size."""

from __future__ import annotations

import typing

# By crop_growth: (share of all pixels shown, factor of crop_size). Small crops make many steps;
# large ones have pixels far from any border, as pictures have. docs/performance.md has what was
# compared.
STAGES = {
    1: ((1.0, 1),),
    2: ((0.6, 1), (0.4, 2)),
    4: ((0.5, 1), (0.35, 2), (0.15, 4)),
}


class CropStage(typing.NamedTuple):
    """The steps of a training before `end`, and not in an earlier stage: crops of one size."""

    end: int
    share: float  # of all pixels, shown before `end`
    factor: int  # of crop_size


def divided(steps: int, growth: int) -> list[CropStage]:
    """The stages of a training; one, if its crops do not grow.

    Args:
        steps: of the whole training.
        growth: a key of `STAGES`.
    """
    shares = STAGES[growth]
    lengths = [share / factor**2 for share, factor in shares]
    stages: list[CropStage] = []
    for i, (_, factor) in enumerate(shares):
        end = round(steps * sum(lengths[: i + 1]) / sum(lengths))
        if end > (stages[-1].end if stages else 0):  # short trainings lack the last ones
            stages.append(CropStage(end, sum(share for share, _ in shares[: i + 1]), factor))
    return [*stages[:-1], stages[-1]._replace(share=1.0)]
