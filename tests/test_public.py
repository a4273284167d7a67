"""What programs import stays where it is: the names of the public modules, and the parameters of each.

A parameter may be added behind those that are listed here, with a default; none may go, or change its place or name.
"""

import importlib
import inspect

import pytest

CLIENT = {
    "": "target model * version label timeout attempts tls",
    ".close": "self",
    ".metadata": "self timeout",
    ".predict": "self inputs signature * outputs timeout",
    ".status": "self timeout",
    ".wait_until_ready": "self timeout",
}
PUBLIC = {
    "tfwarpgan": {"InputError": "sentence", "load": "source model * human_parser_run_dir"},
    "tfwarpgan.layers": {
        "InstanceNormalization": "epsilon",
        "SoftGatedWarpingBlock": "residual gate",
        "SoftGatedWarpingBlock.call": "self features grid",
        "SoftGatedWarpingBlock.terms": "self features grid",
    },
    "tfwarpgan.layers.transforms": {
        "affine_grid": "theta height width",
        "compose": "affine_theta tps_offsets height width",
        "sample": "features grid * core_ops",
        "tps_grid": "offsets height width control_points",
    },
    "tfwarpgan.models": {
        "GeometricMatcher": "width scale control_points",
        "HumanParser": "backbone width frozen_blocks",
        "PerceptualFeatures": "network weights",
        "PoseGuidedParser": "width blocks uses_image upsampling",
        "PyramidDiscriminator": "keys width num_discriminators",
        "WarpingGenerator": "width blocks fusion_width residual gate upsampling",
    },
    "tfwarpgan.serving.client": {
        **{f"{client}{method}": names for client in ("Client", "AsyncClient") for method, names in CLIENT.items()},
        "ServerError": "method code details",
        "TLS": "ca certificate key server_name",
        "TLS.credentials": "self",
        "TensorSpec": "dtype shape dimensions",
        "channel_options": "attempts server_name",
    },
}
VALUES = {
    "tfwarpgan": {"__version__"},
    "tfwarpgan.layers.transforms": {"IDENTITY_AFFINE"},
    "tfwarpgan.serving.client": {"METHODS"},
}


@pytest.mark.parametrize("module", PUBLIC)
def test_a_public_module_names_what_it_holds(module):
    found = importlib.import_module(module)
    classes_and_functions = {name for name in PUBLIC[module] if "." not in name}
    assert classes_and_functions | VALUES.get(module, set()) <= set(found.__all__)
    assert all(hasattr(found, name) for name in found.__all__)


@pytest.mark.parametrize("module, name", [(module, name) for module, names in PUBLIC.items() for name in names])
def test_parameters_keep_their_places_and_names(module, name):
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    parameters = list(inspect.signature(found).parameters.values())
    places, _, names = PUBLIC[module][name].partition("*")
    places, names = places.split(), names.split()
    assert [parameter.name for parameter in parameters[: len(places)]] == places
    assert all(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in parameters[: len(places)])
    assert set(names) <= {parameter.name for parameter in parameters[len(places) :]}
    listed = {*places, *names}
    added = [parameter for parameter in parameters if parameter.name not in listed]
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    assert all(parameter.kind in variadic or parameter.default is not parameter.empty for parameter in added)


@pytest.mark.parametrize("name", ["InstanceNormalization", "SoftGatedWarpingBlock"])
def test_a_saved_model_finds_its_layers(name):
    import tensorflow as tf

    layer = getattr(importlib.import_module("tfwarpgan.layers"), name)
    assert tf.keras.utils.get_registered_name(layer) == f"tfwarpgan>{name}"
