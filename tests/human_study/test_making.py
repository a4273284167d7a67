"""The folder of a study: what raters' browsers get tells nothing of the methods; bad pictures are one sentence."""

import json
import pathlib
import shutil

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.errors import InputError
from tfwarpgan.human_study import pictures
from tfwarpgan.human_study.design import COMPARISON, PRACTICE
from tfwarpgan.human_study.document import load
from tfwarpgan.human_study.making import make, part_of


def test_a_study_is_read_as_it_was_made(made):
    study, folder = made(condition="", c="")
    assert load(str(folder)) == study and load(str(folder)).id == study.id
    assert len(study.slots) == 4 and {len(slot) for slot in study.slots} == {2 + 8 + 1 + 1}
    assert study.protocol == "choice/natural-untimed"


def test_nothing_public_names_a_method_or_a_picture(made, folders):
    folders = {"a": f"zebra={folders}/ours", "b": f"quokka={folders}/other", "condition": f"{folders}/condition"}
    study, folder = made(**folders)
    words = ["zebra", "quokka", *study.pairs, "repeat", "corrupted"]
    for path in (folder / "public").rglob("*"):
        own = path.suffix in (".html", ".js") and "jspsych" not in path.parts
        text = path.relative_to(folder).as_posix() + (path.read_text() if own else "")
        assert not [word for word in words if word in text], path
        assert path.parent.name != "slots" or "check" not in text
    assert set(study.methods) == {"zebra", "quokka"}


def test_pictures_keep_their_pixels_and_nothing_else(made, folders):
    study, folder = made()
    for method in study.methods:
        for name, address in study.pictures[method].items():
            with Image.open(folder / "public" / address) as copy, Image.open(folders / method / f"{name}.png") as own:
                assert np.array_equal(np.asarray(copy), np.asarray(own)) and not copy.info
                assert pathlib.Path(address).stem.isalnum() and len(pathlib.Path(address).stem) == 24


def test_a_rater_gets_the_pictures_of_the_design(made, folders):
    study, folder = made(condition=f"{folders}/condition")
    for number, slot in enumerate(study.slots):
        text = (folder / "public" / "slots" / f"{number}.js").read_text()
        shown = json.loads(text.removeprefix("setTrials(").removesuffix(");\n"))
        for trial, public in zip(slot, shown, strict=True):
            assert public["left"] == study.pictures[trial.left][trial.name] != public["right"]
            assert (public.get("real") is not None) == (trial.kind == PRACTICE)
            assert (public.get("condition") == study.conditions.get(trial.name)) or trial.kind != COMPARISON
    assert study.protocol == "choice/natural-untimed+condition"


def test_the_same_seed_makes_the_same_study(made, settings, tmp_path):
    study, _ = made()
    again = make(settings(), str(tmp_path / "again"), "1.0")
    other = make(settings(study_seed=1), str(tmp_path / "other"), "1.0")
    assert again.id == study.id != other.id and again.pairs != other.pairs


def test_the_page_for_mechanical_turk_fits_and_names_the_address(made):
    study, folder = made(base_url="https://study.example.org/a")
    page = (folder / "mturk" / "question.xml").read_text()
    assert len(page.encode()) < 65_535 and page.count("]]>") == 1 and '"slot": "${slot}"' in page
    assert 'src="https://study.example.org/a/study.js"' in page and 'name="assignmentId"' in page
    assert (folder / "mturk" / "hits.csv").read_text() == "slot\n0\n1\n2\n3\n"


def test_what_is_said_on_the_page_cannot_become_part_of_it(made):
    study, folder = made(purpose="</script><script>alert(1)</script>]]>")
    assert "<script>alert" not in (folder / "public" / "index.html").read_text()
    assert (folder / "mturk" / "question.xml").read_text().count("]]>") == 1


def test_rendered_people_are_the_real_pictures_by_default(made):
    study, _ = made(real="")
    assert "rendered people" in study.terms and "CC0" in study.terms


