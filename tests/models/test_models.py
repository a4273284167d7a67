"""What the networks give: names, shapes, types, and the properties that the design asks of them."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.body import joints, labels
from tfwarpgan.layers.color_transfer import transfer_colors
from tfwarpgan.layers.colors import decorrelate_colors
from tfwarpgan.layers.label_maps import binomial_filter, one_hot
from tfwarpgan.layers.sharpening import sharpen
from tfwarpgan.layers.transforms import sample
from tfwarpgan.models import (
    GeometricMatcher,
    HumanParser,
    PoseGuidedParser,
    PyramidDiscriminator,
    WarpingGenerator,
)
from tfwarpgan.models.inputs import dense_inputs
from tfwarpgan.models.warping_gan import SHIFTS, WarpingGAN, _mirrored
from tfwarpgan.options import DataOptions

keras = tf.keras


def random_inputs(batch=2, height=32, width=16, seed=0):
    generator = np.random.default_rng(seed)

    def parsing():
        return tf.one_hot(generator.integers(0, 20, [batch, height, width]), 20)

    return {
        "condition_image": tf.constant(generator.uniform(-1, 1, [batch, height, width, 3]), tf.float32),
        "condition_parsing": parsing(),
        "target_parsing": parsing(),
        "target_pose": tf.constant(generator.integers(0, 2, [batch, height, width, 18]), tf.float32),
        "image": tf.constant(generator.uniform(-1, 1, [batch, height, width, 3]), tf.float32),
        "grid": tf.constant(generator.uniform(-1.1, 1.1, [batch, height, width, 2]), tf.float32),
    }


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
def test_parser_gives_linear_logits(upsampling):
    parser = PoseGuidedParser(width=4, blocks=1, upsampling=upsampling)
    logits = parser(random_inputs())["parsing_logits"]
    assert logits.shape == (2, 32, 16, 20) and logits.dtype == tf.float32
    parser.decoder.head.output_convolution.convolution.bias.assign(tf.fill([20], 7.0))
    assert float(tf.reduce_max(parser(random_inputs())["parsing_logits"])) > 5.0  # a tanh would end at 1


@pytest.mark.parametrize("gate", ["spatial", "channel", "scalar", "none"])
@pytest.mark.parametrize("residual", ["conv", "identity"])
def test_generator_outputs(gate, residual):
    generator = WarpingGenerator(width=4, blocks=1, fusion_width=32, gate=gate, residual=residual)
    outputs = generator(random_inputs())
    assert outputs["image"].shape == (2, 32, 16, 3)
    assert float(tf.reduce_max(tf.abs(outputs["image"]))) <= 1.0
    assert outputs["features"].shape == outputs["warped_features"].shape == (2, 4, 2, 32)
    assert np.all((outputs["gate"] >= 0) & (outputs["gate"] <= 1))


def test_decorrelated_colors_reach_the_appearance_encoder_alone():
    inputs = random_inputs()
    plain, decorrelated = (
        WarpingGenerator(width=4, blocks=1, fusion_width=32, decorrelated_colors=chosen) for chosen in (False, True)
    )
    plain(inputs), decorrelated(inputs)
    decorrelated.set_weights(plain.get_weights())
    image = decorrelate_colors(inputs["condition_image"])
    expected = plain({**inputs, "condition_image": image})["image"]
    np.testing.assert_allclose(decorrelated(inputs)["image"], expected, atol=1e-5)
    assert np.abs(expected - plain(inputs)["image"]).max() > 0.01


def test_matcher_starts_at_the_identity():
    matcher = GeometricMatcher(width=4, scale=8)
    outputs = matcher(random_inputs())
    np.testing.assert_allclose(outputs["theta_affine"], [[1, 0, 0, 0, 1, 0]] * 2)
    np.testing.assert_allclose(outputs["theta_tps"], np.zeros([2, 9, 2]))
    x, y = np.meshgrid(np.linspace(-1, 1, 16), np.linspace(-1, 1, 32))
    np.testing.assert_allclose(outputs["grid"][0], np.stack([x, y], -1), atol=1e-5)


def test_matcher_has_one_extractor_for_both_parsings():
    matcher = GeometricMatcher(width=4, scale=8)
    matcher(random_inputs())
    kernels = [weight for weight in matcher.trainable_weights if tuple(weight.shape) == (4, 4, 20, 4)]
    assert len(kernels) == 1


def test_discriminator_scales_follow_each_other():
    inputs = random_inputs()
    discriminator = PyramidDiscriminator(["condition_image", "target_pose"], width=4, num_discriminators=2)
    outputs = discriminator(inputs)
    assert [tuple(score.shape) for score in outputs["scores"]] == [(2, 4, 2, 1), (2, 2, 1, 1)]
    sizes = [tuple(maps.shape[1:]) for maps in outputs["features"]]
    assert sizes == [(16, 8, 4), (8, 4, 8), (4, 2, 16), (8, 4, 4), (4, 2, 8), (2, 1, 16)]


ALL_KEYS = ["condition_image", "condition_parsing", "target_parsing", "target_pose"]
# How each is built, what it takes, and the pictures' height and width, as far as a graph of it has to know them.
NETWORKS = {
    "human parser": (lambda: HumanParser(width=8), ["image"], (None, None)),
    "pose-guided parser": (
        lambda: PoseGuidedParser(width=4, blocks=1, uses_image=True),
        ["condition_image", "condition_parsing", "target_pose"],
        (32, 16),
    ),
    "matcher": (lambda: GeometricMatcher(width=4, scale=8), ["condition_parsing", "target_parsing"], (32, 16)),
    "generator": (
        lambda: WarpingGenerator(width=4, blocks=1, fusion_width=32, warp_scales=("8", "4", "2", "1", "image")),
        [*ALL_KEYS, "grid"],
        (32, 16),
    ),
    "discriminator": (
        lambda: PyramidDiscriminator([*ALL_KEYS, "image"], width=4, num_discriminators=2),
        [*ALL_KEYS, "image"],
        (32, 16),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_graph_of_any_batch_size_gives_each_row_what_eager_gives_the_batch(name):
    build, keys, size = NETWORKS[name]
    network, inputs = build(), {key: value for key, value in random_inputs().items() if key in keys}
    network(inputs)
    generator = np.random.default_rng(1)  # no weight stays 0, as the matcher's last ones are
    network.set_weights([weight + generator.normal(0, 0.02, weight.shape) for weight in network.get_weights()])
    eager = network(inputs)

    def spec(value):
        return tf.TensorSpec([None, *(size if value.shape.rank == 4 else value.shape[1:-1]), value.shape[-1]])

    graph = tf.function(lambda inputs: network(inputs), input_signature=[{key: spec(inputs[key]) for key in inputs}])
    rows = [graph({key: value[row : row + 1] for key, value in inputs.items()}) for row in range(2)]
    whole = tf.nest.map_structure(lambda *parts: tf.concat(parts, axis=0), *rows)
    for results in (graph(inputs), whole):
        for got, want in zip(tf.nest.flatten(results), tf.nest.flatten(eager), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_keeps_outputs_and_thetas_in_float32(policy):
    keras.mixed_precision.set_global_policy(policy)
    try:
        inputs = random_inputs()
        generator = WarpingGenerator(width=4, blocks=1, fusion_width=32)
        assert generator(inputs)["image"].dtype == tf.float32
        matcher = GeometricMatcher(width=4, scale=8)
        assert matcher(inputs)["grid"].dtype == tf.float32
        assert PoseGuidedParser(width=4, blocks=1)(inputs)["parsing_logits"].dtype == tf.float32
    finally:
        keras.mixed_precision.set_global_policy("float32")


SCALES = ("8", "4", "2", "1", "image")


def built(scales):
    generator = WarpingGenerator(width=4, blocks=1, fusion_width=32, warp_scales=scales)
    generator(random_inputs())
    return generator


def test_gates_of_every_scale_have_their_size_and_start_small():
    outputs = built(SCALES)(random_inputs())
    sizes = {"gate": (4, 2), "gate_4": (8, 4), "gate_2": (16, 8), "gate_1": (32, 16), "gate_image": (32, 16)}
    for name, size in sizes.items():
        assert outputs[name].shape == (2, *size, 1)
        np.testing.assert_allclose(outputs[name], 0.5 if name == "gate" else 0.12, rtol=1e-5)


def test_an_open_image_gate_gives_the_warped_condition_image():
    inputs, generator = random_inputs(), built(("8", "image"))
    painted = generator(inputs)["image"]
    gate = generator.warped_image.block.gate_layer
    gate.bias.assign([100.0])
    warped = sample(inputs["condition_image"], inputs["grid"])
    np.testing.assert_allclose(generator(inputs)["image"], warped, atol=1e-5)
    gate.bias.assign([-100.0])
    alone = generator(inputs)["image"]
    np.testing.assert_allclose(painted, 0.12 * warped + 0.88 * alone, atol=1e-5)


def test_finer_scales_add_weights_behind_those_of_one_block():
    """Weights are kept by their number: those of the paper's generator must keep their places."""
    one, all_scales = ([tuple(weight.shape) for weight in built(scales).weights] for scales in (("8",), SCALES))
    assert all_scales[: len(one)] == one and len(all_scales) > len(one)


