"""The options of the system: frozen dataclasses, of whose fields `flags` makes flags.

Library code takes these dataclasses and never reads a flag. This package does not import TensorFlow.
"""

from tfwarpgan.options.data import DATA_SET, PICTURE_FITS, BatchOptions, DataOptions, SizeOptions, check_data_place
from tfwarpgan.options.losses import LossOptions
from tfwarpgan.options.metrics import MetricOptions
from tfwarpgan.options.networks import FINISHING, NetworkOptions
from tfwarpgan.options.option import option
from tfwarpgan.options.run import PARTS, RUN_FLAGFILE, Options, check_places, stages_of
from tfwarpgan.options.train import STAGES, TrainOptions, WorkerOptions

__all__ = [
    "BatchOptions",
    "DATA_SET",
    "DataOptions",
    "FINISHING",
    "LossOptions",
    "MetricOptions",
    "NetworkOptions",
    "Options",
    "PARTS",
    "PICTURE_FITS",
    "RUN_FLAGFILE",
    "STAGES",
    "SizeOptions",
    "TrainOptions",
    "WorkerOptions",
    "check_data_place",
    "check_places",
    "option",
    "stages_of",
]
