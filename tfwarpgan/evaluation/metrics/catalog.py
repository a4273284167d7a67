"""All metrics by their ids, and the accumulators of those that are chosen."""

from collections.abc import Sequence

from tfwarpgan.evaluation.metrics import (
    detail,
    detection_score,
    dists,
    fid,
    identity,
    inception_score,
    kid,
    l1,
    l2,
    lpips,
    pose,
    psnr,
    ssim,
)
from tfwarpgan.evaluation.metrics.metric import Metric
from tfwarpgan.evaluation.metrics.modifiers import modified

_MODULES = (ssim, l1, l2, psnr, inception_score, fid, kid, lpips, dists, pose, detection_score, identity, detail)
CATALOG = {metric.id: metric for module in _MODULES for metric in module.METRICS}


def chosen_metrics(ids: Sequence[str]) -> list[Metric]:
    """The metrics of ids as `ids.chosen_ids` gives them."""
    return [_metric(*id.split("+")) for id in ids]


def _metric(base: str, *modifiers: str) -> Metric:
    return modified(CATALOG[base], list(modifiers)) if modifiers else CATALOG[base]
