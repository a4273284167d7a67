"""Every flagfile of configs/ is parsed, and the full-size ones hold the paper's numbers."""

import dataclasses
import os
import pathlib
import subprocess
import sys

import pytest
from absl import flags

from tfwarpgan import options
from tfwarpgan.errors import InputError
from tfwarpgan.flags import define_flags, from_flags
from tfwarpgan.training import runs
from tfwarpgan.training.source import open_source

CONFIGS = pathlib.Path(__file__).resolve().parents[1] / "configs"
FLAGFILES = sorted(CONFIGS.rglob("*.flags"))


def parsed(path):
    values = flags.FlagValues()
    define_flags(options.Options, flag_values=values)
    leftover = values(["command", f"--flagfile={path}"])[1:]
    assert leftover == []
    return from_flags(options.Options, values)


def test_the_documented_flagfiles_are_there():
    assert {"market", "deepfashion", "demo", "people"} <= {path.stem for path in FLAGFILES}


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.stem)
def test_a_flagfile_is_parsed(path):
    assert parsed(path) != options.Options() or path.stem == "market"


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.stem)
def test_a_header_says_what_to_expect_and_the_command(path):
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    text = "\n".join(header)
    for word in ("Reproduces:", "Expected:", "Run time:", "Command:", f"configs/{path.relative_to(CONFIGS)}"):
        assert word in text, word


@pytest.mark.parametrize("path", FLAGFILES, ids=lambda path: path.stem)
def test_a_flagfile_alone_trains_or_says_what_data_to_get(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = parsed(path)
    assert config.train.run_dir == f"runs/{path.stem}"
    if config.data.dataset == "people" and not config.data.lip_dir:
        assert open_source(config).data_dir
        return
    place = config.data.data_dir or config.data.lip_dir
    with pytest.raises(
        InputError, match=rf"{place}.*(is missing|is not a folder): get .* there.*(parsing/|LIP's layout)"
    ):
        runs.train(config)
    assert place.startswith("data/") and list(tmp_path.iterdir()) == []


def test_the_documented_command_as_it_is(tmp_path):
    (tmp_path / "configs").symlink_to(CONFIGS)
    command = [sys.executable, "-m", "tfwarpgan.train", "--flagfile=configs/market.flags"]
    environment = {**os.environ, "PYTHONPATH": str(CONFIGS.parent)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2 and result.stdout == ""
    assert "error: data/market1501/bounding_box_train is missing: get" in result.stderr.splitlines()[-1]


def test_market_is_the_paper():
    market = parsed(CONFIGS / "market.flags")
    assert (market.data.dataset, market.data.height, market.data.width, market.data.batch_size) == (
        "market1501", 128, 64, 20,
    )  # fmt: skip
    networks = market.networks
    assert (networks.generator_width, networks.generator_blocks, networks.fusion_width) == (64, 9, 1024)
    assert (networks.parser_width, networks.parser_blocks, networks.discriminator_width) == (64, 9, 64)
    assert (market.train.learning_rate, market.train.beta_1, market.train.beta_2) == (2e-4, 0.5, 0.999)
    losses = market.losses
    assert (losses.lambda_adversarial, losses.lambda_pixel, losses.lambda_perceptual, losses.lambda_pyramid) == (
        1, 10, 10, 10,
    )  # fmt: skip
    assert market.train.parsing_source == "synthesized"


def test_deepfashion_differs_from_market_in_the_data_alone():
    market, deepfashion = parsed(CONFIGS / "market.flags"), parsed(CONFIGS / "deepfashion.flags")
    data = deepfashion.data
    assert (data.dataset, data.height, data.width, data.batch_size) == ("deepfashion", 256, 256, 12)
    assert (deepfashion.networks, deepfashion.losses, deepfashion.train) == (
        market.networks, market.losses, dataclasses.replace(market.train, run_dir="runs/deepfashion"),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["market", "deepfashion"])
def test_what_is_recommended_has_the_papers_widths_and_what_helped_at_small_sizes(name):
    paper, scales = parsed(CONFIGS / f"{name}.flags"), parsed(CONFIGS / f"{name}_scales.flags")
    assert scales.data == paper.data
    assert scales.train == dataclasses.replace(paper.train, run_dir=f"runs/{name}_scales", ema=0.999)
    widths = [field for field in vars(paper.networks) if field.endswith(("_width", "_blocks", "matcher_scale"))]
    assert all(getattr(scales.networks, field) == getattr(paper.networks, field) for field in widths)
    small = parsed(CONFIGS / "people.flags")
    for field in (
        "warp_scales", "warp_parts", "matcher_control_points", "decorrelated_colors", "parser_average_flip",
        "generator_color_transfer",
    ):  # fmt: skip
        assert getattr(scales.networks, field) == getattr(small.networks, field)
    for field in ("matcher_lambda_image", "lambda_pixel", "person_weight", "head_weight", "perceptual_alphas"):
        assert getattr(scales.losses, field) == getattr(small.losses, field)
    demo = parsed(CONFIGS / "demo.flags").losses
    assert (scales.losses.lambda_ssim, scales.losses.judge_background) == (demo.lambda_ssim, demo.judge_background)


def test_the_demo_needs_nothing_but_the_package():
    demo = parsed(CONFIGS / "demo.flags")
    assert demo.data.dataset == "people" and demo.data.data_dir == "" and demo.losses.lambda_perceptual == 0


def test_the_released_weights_need_public_weights_only():
    people = parsed(CONFIGS / "people.flags")
    assert people.data.dataset == "people" and people.data.data_dir == ""
    assert people.losses.perceptual_weights == "imagenet"