def test_parts_move_on_their_own():
    """An untrained matcher leaves the person where it is; an arm that hangs on the other side is found there."""
    condition, target = np.zeros([2, 1, 64, 32], int)
    condition[0, 20:40, 23:29], target[0, 20:40, 3:9] = 14, 14
    inputs = {"condition_parsing": tf.one_hot(condition, 20), "target_parsing": tf.one_hot(target, 20)}
    outputs = GeometricMatcher(width=4, scale=8, parts=6)(inputs)
    x, y = np.meshgrid(np.linspace(-1, 1, 32), np.linspace(-1, 1, 64))
    identity = np.stack([x, y], -1)
    np.testing.assert_allclose(outputs["person_grid"][0], identity, atol=1e-5)
    moved = outputs["grid"][0] - identity
    np.testing.assert_allclose(moved[22:38, 5], np.broadcast_to([20 * 2 / 31, 0], [16, 2]), atol=1e-3)
    np.testing.assert_allclose(moved[:, 12:], np.zeros([64, 20, 2]), atol=1e-5)


def test_parts_need_no_weights():
    one, six = GeometricMatcher(width=4, scale=8), GeometricMatcher(width=4, scale=8, parts=6)
    one(random_inputs()), six(random_inputs())
    assert [weight.shape for weight in six.get_weights()] == [weight.shape for weight in one.get_weights()]