def test_the_parts_of_a_results_name():
    assert [part_of("a_1_2_b_2", flag) for flag in ("condition", "target_pose")] == ["a_1", "b_2"]
    assert part_of("x_2_y_vis", "target_pose") == "y"


def test_a_corrupted_picture_keeps_its_size_and_little_else():
    picture = np.random.default_rng(0).integers(0, 256, (33, 18, 3), np.uint8)
    broken = pictures.corrupted(picture, 0)
    assert broken.shape == picture.shape and (broken != picture).mean() > 0.5
    assert np.array_equal(broken, pictures.corrupted(picture, 0))


def refused(settings, folder, **changes):
    """The sentence of a study that is not made, of which nothing is left behind."""
    with pytest.raises(InputError) as error:
        make(settings(**changes), str(folder / "study"), "1.0")
    assert not list(folder.glob("study*")) and not list(folder.glob(".writing-*"))
    return str(error.value)


def test_bad_pictures_are_told(settings, folders, tmp_path):
    bad = tmp_path / "bad" / "other"
    shutil.copytree(folders / "other", bad)
    (bad / "0003.png").unlink()
    assert "0003.png of ours has no picture of that name from other (1 such)" in refused(settings, tmp_path, b=str(bad))
    Image.new("RGB", (9, 16)).save(bad / "0003.png")
    assert "is 9 x 16 pixels" in refused(settings, tmp_path, b=str(bad), pairs=20)
    shutil.copy(folders / "ours" / "0003.png", bad / "0003.png")
    assert "are the same picture" in refused(settings, tmp_path, b=str(bad), pairs=20)
    (bad / "0003.png").write_bytes(b"\x89PNG no picture")
    assert "0003.png cannot be read as an image" in refused(settings, tmp_path, b=str(bad), pairs=20)
    Image.new("RGB", (8, 16)).save(bad / "0003.bmp")
    assert "have the same name; keep one" in refused(settings, tmp_path, b=str(bad))


@pytest.mark.parametrize("changes, words", [
    ({"pairs": 21}, "--pairs asks for 21 pictures, but there are 20 of the methods; ask for fewer"),
    ({"practice": 20}, "asks for 21 pictures, but there are 20"),
    ({"b": "/nowhere"}, "--b=/nowhere is not a folder"),
    ({"contact": ""}, "--contact is missing"),
    ({"a": ""}, "--a is missing"),
    ({"raters": 3}, "--raters=3 must be a multiple of 2"),
    ({"base_url": "http://x"}, "must begin with https://"),
])  # fmt: skip
def test_bad_options_are_told(settings, tmp_path, changes, words):
    assert words in refused(settings, tmp_path, **changes)


def test_folders_and_names_that_do_not_fit_are_told(settings, folders, tmp_path):
    assert "is a second method 'ours'" in refused(settings, tmp_path, b=f"{folders}/ours")
    (tmp_path / "empty").mkdir()
    assert "contains no picture" in refused(settings, tmp_path, b=str(tmp_path / "empty"))
    told = refused(settings, tmp_path, target_pose=str(tmp_path / "empty"))
    assert "--target_pose=" in told and "contains no picture" in told
    Image.new("RGB", (8, 16)).save(tmp_path / "empty" / "elsewhere.png")
    assert "has no picture named 0" in refused(settings, tmp_path, condition=str(tmp_path / "empty"))


def test_a_study_is_never_overwritten(made, settings):
    _, folder = made()
    with pytest.raises(InputError, match="is there already"):
        make(settings(), str(folder), "1.0")


def test_a_document_that_was_changed_is_refused(made, tmp_path):
    _, folder = made()
    path = folder / "trials.json"
    path.write_text(path.read_text().replace('"ours",', '"theirs",', 1))
    with pytest.raises(InputError, match="was changed after"):
        load(str(folder))
    for text in ("", "[]", "{}", '{"study": 1, "protocol": 2, "slots": 3}'):
        path.write_text(text)
        with pytest.raises(InputError, match="is not the document of a study"):
            load(str(folder))
    with pytest.raises(InputError, match="is missing; make the study first"):
        load(str(tmp_path))
