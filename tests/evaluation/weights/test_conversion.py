"""Public files as npz: names, axes, normalization multiplied in, checked sums, and the frozen graph of 2015."""

import hashlib
import json
import struct

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan import convert as command
from tfwarpgan.errors import InputError
from tfwarpgan.evaluation.weights import conversion, known
from tfwarpgan.evaluation.weights.conversion import convert, load_weights
from tfwarpgan.evaluation.weights.graph_def import node_names, read_graph_def
from tfwarpgan.evaluation.weights.safetensors import read_safetensors


def write_safetensors(path, tensors):
    header, start = {"__metadata__": {"format": "pt"}}, 0
    for name, array in tensors.items():
        kind = {"float32": "F32", "float16": "F16"}[array.dtype.name]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [start, start + array.nbytes]}
        start += array.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(array.tobytes() for array in tensors.values()))
    return str(path)


def trunk_tensors(network, seed=0):
    """Tensors of a trunk with two channels for each convolution."""
    random = np.random.default_rng(seed)
    tensors = {}
    for name in conversion._CONVOLUTIONS[network]:
        tensors[f"{name}.weight"] = random.normal(size=(2, 3, 3, 1)).astype(np.float32)
        tensors[f"{name}.bias"] = random.normal(size=2).astype(np.float32)
    return {**tensors, "classifier.6.weight": np.zeros((10, 4), np.float32)}


def knows(monkeypatch, network, path):
    digest = hashlib.sha256(open(path, "rb").read()).hexdigest()
    facts = known.NETWORKS[network]
    monkeypatch.setitem(known.NETWORKS, network, known.Network(facts.use, facts.file, (digest,)))
    return digest


@pytest.mark.parametrize("network", ["alexnet", "vgg16", "squeezenet"])
def test_a_known_file_becomes_arrays(tmp_path, monkeypatch, network):
    tensors = trunk_tensors(network)
    path = write_safetensors(tmp_path / "net.safetensors", tensors)
    digest = knows(monkeypatch, network, path)
    assert convert(path, str(tmp_path / "out")) == (network, str(tmp_path / "out" / f"{network}.npz"))
    weights = load_weights(network, str(tmp_path / "out"))
    assert (weights.source, weights.sha256, weights.verified) == ("net.safetensors", digest, True)
    assert str(weights) == f"net.safetensors sha256:{digest[:12]}"
    assert len(weights.arrays) == 2 * len(conversion._CONVOLUTIONS[network])  # without the classifier
    kernel, theirs = weights.arrays["features.0/kernel"], tensors["features.0.weight"]
    assert kernel.shape == (3, 1, 3, 2) and kernel[2, 0, 1, 0] == theirs[0, 1, 2, 0]
    np.testing.assert_array_equal(weights.arrays["features.0/bias"], tensors["features.0.bias"])


