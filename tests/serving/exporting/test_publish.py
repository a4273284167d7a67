"""A version appears whole or not at all, and is never written again."""

import os

import pytest
import tensorflow as tf

from tfwarpgan.errors import InputError
from tfwarpgan.serving.exporting import publish as publishing
from tfwarpgan.serving.exporting.check import SavedModelSession
from tfwarpgan.serving.exporting.publish import next_version, publish
from tfwarpgan.serving.wire.warmup import read_records, write_warmup


def test_versions_follow_each_other_and_answer(tmp_path, pipeline, parse, inputs):
    model = tmp_path / "people"
    first, report = publish(pipeline, str(model), parse=parse)
    second, _ = publish(pipeline, str(model), version=0)
    assert [first, second] == [str(model / "1"), str(model / "2")]
    assert sorted(os.listdir(model)) == ["1", "2"]
    assert set(report) == {"serving_default", "encoded", "photograph", "photograph_encoded"}
    assert all(found["largest"] <= 1 and found["rows"] == 0 for found in report.values())
    with SavedModelSession(second) as served:
        assert served("serving_default", inputs)["image"].shape == (3, 16, 8, 3)


def test_a_chosen_version_is_written_and_the_next_one_is_above(tmp_path, pipeline):
    path, _ = publish(pipeline, str(tmp_path), version=7)
    assert path == str(tmp_path / "7")
    (tmp_path / "notes").mkdir()
    assert next_version(str(tmp_path)) == 8


def test_the_first_version_is_1(tmp_path):
    assert next_version(str(tmp_path / "missing")) == 1


@pytest.mark.parametrize("there", ["folder", "full folder", "file"])
def test_a_version_is_never_overwritten(tmp_path, pipeline, there):
    version = tmp_path / "3"
    if there == "file":
        version.write_text("mine")
    else:
        version.mkdir()
        if there == "full folder":
            (version / "mine").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="never overwritten"):
        publish(pipeline, str(tmp_path), version=3)
    assert sorted(tmp_path.rglob("*")) == before


def test_while_it_is_written_no_version_can_be_seen(tmp_path, pipeline, monkeypatch):
    seen = []

    def watching(path, *parts):
        seen.extend(os.listdir(tmp_path))
        assert os.path.exists(os.path.join(path, "saved_model.pb"))
        return {}

    monkeypatch.setattr(publishing, "check", watching)
    publish(pipeline, str(tmp_path))
    assert len(seen) == 1 and not seen[0].isdecimal()
    assert os.listdir(tmp_path) == ["1"]


def test_two_exports_at_once_get_numbers_of_their_own(tmp_path, pipeline, monkeypatch):
    others = []

    def checked(*parts):
        if not others:
            others.append("")
            others[0] = publish(pipeline, str(tmp_path), batch_sizes=())[0]
        return {}

    monkeypatch.setattr(publishing, "check", checked)
    path, _ = publish(pipeline, str(tmp_path), batch_sizes=())
    assert [others[0], path] == [str(tmp_path / "1"), str(tmp_path / "2")]
    assert sorted(os.listdir(tmp_path)) == ["1", "2"]


def test_a_number_that_is_taken_in_the_last_moment_is_not_overwritten(tmp_path, pipeline, monkeypatch):
    def taken(source, target, rename=os.rename):
        if not (tmp_path / "1").exists():
            (tmp_path / "1").mkdir()
            (tmp_path / "1" / "theirs").write_text("")
        rename(source, target)

    monkeypatch.setattr(os, "rename", taken)
    monkeypatch.setattr(publishing, "check", lambda *parts: {})
    assert publish(pipeline, str(tmp_path), batch_sizes=())[0] == str(tmp_path / "2")
    assert os.listdir(tmp_path / "1") == ["theirs"]


def test_what_killed_exports_left_is_removed(tmp_path, pipeline, monkeypatch):
    monkeypatch.setattr(publishing, "check", lambda *parts: {})
    (tmp_path / ".writing-old" / "variables").mkdir(parents=True)
    (tmp_path / ".writing-old" / "saved_model.pb").write_bytes(b"half")
    publish(pipeline, str(tmp_path), batch_sizes=())
    assert os.listdir(tmp_path) == ["1"]


