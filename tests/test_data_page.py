"""Every command on the page about data is one that the options accept."""

import dataclasses
import pathlib
import re
import shlex

import pytest
from absl import flags

from tfwarpgan import options
from tfwarpgan.body import label_mappings
from tfwarpgan.data.joints import files as joint_files
from tfwarpgan.flags import define_flags, from_flags

PAGE = (pathlib.Path(__file__).resolve().parents[1] / "docs/data.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (python -m tfwarpgan\.(?:prepare|train) .*?[^\\])$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_parses(command):
    values = flags.FlagValues()
    define_flags(options.Options, flag_values=values)
    arguments = shlex.split(command.replace("\\\n", " "))[3:]
    assert values(["command", *arguments]) == ["command"]
    from_flags(options.Options, values)


def test_all_layouts_formats_and_mappings_are_there():
    assert len(COMMANDS) >= 8
    for dataset in ("market1501", "deepfashion", "folder"):
        assert f"--dataset={dataset} " in PAGE
    for name in (*joint_files.READERS, *label_mappings.MAPPINGS):
        assert f"`{name}`" in PAGE


def test_the_flags_offer_what_the_readers_read():
    fields = {field.name: field for field in dataclasses.fields(options.DataOptions)}
    assert set(fields["keypoint_format"].metadata["choices"]) == set(joint_files.READERS)
    assert all(name in fields["label_mapping"].metadata["help"] for name in label_mappings.MAPPINGS)