def test_an_unknown_sum_is_refused_unless_it_is_asked_for(tmp_path):
    path = write_safetensors(tmp_path / "net.safetensors", trunk_tensors("alexnet"))
    with pytest.raises(
        InputError, match="has the layers of alexnet but not the sha256 .* expected alexnet-owt-7be5be79"
    ):
        convert(path, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    convert(path, str(tmp_path / "out"), unverified=True)
    assert str(load_weights("alexnet", str(tmp_path / "out"))).endswith("(not a known sum)")


def test_vgg_of_keras_is_refused(tmp_path):
    np.savez(tmp_path / "vgg16.npz", **{"block1_conv1/kernel": np.zeros(1)})
    with pytest.raises(InputError, match="VGG16 of Keras, .* heads of LPIPS and DISTS were fitted to torchvision's"):
        convert(str(tmp_path / "vgg16.npz"), str(tmp_path), unverified=True)


def test_other_files_are_one_sentence(tmp_path):
    path = write_safetensors(tmp_path / "other.safetensors", {"a": np.zeros(3, np.float32)})
    with pytest.raises(InputError, match="holds none of the networks inception_2015,"):
        convert(path, str(tmp_path))
    path = write_safetensors(tmp_path / "heads.safetensors", {"lin0.model.1.weight": np.zeros(3, np.float32)})
    with pytest.raises(InputError, match="holds heads, which tfwarpgan brings along"):
        convert(path, str(tmp_path))
    with pytest.raises(InputError, match=r"nothing\.pth is missing"):
        convert(str(tmp_path / "nothing.pth"), str(tmp_path))
    with pytest.raises(InputError, match=r"alexnet\.npz is missing; lpips/alex-0.1, .* python -m tfwarpgan.convert"):
        load_weights("alexnet", str(tmp_path))
    (tmp_path / "alexnet.npz").write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(InputError, match="is not a readable npz file of weights; convert it again"):
        load_weights("alexnet", str(tmp_path))
    with pytest.raises(InputError, match=r"--file is missing; give one of: .*alexnet-owt-7be5be79\.pth"):
        command.main(command.ConvertOptions())


def test_the_command_says_what_it_wrote(tmp_path, monkeypatch, capsys):
    path = write_safetensors(tmp_path / "net.safetensors", trunk_tensors("squeezenet"))
    knows(monkeypatch, "squeezenet", path)
    command.main(command.ConvertOptions(file=path, metric_weights=str(tmp_path)))
    assert capsys.readouterr().out.startswith(f"{tmp_path}/squeezenet.npz: squeezenet of net.safetensors sha256:")


def test_safetensors_types_and_damage(tmp_path):
    half = np.array([1.5, -2], np.float32)
    header = json.dumps({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}).encode()
    numbers = (half.view(np.uint32) >> 16).astype("<u2").tobytes()
    (tmp_path / "a").write_bytes(struct.pack("<Q", len(header)) + header + numbers)
    np.testing.assert_array_equal(read_safetensors(str(tmp_path / "a"))["a"], half)
    for content in (b"", b"\x00" * 8, struct.pack("<Q", len(header)) + header, b"\xff" * 16):
        (tmp_path / "a").write_bytes(content)
        with pytest.raises(InputError, match="is not a whole safetensors file|is not"):
            read_safetensors(str(tmp_path / "a"))


def normalized(tensors, name, x):
    """A convolution at one position and its batch normalization, written out."""
    y = (tensors[f"{name}.conv.weight"] * x).sum(axis=(1, 2, 3))
    parts = (tensors[f"{name}.bn.{part}"] for part in ("weight", "bias", "running_mean", "running_var"))
    gamma, beta, mean, variance = parts
    return gamma * (y - mean) / np.sqrt(variance + 0.001) + beta


def test_normalization_is_multiplied_in(tmp_path, tiny_inception):
    tensors = tiny_inception(width=2)
    convert(write_safetensors(tmp_path / "i.safetensors", tensors), str(tmp_path), unverified=True)
    arrays = load_weights("inception_2015", str(tmp_path)).arrays
    for name in ("Conv2d_1a_3x3", "Mixed_6c.branch7x7_2"):
        x = np.random.default_rng(1).normal(size=tensors[f"{name}.conv.weight"].shape[1:])
        found = (arrays[f"{name}/kernel"] * x.transpose(1, 2, 0)[..., None]).sum(axis=(0, 1, 2)) + arrays[
            f"{name}/bias"
        ]
        np.testing.assert_allclose(found, normalized(tensors, name, x), rtol=1e-5)
    np.testing.assert_array_equal(arrays["fc/kernel"], tensors["fc.weight"].T)


def test_classes_tell_the_inceptions_apart(tmp_path, tiny_inception):
    for classes, network in ((1008, "inception_2015"), (1000, "inception_torchvision")):
        path = write_safetensors(tmp_path / "i.safetensors", tiny_inception(classes=classes))
        assert convert(path, str(tmp_path), unverified=True)[0] == network


def frozen_graph(tensors, scales=True):
    """A graph with the nodes of 2015's, built node by node: constants behind identities, and its old normalization."""
    graph = tf.compat.v1.GraphDef()

    def node(name, op, inputs=(), array=None):
        made = graph.node.add(name=name, op=op, input=inputs)
        if array is not None:
            made.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(array))
        return made

    def constant(name, array):
        node(f"{name}/constant", "Const", array=np.ascontiguousarray(array))
        node(name, "Identity", [f"{name}/constant"])

    node("input", "Placeholder")
    for name, scope in node_names().items():
        constant(f"{scope}/conv2d_params", tensors[f"{name}.conv.weight"].transpose(2, 3, 1, 0))
        node(f"{scope}/Conv2D", "Conv2D", ["input", f"{scope}/conv2d_params"])
        parts = {"moving_mean": "running_mean", "moving_variance": "running_var", "beta": "bias", "gamma": "weight"}
        for theirs, ours in parts.items():
            constant(f"{scope}/batchnorm/{theirs}", tensors[f"{name}.bn.{ours}"])
        inputs = [f"{scope}/Conv2D", *(f"{scope}/batchnorm/{theirs}" for theirs in parts)]
        made = node(f"{scope}/batchnorm", "BatchNormWithGlobalNormalization", inputs)
        made.attr["scale_after_normalization"].b = scales
    constant("softmax/weights", tensors["fc.weight"].T)
    constant("softmax/biases", tensors["fc.bias"])
    node("softmax/logits/MatMul", "MatMul", ["pool_3/_reshape", "softmax/weights"])
    return graph


def test_the_graph_of_2015_gives_the_same_arrays_as_the_torch_file(tmp_path, tiny_inception):
    tensors = tiny_inception()
    (tmp_path / "classify_image_graph_def.pb").write_bytes(frozen_graph(tensors).SerializeToString())
    found = read_graph_def(str(tmp_path / "classify_image_graph_def.pb"))
    assert set(found) == {name for name in tensors}
    for name, array in found.items():
        np.testing.assert_array_equal(array, tensors[name])
    assert convert(str(tmp_path / "classify_image_graph_def.pb"), str(tmp_path), unverified=True)[0] == "inception_2015"


def test_a_graph_without_scale_and_other_graphs(tmp_path, tiny_inception):
    path = tmp_path / "graph.pb"
    path.write_bytes(frozen_graph(tiny_inception(), scales=False).SerializeToString())
    assert np.all(read_graph_def(str(path))["Conv2d_1a_3x3.bn.weight"] == 1)
    path.write_bytes(tf.compat.v1.GraphDef().SerializeToString())
    with pytest.raises(InputError, match="is not Inception of 2015-12-05: it lacks"):
        read_graph_def(str(path))
    path.write_bytes(b"no graph")
    with pytest.raises(InputError, match="holds no whole GraphDef"):
        read_graph_def(str(path))
