"""The system that --model names: its networks, its discriminator and its pipeline.

`options.systems.SYSTEMS` names a module of this package for each. It has functions of `Options`: one for each stage,
named after it, which builds the stage's network, and `generator_discriminator`; and `pipeline`, a function of networks
by stage and of `Options`, which gives an `ImagePipeline`.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from tensorflow import keras

from tfwarpgan.models.image_pipeline import ImagePipeline
from tfwarpgan.options import Options
from tfwarpgan.options.systems import SYSTEMS


def build_network(stage: str, options: Options) -> keras.Model:
    """The network that a stage trains, ready for weights."""
    return getattr(_module(options), stage)(options)


def build_discriminator(options: Options) -> keras.Model:
    """What the images are judged by: a dictionary of `keys` in, `scores` and `features` out."""
    return _module(options).generator_discriminator(options)


def build_pipeline(networks: Mapping[str, keras.Model], options: Options) -> Any:
    """The `ImagePipeline` of networks by stage."""
    return _module(options).pipeline(networks, options)


def _module(options: Options) -> Any:
    return importlib.import_module(f"tfwarpgan.models.{SYSTEMS[options.networks.model].module}")


__all__ = ["ImagePipeline", "build_discriminator", "build_network", "build_pipeline"]
