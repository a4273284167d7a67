"""Flags are derived from the options' fields, and a wrong one is refused in one sentence before TensorFlow starts."""

import dataclasses
import pathlib
import subprocess
import sys

import pytest
from absl import flags

from tfwarpgan import options
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options, to_flagfile
from tfwarpgan.flags import define_flags, from_flags

ROOT = pathlib.Path(__file__).resolve().parents[1]

# A command as small as one can be; its main says what it got and whether TensorFlow was imported.
COMMAND = """
import sys
from tfwarpgan import command_line, options

def main(values):
    print("rate", values.train.learning_rate, "blocks", values.networks.generator_blocks)
    print("tensorflow" in sys.modules)

command_line.run_command(main, options.Options, reads_run={reads_run})
print("main was passed over")
"""


def parsed(*arguments, cls=options.Options):
    values = flags.FlagValues()
    define_flags(cls, flag_values=values)
    values(["command", *arguments])
    return from_flags(cls, values)


def leaves(cls):
    for field in dataclasses.fields(cls):
        if dataclasses.is_dataclass(field.type):
            yield from leaves(field.type)
        else:
            yield field


@pytest.mark.parametrize("flag, words", [
    ("--keypoint_format=openpose", "needs --keypoints"), ("--keypoint_frame=256", "must be HEIGHTxWIDTH"),
    ("--keypoint_crop=40,0,176", "must be X,Y,WIDTH,HEIGHT"), ("--picture_crop=-4,0,176,256", "must be X,Y,WIDTH"),
    ("--picture_crop=4,0,0,256", "must be X,Y,WIDTH,HEIGHT"),
])  # fmt: skip
def test_how_data_are_read_is_checked_by_the_flags(flag, words):
    with pytest.raises(InputError, match=words):
        parsed(flag)
    assert parsed("--keypoint_crop=-40,0,176,256", "--keypoint_frame=256x176").data.keypoint_crop[0] == "-"


def run(*arguments, reads_run=False):
    code = "import sys\nsys.argv[0] = 'command'\n" + COMMAND.format(reads_run=reads_run)
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def sentence(result):
    """The one line that a refused command prints."""
    assert result.returncode not in (0, None), result.stdout + result.stderr
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_every_field_is_a_flag_with_its_name_default_and_help():
    values = flags.FlagValues()
    define_flags(options.Options, flag_values=values)
    fields = list(leaves(options.Options))
    assert len(fields) == len({field.name for field in fields}) > 50
    for field in fields:
        flag = values[field.name]
        assert flag.help.endswith(field.metadata["help"])
        default = [str(value) for value in field.default] if isinstance(field.default, tuple) else field.default
        assert flag.value == default and isinstance(flag.value, type(default)), field.name


def test_defaults_survive_parsing_and_pass_their_own_bounds():
    assert parsed() == options.Options()


def test_values_have_the_types_of_their_fields():
    got = parsed("--batch_size=3", "--beta_1=0.25", "--flip", "--pyramid_alphas=1,0.5,0", "--data_dir=/some/where")
    assert got.data.batch_size == 3 and type(got.data.batch_size) is int
    assert got.train.beta_1 == 0.25
    assert got.data.flip is True
    assert got.losses.pyramid_alphas == (1.0, 0.5, 0.0)
    assert got.data.data_dir == "/some/where"


def test_options_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.Options().data.batch_size = 3


def test_the_last_value_wins(tmp_path):
    flagfile = tmp_path / "some.flags"
    flagfile.write_text("# a comment\n--batch_size=4\n--pyramid_alphas=3,2,1\n")
    got = parsed(f"--flagfile={flagfile}", "--batch_size=5", "--pyramid_alphas=1,1,2")
    assert got.data.batch_size == 5 and got.losses.pyramid_alphas == (1.0, 1.0, 2.0)
    assert parsed("--batch_size=5", f"--flagfile={flagfile}").data.batch_size == 4


@pytest.mark.parametrize(
    "argument",
    ["--batch_size=0", "--batch_size=x", "--beta_1=1.5", "--num_discriminators=4", "--dataset=mpii", "--height=2048"],
)
def test_a_value_out_of_its_range_is_refused_by_name(argument):
    with pytest.raises(flags.IllegalFlagValueError, match=argument.split("=")[0][2:]):
        parsed(argument)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--matcher_scale=5"],
        ["--matcher_control_points=4"],
        ["--required_joints=bogus"],
        ["--label_mapping=bogus"],
        ["--lip_label_mapping=bogus"],
        ["--lambda_pixel=0", "--lambda_adversarial=0", "--lambda_perceptual=0", "--lambda_pyramid=0"],
        ["--pyramid_alphas=0,0,0", "--lambda_adversarial=0", "--lambda_pixel=0", "--lambda_perceptual=0"],
        ["--pyramid_alphas=1,2"],
        ["--pyramid_alphas=1,two,3"],
        ["--pyramid_alphas=1,-2,3"],
        ["--height=130"],
        ["--width=40"],
        ["--matcher_pretraining_steps=11", "--matcher_steps=10"],
        ["--profile_steps=10"],
        ["--profile_steps=9,5"],
        ["--profile_steps=0,5"],
        ["--profile_steps=a,b"],
    ],
)
def test_an_impossible_value_or_combination_names_its_flag(arguments):
    with pytest.raises(InputError, match=arguments[0].split("=")[0]):
        parsed(*arguments)