def test_a_version_is_on_the_disk_before_it_has_its_name(tmp_path, pipeline, monkeypatch):
    synced = []

    def fsync(descriptor, original=os.fsync):
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        original(descriptor)

    def rename(source, target, original=os.rename):
        written = {source, *(os.path.join(place, name) for place, *names in os.walk(source) for name in sum(names, []))}
        assert {os.path.join(source, "saved_model.pb"), os.path.join(source, "variables")} < written <= set(synced)
        original(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.setattr(publishing, "check", lambda *parts: {})
    publish(pipeline, str(tmp_path))
    assert synced[-1] == str(tmp_path)  # and then the name itself


@pytest.mark.parametrize("error", [RuntimeError("differs"), KeyboardInterrupt()])
def test_a_failed_check_leaves_nothing(tmp_path, pipeline, monkeypatch, error):
    def failing(*parts):
        raise error

    monkeypatch.setattr(publishing, "check", failing)
    with pytest.raises(type(error)):
        publish(pipeline, str(tmp_path))
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, pipeline, monkeypatch):
    def full(*parts, **options):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device\nmore")

    monkeypatch.setattr(tf.saved_model, "save", full)
    with pytest.raises(InputError, match="No space left on device") as caught:
        publish(pipeline, str(tmp_path))
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_file_in_the_way_is_one_sentence(tmp_path, pipeline):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        publish(pipeline, str(tmp_path / "file" / "model"))


def test_other_users_may_read_a_version(tmp_path, pipeline):
    path, _ = publish(pipeline, str(tmp_path))
    assert os.stat(path).st_mode & 0o555 == 0o555


def test_the_dimensions_are_named(tmp_path, pipeline):
    path, _ = publish(pipeline, str(tmp_path))
    with SavedModelSession(path) as served:
        signature = served.signatures["serving_default"]
        named = [[dim.name for dim in info.tensor_shape.dim] for info in signature.inputs.values()]
        assert ["batch", "height", "width", "channel"] in named and ["batch", "joint", "yx"] in named
        assert [dim.name for dim in signature.outputs["image"].tensor_shape.dim] == [
            "batch", "height", "width", "channel",
        ]  # fmt: skip


def test_two_exports_of_the_same_weights_have_one_identity(tmp_path, pipeline):
    first, second = (tf.saved_model.experimental.read_fingerprint(publish(pipeline, str(tmp_path))[0]) for _ in "12")
    assert first.singleprint() == second.singleprint()
    kernel = pipeline.convolution.kernel
    kernel.assign(kernel + 0.0)  # the same values
    before = kernel.numpy()
    kernel.assign(before * 1.5)
    try:
        third = tf.saved_model.experimental.read_fingerprint(publish(pipeline, str(tmp_path))[0])
    finally:
        kernel.assign(before)
    assert third.checkpoint_hash != first.checkpoint_hash


def test_each_signature_is_warmed_at_each_batch_size(tmp_path, pipeline, parse):
    path, _ = publish(pipeline, str(tmp_path / "people"), parse=parse, batch_sizes=(1, 4))
    requests = [record.predict_log.request for record in read_records(path)]
    found = {(each.model_spec.signature_name, _batch(each)) for each in requests}
    names = ("serving_default", "encoded", "photograph", "photograph_encoded")
    assert found == {(name, size) for name in names for size in (1, 4)} and len(requests) == 8
    assert {each.model_spec.name for each in requests} == {"people"}


def _batch(request):
    (size,) = {tensor.tensor_shape.dim[0].size for tensor in request.inputs.values()}
    return size


def test_without_batch_sizes_there_is_no_warm_up(tmp_path, pipeline):
    path, _ = publish(pipeline, str(tmp_path), batch_sizes=())
    assert not os.path.exists(os.path.join(path, "assets.extra"))


def test_a_warm_up_that_fails_is_not_published(tmp_path, pipeline, monkeypatch):
    def broken(folder, model, signatures, inputs, batch_sizes):
        write_warmup(folder, model, signatures, {**inputs, "image": inputs["image"][:, :8]}, batch_sizes)

    monkeypatch.setattr(publishing, "write_warmup", broken)
    with pytest.raises(tf.errors.InvalidArgumentError):
        publish(pipeline, str(tmp_path))
    assert os.listdir(tmp_path) == []