def random_batch():
    generator = np.random.default_rng(0)
    return {
        "condition_image": generator.uniform(-1, 1, [2, 32, 16, 3]).astype(np.float32),
        "condition_parsing": generator.integers(0, 20, [2, 32, 16]).astype(np.uint8),
        "target_parsing": generator.integers(0, 20, [2, 32, 16]).astype(np.uint8),
        "target_keypoints": generator.integers(0, 16, [2, 18, 2]).astype(np.float32),
        "target_visible": generator.integers(0, 2, [2, 18]).astype(bool),
    }


def test_an_averaged_image_is_the_mean_of_the_image_and_that_of_the_mirrored_pair():
    batch = random_batch()
    mirrored = {
        key: value[:, :, ::-1] if "image" in key else np.array(labels.FLIP_PERMUTATION, np.uint8)[value[:, :, ::-1]]
        for key, value in batch.items()
        if "image" in key or "parsing" in key
    }
    points, visible = (batch[f"target_{name}"][:, joints.FLIP_PERMUTATION] for name in ("keypoints", "visible"))
    mirrored |= {"target_keypoints": points * [1.0, -1.0] + [0.0, 15.0], "target_visible": visible}
    networks = {"warping_generator": WarpingGenerator(width=4, blocks=1, fusion_width=32, warp_scales=("8", "1"))}
    data = DataOptions(height=32, width=16)
    alone, averaged = (WarpingGAN(networks, data, "ground_truth", what) for what in ((), ("image",)))
    one, other = (alone(tf.nest.map_structure(tf.constant, each))["image"] for each in (batch, mirrored))
    expected = (one + tf.reverse(other, [2])) / 2
    assert np.abs(one - expected).max() > 0.01
    np.testing.assert_allclose(averaged(batch)["image"], expected, atol=1e-5)


def test_a_parsing_is_averaged_once_the_networks_are_trained():
    batch = tf.nest.map_structure(tf.constant, random_batch())
    networks = {"pose_guided_parser": PoseGuidedParser(width=4, blocks=1)}
    networks["warping_generator"] = WarpingGenerator(width=4, blocks=1, fusion_width=32)
    data = DataOptions(height=32, width=16)
    alone, averaged = (WarpingGAN(networks, data, averaged=what) for what in ((), ("parsing",)))
    inputs = dense_inputs(batch, data)
    mirrored = networks["pose_guided_parser"](_mirrored(inputs, ["condition_parsing", "target_pose"]))
    other = tf.gather(tf.reverse(mirrored["parsing_logits"], [2]), labels.FLIP_PERMUTATION, axis=-1)
    one = alone(batch)["parsing_logits"]
    expected = (one + binomial_filter(other)) / 2
    assert np.abs(expected - one).max() > 0.001
    np.testing.assert_allclose(averaged(batch)["parsing_logits"], expected, atol=1e-5)
    np.testing.assert_allclose(averaged.conditions(batch)["parsing_logits"], one, atol=1e-6)