def test_one_loss_is_enough():
    rest = ["--lambda_pixel=0", "--lambda_perceptual=0"]
    assert parsed(*rest, "--lambda_adversarial=0", "--pyramid_alphas=0,0,1").losses.lambda_pyramid == 10.0
    assert parsed(*rest, "--lambda_pyramid=0").losses.lambda_adversarial == 1.0
    assert parsed(*rest, "--pyramid_alphas=0,0,0").losses.lambda_adversarial == 1.0
    assert parsed(*rest, "--lambda_adversarial=0", "--lambda_pyramid=0", "--lambda_ssim=1").losses.lambda_ssim == 1.0


def test_a_flagfile_gives_the_same_options_again(tmp_path):
    changed = parsed(
        "--data_dir=/a b/c", "--flip", "--height=256", "--pyramid_alphas=1,0.1,0.3", "--learning_rate=3e-05",
        "--profile_steps=3,7", "--lambda_perceptual=0", "--seed=7",
    )  # fmt: skip
    flagfile = tmp_path / options.RUN_FLAGFILE
    for value in (changed, options.Options()):
        flagfile.write_text(to_flagfile(value))
        assert parsed(f"--flagfile={flagfile}") == value


@pytest.mark.parametrize("argument, value", [
    ("--decorrelated_colours", True), ("--decorrelated_colours=true", True), ("--nodecorrelated_colours", False),
])  # fmt: skip
def test_a_former_name_still_sets_its_option(argument, value):
    assert parsed(argument).networks.decorrelated_colors is value
    assert parsed("--decorrelated_colors", "--decorrelated_colours=false").networks.decorrelated_colors is False
    assert "decorrelated_colours" not in to_flagfile(parsed(argument))


def test_a_former_name_is_noted_on_stderr(tmp_path):
    note = "note: --decorrelated_colours is now called --decorrelated_colors.\n"
    result = run("--decorrelated_colours", "--learning_rate=0.5")
    assert (result.returncode, result.stderr) == (0, note) and result.stdout.startswith("rate 0.5")
    (tmp_path / "own.flags").write_text("--nodecorrelated_colours\n")
    assert run(f"--flagfile={tmp_path}/own.flags").stderr == note


def test_a_run_of_a_former_name_is_read_without_a_word(tmp_path):
    text = to_flagfile(parsed("--decorrelated_colors", "--learning_rate=0.125"))
    flagfile = tmp_path / options.RUN_FLAGFILE
    flagfile.write_text(text.replace("--decorrelated_colors=True", "--decorrelated_colours=True"))
    assert run_options(str(tmp_path)).networks.decorrelated_colors is True
    result = run(f"--run_dir={tmp_path}", reads_run=True)
    assert result.stdout.startswith("rate 0.125") and result.stderr == ""


def test_main_gets_the_options_and_tensorflow_is_not_imported_before():
    result = run("--learning_rate=0.5")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == ["rate 0.5 blocks 9", "False"]


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["--no_such_flag=1"], "no_such_flag"),
        (["--batch_size=0"], "batch_size"),
        (["--dataset=mpii"], "dataset"),
        (["--matcher_scale=5"], "matcher_scale"),
        (["--matcher_pretraining_steps=11", "--matcher_steps=10"], "matcher_steps"),
        (["--required_joints=bogus"], "--required_joints=bogus"),
        (["--flagfile=no/such/file.flags"], "no/such/file.flags"),
        (["leftover"], "leftover"),
    ],
)
def test_a_command_refuses_in_one_sentence(arguments, named):
    assert named in sentence(run(*arguments))


def test_the_help_lists_the_flags_of_the_command():
    result = run("--help")
    assert "--generator_blocks" in result.stdout and "Residual blocks of the warping generator" in result.stdout


@pytest.mark.parametrize("spelling", ["--run_dir={}", "-run_dir={}", "--run_dir {}"])
def test_the_options_of_the_run_are_read_and_the_command_line_wins(tmp_path, spelling):
    of_run = parsed("--learning_rate=0.125", "--generator_blocks=4", f"--run_dir={tmp_path}")
    (tmp_path / options.RUN_FLAGFILE).write_text(to_flagfile(of_run))
    run_dir = spelling.format(tmp_path).split(" ")
    result = run(*run_dir, "--generator_blocks=5", reads_run=True)
    assert result.stdout.splitlines()[:1] == ["rate 0.125 blocks 5"], result.stderr
    result = run("--generator_blocks=5", *run_dir, reads_run=True)
    assert result.stdout.splitlines()[:1] == ["rate 0.125 blocks 5"], result.stderr


def test_a_folder_without_a_run_is_refused(tmp_path):
    assert str(tmp_path) in sentence(run(f"--run_dir={tmp_path}", reads_run=True))


def test_the_run_is_not_read_where_the_command_does_not_ask_for_it(tmp_path):
    result = run(f"--run_dir={tmp_path}")
    assert result.stdout.splitlines()[:1] == ["rate 0.0002 blocks 9"], result.stderr
