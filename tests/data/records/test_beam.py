"""The builder on Apache Beam: the same bytes as without it."""

import dataclasses
import hashlib
import pathlib
import sys

import pytest

from tfwarpgan.data.layouts import layout
from tfwarpgan.data.records import beam, preparation
from tfwarpgan.errors import InputError

WITHOUT_BEAM = "Apache Beam is not installed: pip install 'tfwarpgan[beam]'"


def _hashes(prepared):
    folder = pathlib.Path(prepared.folder)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*tfrecord*")}


@pytest.mark.parametrize("in_parts", [False, True])
def test_direct_runner_makes_the_same_records(options, tmp_path, in_parts, monkeypatch):
    pytest.importorskip("apache_beam", reason=WITHOUT_BEAM)
    plain = preparation.prepare(options())
    if in_parts:
        monkeypatch.setattr(layout, "LARGE", 0)
        monkeypatch.setattr(layout, "PART", 1000)
    by_beam = preparation.prepare(
        options(prepared_dir=str(tmp_path / "beam")), 0, *beam.runner("DirectRunner", "direct_num_workers=1")
    )
    assert by_beam == dataclasses.replace(plain, folder=by_beam.folder)
    assert _hashes(by_beam) == _hashes(plain) and len(_hashes(plain)) == 2


def test_an_error_of_the_data_is_told_through_beam(options, market):
    pytest.importorskip("apache_beam", reason=WITHOUT_BEAM)
    picture = market / "bounding_box_train" / "0001_c1s1_000001_01.jpg"
    picture.write_bytes(picture.read_bytes()[:-200])
    with pytest.raises(InputError, match="0001_c1s1_000001_01.jpg cannot be read"):
        preparation.prepare(options(), 0, *beam.runner("DirectRunner"))


def test_an_unknown_runner_is_a_sentence():
    pytest.importorskip("apache_beam", reason=WITHOUT_BEAM)
    with pytest.raises(InputError, match="--beam_runner=NoRunner"):
        beam.runner("NoRunner")


def test_without_beam_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.setitem(sys.modules, "apache_beam.options.pipeline_options", None)
    with pytest.raises(InputError, match=r"tfwarpgan\[beam\]"):
        beam.runner("DirectRunner")
