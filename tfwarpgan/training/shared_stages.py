"""Which flags decide what stage I and the matcher are and learn, and so which runs can share them.

Stage I and the matcher do not depend on each other, nor on anything of the generator, so runs that
differ in their generators or its losses can share them.
"""

import dataclasses
import hashlib
from typing import Any

from tfwarpgan.data.layouts.opening import PATHS
from tfwarpgan.options import FINISHING, DataOptions, NetworkOptions, Options

# Of the data: where it lies, and in which batches it is read.
DATA_THAT_MAY_CHANGE = (*PATHS, "prepared_dir", "batch_size", "flip", "seed")
# How the names of a stage's own flags begin.
_PREFIXES = {
    "human_parser": ("human_parser_", "lip_"),
    "pose_guided_parser": ("parser_",),
    "geometric_matcher": ("matcher_",),
    "warping_generator": ("generator_", "lambda_", "perceptual_"),
    "coarse_generator": ("coarse_",),
    "pose_detector": ("detector_",),
}
# Flags without effect on what any stage learns.
_OF_NO_STAGE = (
    *FINISHING, "run_dir", "stage", "stages_from", "prepared_dir", "log_every", "pictures_every", "checkpoint_every",
    "keep_checkpoints", "profile_steps", "validate_every", "validation_pairs", "recompute", "stop_at", "deterministic",
)  # fmt: skip
_OF_THE_GENERATOR = (
    "model", "adversarial", "neighbor_size", "content_layer", "fusion_width", "warp", "warp_residual", "warp_gate",
    "warp_scales", "decorrelated_colors", "person_weight", "head_weight", "judge_background",
    "parsing_source",
)  # fmt: skip
_DISCRIMINATORS = ("discriminator_width", "num_discriminators", "discriminator_learning_rate", "pyramid_alphas")
_SHARE_THE_WIDTH = ("coarse_generator", "pose_detector")  # with the generator after them
_NOT_OF = {
    "pose_guided_parser": (*_OF_THE_GENERATOR, "warp_parts"),
    "geometric_matcher": (*_OF_THE_GENERATOR, *_DISCRIMINATORS, "upsampling"),
    "coarse_generator": (*_DISCRIMINATORS, "adversarial", "neighbor_size", "content_layer", "generator_steps"),
    "pose_detector": (*_DISCRIMINATORS, "adversarial", "neighbor_size", "content_layer", "generator_steps"),
}


def stage_flags(options: Options, stage: str) -> dict[str, Any]:
    """The flags that decide what a stage before the generator learns: name -> value.

    A flag that is not known to belong to another stage counts.
    """
    others = tuple(
        prefix
        for name, prefixes in _PREFIXES.items()
        for prefix in prefixes
        if name != stage and not (stage in _SHARE_THE_WIDTH and prefix == "generator_")
    )
    values: dict[str, Any] = {}
    for part in dataclasses.asdict(options).values():
        values |= part
    ignored = {*_OF_NO_STAGE, *_NOT_OF[stage]}
    return {name: value for name, value in values.items() if name not in ignored and not name.startswith(others)}


def network_flags(options: Options, stage: str) -> dict[str, Any]:
    """Those of `stage_flags` that say which network it is and which data it learned from; how long and how is free."""
    fields = [field.name for part in (DataOptions, NetworkOptions) for field in dataclasses.fields(part)]
    names = set(fields) - {*DATA_THAT_MAY_CHANGE}
    return {name: value for name, value in stage_flags(options, stage).items() if name in names}


def stage_hash(options: Options, stage: str) -> str:
    """Short hash of `stage_flags`: two runs of one hash have the same stage.

    Flags at their defaults are left out, so that a new one changes no hash.
    """
    here, default = stage_flags(options, stage), stage_flags(Options(), stage)
    text = "\n".join(f"{name}={value}" for name, value in sorted(here.items()) if value != default[name])
    return hashlib.sha256(text.encode()).hexdigest()[:12]
