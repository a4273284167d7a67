"""Options of the metrics that need more than pictures: where the weights of their networks and other files are."""

import dataclasses

from tfwarpgan.options.data import KEYPOINT_FORMATS
from tfwarpgan.options.option import option


@dataclasses.dataclass(frozen=True)
class MetricOptions:
    """Files that some metrics need; empty: not given."""

    metric_weights: str = option(
        "~/.cache/tfwarpgan/metrics", "Folder of the weights that python -m tfwarpgan.convert wrote."
    )
    reference: str = option(
        "", "Reference of fid and kid: folder of images, or npz file of mu and sigma; default: the targets."
    )
    detected: str = option(
        "", "Joints that a detector found in the generated pictures, under their names: file or folder, for pckh."
    )
    detected_targets: str = option("", "Joints that it found in the true pictures: what pckh can reach at most.")
    detected_format: str = option(
        "openpose", "Format of --detected and --detected_targets, as of --keypoint_format.", choices=KEYPOINT_FORMATS
    )
    detector: str = option("", "Name of the detector, such as openpose or movenet-thunder, which its numbers bear.")
    detection_scores: str = option("", "CSV file name,score of a person detector's confidences, for ds.")
    identity_features: str = option("", "npz file with a vector for each name of a picture, for identity.")
