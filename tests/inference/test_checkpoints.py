"""A damaged checkpoint is told from a whole one, whichever bit it is, and the one before takes its place."""

import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.inference.checkpoints import (
    checkpoints_in,
    chosen_checkpoint,
    damage_of,
    latest_checkpoint,
    newest_whole,
)


@pytest.fixture
def folder(tmp_path):
    """The folder of a stage with checkpoints of steps 9 and 10."""
    folder = tmp_path / "run" / "parser"
    checkpoint = tf.train.Checkpoint(a=[tf.Variable(np.arange(8.0)), tf.Variable(3)], b=[tf.Variable(tf.ones([2, 3]))])
    for step in (9, 10):
        checkpoint.write(str(folder / f"ckpt-{step}"))
    (folder / "checkpoint").write_text('model_checkpoint_path: "ckpt-10"\n')
    return folder


def values(path):
    reader = tf.train.load_checkpoint(path)
    return {name: np.asarray(reader.get_tensor(name)).tolist() for name in reader.get_variable_to_shape_map()}


def test_the_newest_is_that_of_most_steps(folder):
    assert newest_whole(str(folder)).endswith("ckpt-10")
    for state in ("", "gone"):
        (folder / "checkpoint").write_text(state)
        assert newest_whole(str(folder)).endswith("ckpt-10")
    os.remove(folder / "checkpoint")
    assert [os.path.basename(path) for path in checkpoints_in(str(folder))] == ["ckpt-10", "ckpt-9"]


def test_no_flipped_bit_changes_a_value_unnoticed(folder):
    """A bit of every byte of both files: it is noticed, or it is one that nobody reads."""
    path = str(folder / "ckpt-10")
    before, noticed = values(path), 0
    for name in (f"{path}.index", f"{path}.data-00000-of-00001"):
        with open(name, "rb") as file:
            content = file.read()
        for place in range(len(content)):
            flipped = bytearray(content)
            flipped[place] ^= 1 << place % 8
            with open(name, "wb") as file:
                file.write(flipped)
            damage = damage_of(path)
            assert damage or values(path) == before, (name, place)
            noticed += bool(damage)
        with open(name, "wb") as file:
            file.write(content)
    assert noticed > 300 and not damage_of(path)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


DAMAGES = {
    "cut": ("ckpt-10.data-00000-of-00001", cut),
    "one bit flipped": ("ckpt-10.data-00000-of-00001", flip),
    "one bit of the index flipped": ("ckpt-10.index", lambda path: path.write_bytes(b"\x01" + path.read_bytes()[1:])),
    "empty index": ("ckpt-10.index", lambda path: path.write_bytes(b"")),
    "no data": ("ckpt-10.data-00000-of-00001", os.remove),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_passed_over_with_a_sentence(damage, folder, capsys):
    name, change = DAMAGES[damage]
    change(folder / name)
    assert latest_checkpoint(str(folder.parent), "parser").endswith("ckpt-9")
    (note,) = capsys.readouterr().err.splitlines()
    assert note.startswith(f"note: {folder}/ckpt-10 is damaged (") and note.endswith("; ckpt-9 is used.")


def test_none_whole_is_one_sentence(folder):
    for step in (9, 10):
        cut(folder / f"ckpt-{step}.data-00000-of-00001")
    with pytest.raises(InputError, match=r"holds no checkpoint that is whole \(ckpt-10: .+\): bring one back from"):
        newest_whole(str(folder))
    shutil.rmtree(folder)
    assert newest_whole(str(folder)) == ""
    with pytest.raises(InputError, match="--stage=parser"):
        latest_checkpoint(str(folder.parent), "parser")


@pytest.mark.parametrize("end", ["index", "data-00000-of-00001"])
@pytest.mark.parametrize("error", ["Is a directory", "Too many levels of symbolic links"])
def test_what_cannot_be_read_is_not_taken_for_damage(end, error, folder):
    """Errors that any user has, root too; a permission that is missing comes the same way."""
    place = folder / f"ckpt-10.{end}"
    place.unlink()
    place.mkdir() if "directory" in error else place.symlink_to(place)
    with pytest.raises(InputError, match=rf"^{folder}/ckpt-10 cannot be read \([^{{]*{error}\); nothing was changed"):
        newest_whole(str(folder))
    with pytest.raises(InputError, match="cannot be read"):
        chosen_checkpoint(str(folder.parent), "parser", "10")
    assert chosen_checkpoint(str(folder.parent), "parser", "9").endswith("ckpt-9")


@pytest.fixture
def best(folder):
    """A folder's best checkpoint, of step 4."""
    tf.train.Checkpoint(a=[tf.Variable(1.0)]).write(str(folder / "best/ckpt-4"))
    return folder / "best/ckpt-4"


def damage(*paths):
    for path in paths:
        cut(path.with_name(f"{path.name}.data-00000-of-00001"))


def test_a_damaged_best_one_does_not_stand_in_the_way_of_others(folder, best, capsys):
    damage(best)

    def chosen(which):
        return os.path.basename(chosen_checkpoint(str(folder.parent), "parser", which))

    assert [chosen(which) for which in ("last", "10", "9")] == ["ckpt-10", "ckpt-10", "ckpt-9"]
    told = r"best holds no checkpoint that is whole \(ckpt-4: .+\): bring one back from a copy, or use --checkpoint="
    with pytest.raises(InputError, match=told):
        chosen("best")
    with pytest.raises(InputError, match="no whole checkpoint of step 4 of the stage parser, but of 9, 10: name"):
        chosen("4")
    assert not capsys.readouterr().err


def test_damaged_last_ones_do_not_stand_in_the_way_of_the_best(folder, best, capsys):
    damage(folder / "ckpt-9", folder / "ckpt-10")
    for which in ("best", "4"):
        assert chosen_checkpoint(str(folder.parent), "parser", which) == str(best)
    with pytest.raises(InputError, match="or remove the folder to train the stage anew"):
        chosen_checkpoint(str(folder.parent), "parser", "last")
    assert not capsys.readouterr().err


def test_one_of_two_checkpoints_of_a_step_is_enough(folder, best):
    for end in ("index", "data-00000-of-00001"):
        os.rename(f"{best}.{end}", folder / f"best/ckpt-10.{end}")
    damage(folder / "ckpt-10")
    assert chosen_checkpoint(str(folder.parent), "parser", "10") == str(folder / "best/ckpt-10")
    damage(folder / "best/ckpt-10")
    with pytest.raises(InputError, match="no whole checkpoint of step 10 of the stage parser, but of 9: name"):
        chosen_checkpoint(str(folder.parent), "parser", "10")
    for step in (9, 10):
        os.remove(folder / f"ckpt-{step}.index")
    with pytest.raises(InputError, match="no whole checkpoint of step 10 of the stage parser: bring it back from a"):
        chosen_checkpoint(str(folder.parent), "parser", "10")
