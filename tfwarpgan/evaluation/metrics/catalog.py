"""All metrics by their ids, and the accumulators of those that are chosen."""

from collections.abc import Sequence

from tfwarpgan.evaluation.metrics import detail, l1, l2, psnr, ssim
from tfwarpgan.evaluation.metrics.metric import Metric
from tfwarpgan.evaluation.metrics.modifiers import modified

CATALOG = {metric.id: metric for module in (ssim, l1, l2, psnr, detail) for metric in module.METRICS}


def chosen_metrics(ids: Sequence[str]) -> list[Metric]:
    """The metrics of ids as `ids.chosen_ids` gives them."""
    return [_metric(*id.split("+")) for id in ids]


def _metric(base: str, *modifiers: str) -> Metric:
    return modified(CATALOG[base], list(modifiers)) if modifiers else CATALOG[base]
