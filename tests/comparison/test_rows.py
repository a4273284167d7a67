"""Files of rows: what they say, and what is refused with its line."""

import pathlib

import pytest

from tfwarpgan import options
from tfwarpgan.comparison.rows import read_rows
from tfwarpgan.errors import InputError
from tfwarpgan.options import stages_of

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"


@pytest.fixture
def rows(tmp_path):
    """Function of the text of a file -> its rows."""

    def make(text):
        path = tmp_path / "some.compare"
        path.write_text(text)
        return read_rows(str(path))

    return make


def test_rows_have_the_flags_of_all_and_their_own(rows):
    full, other, finished = rows(
        "# all\n--height=64 --width=32  # small\n--flip\n\n[full]\n[w/o L_PH] --lambda_pyramid=0\n"
        "  --lambda_pixel=20\n[earlier] --run_dir=runs/a_{seed} --max_pairs=5\n"
    )
    assert (full.title, full.flags(3)) == ("full", ("--height=64", "--width=32", "--flip", "--seed=3"))
    assert other.flags(0)[-3:] == ("--lambda_pyramid=0", "--lambda_pixel=20", "--seed=0")
    assert (other.folder, other.where.rpartition("/")[2]) == ("w_o_L_PH", "some.compare, line 6")
    assert other.options(1).losses.lambda_pyramid == 0 and other.options(1).data.seed == 1
    assert finished.flags(2) == ("--run_dir=runs/a_2", "--max_pairs=5") and not finished.is_trained
    assert finished.seeds([0, 1]) == [0, 1]


def test_a_finished_row_without_a_seed_in_it_has_one_number(rows):
    assert rows("[a] --weights=people")[0].seeds([0, 1, 2]) == [0]
    assert rows("[a]")[0].seeds([0, 1, 2]) == [0, 1, 2]


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "is empty|has no rows"),
        ("--height=64\n", "has no rows"),
        ("[a]\nno flag\n", "line 2: 'no flag' is no row"),
        ("[] --flip\n", r"line 1: '\[\] --flip' is no row"),
        ("[a] flip\n", "line 1: 'flip' is no flag"),
        ("[a] '--x\n", "line 1: .* cannot be read"),
        ("[a]\n[b]\n[A]\n", r"line 3: the title \[A\] is too much like \[a\]"),
        ("[stages]\n", "is the folder of the shared stages"),
        ("[a] --seed=3\n", "line 1: --seed=3 cannot stand here"),
        ("[a]\n  --stage=all\n", "line 2: --stage=all cannot stand here"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(rows, text, said):
    with pytest.raises(InputError, match=said):
        rows(text)


@pytest.mark.parametrize("flag, said", [
    ("--no_such=1", "line 2: Unknown command line flag 'no_such'"),
    ("--height=17", "line 2: .*multiples of 16|line 2: flag --height"),
    ("--generator_inputs=image,pose", "line 2: --generator_inputs=image,pose needs --model=resnet"),
    (
        "--model=resnet --generator_inputs=image,pose --generator_color_transfer",
        "line 2: --generator_color_transfer needs the parsings",
    ),
    (
        "--model=resnet --generator_inputs=image,pose --generator_sharpening=1",
        "line 2: --generator_sharpening needs the parsings",
    ),
])  # fmt: skip
def test_a_wrong_flag_is_told_with_its_line(rows, flag, said):
    with pytest.raises(InputError, match=said):
        rows(f"[a]\n[b] {flag}\n")[1].options(0)


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.compare")), ids=lambda path: path.stem)
def test_the_files_of_configs(path, monkeypatch):
    monkeypatch.chdir(CONFIGS.parent)
    header = path.read_text()
    assert f"--rows=configs/{path.name}" in header and "Run time:" in header
    found = [row.options(0) for row in read_rows(str(path))]
    assert len(set(found)) == len(found) > 2


@pytest.mark.parametrize("name", ["table1", "table1_small"])
def test_the_rows_of_table_1(name, monkeypatch):
    monkeypatch.chdir(CONFIGS.parent)
    rows = {row.title: row.options(0) for row in read_rows(f"configs/{name}.compare")}
    full = rows["full"]
    weights = {
        "w/o L_adv": {"lambda_adversarial"},
        "w/o L_adv and its features": {"lambda_adversarial", "lambda_pyramid"},
        "w/o L_perceptual": {"lambda_perceptual"},
        "w/o L_pixel": {"lambda_pixel"},
        "w/o L_PH": {"lambda_pyramid"},
    }
    for title, zeros in weights.items():
        losses = vars(rows[title].losses)
        assert {key for key, value in losses.items() if value != vars(full.losses)[key]} == zeros
        assert not any(losses[key] for key in zeros) and rows[title].networks == full.networks
    stages = {title: stages_of(row) for title, row in rows.items()}
    assert stages["full"] == ("pose_guided_parser", "geometric_matcher", "warping_generator")
    assert stages["w/o parsing"] == ("warping_generator",)
    for title in ("w/o soft-gated warping block", "w/o soft-gated warping block, one encoder"):
        assert stages[title] == ("pose_guided_parser", "warping_generator")
    assert len(rows) == 4 + len(weights)
    if name == "table1":
        assert full.networks == options.NetworkOptions(fusion_width=1024)