@pytest.mark.parametrize("shifts", [2, 4])
def test_an_image_is_averaged_over_moved_targets(shifts):
    batch = tf.nest.map_structure(tf.constant, random_batch())
    networks = {"warping_generator": WarpingGenerator(width=4, blocks=1, fusion_width=32, warp_scales=("8", "1"))}
    data = DataOptions(height=32, width=16)
    alone, averaged = (WarpingGAN(networks, data, "ground_truth", shifts=number) for number in (1, shifts))
    conditions = alone.conditions(batch)
    total, counts = np.zeros([2, 32, 16, 3]), np.zeros([32, 16, 1])
    for down, right in SHIFTS[shifts]:
        moved = {
            key: np.pad(value, [(0, 0), (down, 0), (right, 0), (0, 0)], "symmetric")[:, :32, :16]
            if key in ("target_parsing", "target_pose", "grid")
            else value
            for key, value in conditions.items()
        }
        total[:, : 32 - down, : 16 - right] += alone.generate(moved)["image"].numpy()[:, down:, right:]
        counts[: 32 - down, : 16 - right] += 1
    assert counts.max() == shifts and counts[-1, -1] == 1
    assert np.abs(total / counts - alone(batch)["image"]).max() > 0.01
    outputs = averaged(batch)
    np.testing.assert_allclose(outputs["image"], total / counts, atol=1e-5)
    np.testing.assert_allclose(outputs["gate_1"], alone(batch)["gate_1"], atol=1e-5)


def test_moved_and_mirrored_images_are_averaged_each_in_its_place():
    batch = tf.nest.map_structure(tf.constant, random_batch())
    networks = {"warping_generator": lambda inputs, training: {"image": inputs["target_parsing"][..., :3]}}
    pipeline = WarpingGAN(networks, DataOptions(height=32, width=16), "ground_truth", ["image"], shifts=4)
    parsing = one_hot(batch["target_parsing"])[..., :3]  # background, hat and hair: the same in a mirror
    np.testing.assert_allclose(pipeline(batch)["image"], parsing, atol=1e-6)


def test_an_averaged_image_is_sharpened_by_the_parsing_the_generator_saw():
    batch = tf.nest.map_structure(tf.constant, random_batch())
    networks = {"warping_generator": WarpingGenerator(width=4, blocks=1, fusion_width=32)}
    data = DataOptions(height=32, width=16)
    without, found = (
        WarpingGAN(networks, data, "ground_truth", shifts=2, sharpening=share)(batch)["image"] for share in (0.0, 0.7)
    )
    expected = sharpen(without, one_hot(batch["target_parsing"]), 0.7)
    assert np.abs(expected - without).max() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_colors_are_transferred_to_the_averaged_image_where_the_generator_saw_the_parts():
    batch = tf.nest.map_structure(tf.constant, random_batch())
    networks = {"warping_generator": WarpingGenerator(width=4, blocks=1, fusion_width=32)}
    data = DataOptions(height=32, width=16)
    without, transferred = (
        WarpingGAN(networks, data, "ground_truth", ["image"], transfers_colors=asked)(batch)["image"]
        for asked in (False, True)
    )
    parsings = one_hot(batch["target_parsing"]), one_hot(batch["condition_parsing"])
    expected = transfer_colors(without, parsings[0], batch["condition_image"], parsings[1])
    assert np.abs(expected - without).max() > 0.01
    np.testing.assert_allclose(transferred, expected, atol=1e-6)


def test_a_mirrored_grid_samples_the_mirrored_image():
    inputs = random_inputs()
    image, grid = inputs["image"], tf.clip_by_value(inputs["grid"], -1.0, 1.0)
    mirrored = _mirrored({"condition_image": image, "grid": grid}, ["condition_image", "grid"])
    found = sample(mirrored["condition_image"], mirrored["grid"])
    np.testing.assert_allclose(found, tf.reverse(sample(image, grid), [2]), atol=1e-5)
