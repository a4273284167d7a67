"""Convolutions of the frozen Inception graph of 2015, read from its constants; the graph is never run.

Its BatchNormWithGlobalNormalization is gone from today's TensorFlow, and is not needed: a convolution, the
normalization behind it and the classifier are followed back to their constants.
"""

import tarfile
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from tfwarpgan.errors import InputError
from tfwarpgan.typing import Array, Arrays

MEMBER = "classify_image_graph_def.pb"
BATCH_NORM_EPSILON = 0.001  # of Inception, in every one of its forms
BLOCKS = (
    "Mixed_5b", "Mixed_5c", "Mixed_5d", "Mixed_6a", "Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e", "Mixed_7a",
    "Mixed_7b", "Mixed_7c",
)  # fmt: skip
_FIRST = {"Conv2d_1a_3x3": "conv", "Conv2d_2a_3x3": "conv_1", "Conv2d_2b_3x3": "conv_2", "Conv2d_3b_1x1": "conv_3",
          "Conv2d_4a_3x3": "conv_4"}  # fmt: skip
_A = {"branch1x1": "conv", "branch5x5_1": "tower/conv", "branch5x5_2": "tower/conv_1",
      "branch3x3dbl_1": "tower_1/conv", "branch3x3dbl_2": "tower_1/conv_1", "branch3x3dbl_3": "tower_1/conv_2",
      "branch_pool": "tower_2/conv"}  # fmt: skip
_B = {"branch3x3": "conv", "branch3x3dbl_1": "tower/conv", "branch3x3dbl_2": "tower/conv_1",
      "branch3x3dbl_3": "tower/conv_2"}  # fmt: skip
_C = {"branch1x1": "conv", "branch7x7_1": "tower/conv", "branch7x7_2": "tower/conv_1", "branch7x7_3": "tower/conv_2",
      "branch7x7dbl_1": "tower_1/conv", "branch7x7dbl_2": "tower_1/conv_1", "branch7x7dbl_3": "tower_1/conv_2",
      "branch7x7dbl_4": "tower_1/conv_3", "branch7x7dbl_5": "tower_1/conv_4",
      "branch_pool": "tower_2/conv"}  # fmt: skip
_D = {"branch3x3_1": "tower/conv", "branch3x3_2": "tower/conv_1", "branch7x7x3_1": "tower_1/conv",
      "branch7x7x3_2": "tower_1/conv_1", "branch7x7x3_3": "tower_1/conv_2",
      "branch7x7x3_4": "tower_1/conv_3"}  # fmt: skip
_E = {"branch1x1": "conv", "branch3x3_1": "tower/conv", "branch3x3_2a": "tower/mixed/conv",
      "branch3x3_2b": "tower/mixed/conv_1", "branch3x3dbl_1": "tower_1/conv", "branch3x3dbl_2": "tower_1/conv_1",
      "branch3x3dbl_3a": "tower_1/mixed/conv", "branch3x3dbl_3b": "tower_1/mixed/conv_1",
      "branch_pool": "tower_2/conv"}  # fmt: skip
_OF_BLOCK = (_A, _A, _A, _B, _C, _C, _C, _C, _D, _E, _E)


def node_names() -> dict[str, str]:
    """Our name of a convolution -> the scope of its nodes in the graph."""
    names = dict(_FIRST)
    for number, (block, branches) in enumerate(zip(BLOCKS, _OF_BLOCK)):
        scope = f"mixed_{number}" if number else "mixed"
        names |= {f"{block}.{branch}": f"{scope}/{nodes}" for branch, nodes in branches.items()}
    return names


def read_graph_def(path: str) -> Arrays:
    """The arrays of the 2015 graph, in PyTorch's names and order of axes.

    Args:
        path: classify_image_graph_def.pb, or the .tgz that it came in.

    Raises:
        InputError: If it is another graph.
    """
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(_content(path))
    except (DecodeError, OSError, KeyError, tarfile.TarError) as error:
        raise InputError(f"{path} holds no whole GraphDef ({error}); fetch it again.") from None
    nodes = {node.name: node for node in graph.node}

    def constant(name: str) -> Array:
        node = nodes[name.partition(":")[0].removeprefix("^")]
        while node.op != "Const":  # Identity, CheckNumerics
            node = nodes[node.input[0].partition(":")[0]]
        return tf.make_ndarray(node.attr["value"].tensor)

    try:
        arrays: dict[str, Array] = {}
        for name, scope in node_names().items():
            normalization = next(node for node in _behind(graph, f"{scope}/Conv2D") if node.op.startswith("BatchNorm"))
            mean, variance, beta, gamma = map(constant, normalization.input[1:5])
            scales = normalization.attr["scale_after_normalization"].b
            arrays |= {
                f"{name}.conv.weight": constant(nodes[f"{scope}/Conv2D"].input[1]).transpose(3, 2, 0, 1),
                f"{name}.bn.running_mean": mean,
                f"{name}.bn.running_var": variance,
                f"{name}.bn.bias": beta,
                f"{name}.bn.weight": gamma if scales else gamma * 0 + 1,
            }
        arrays["fc.weight"] = constant(nodes["softmax/logits/MatMul"].input[1]).T
        arrays["fc.bias"] = constant("softmax/biases")
    except (KeyError, StopIteration, IndexError) as error:
        raise InputError(f"{path} is not Inception of 2015-12-05: it lacks {error}.") from None
    return arrays


def _behind(graph: Any, name: str) -> list[Any]:
    """The nodes that take a node's output."""
    return [node for node in graph.node if any(put.partition(":")[0] == name for put in node.input)]


def _content(path: str) -> bytes:
    if not tarfile.is_tarfile(path):
        with open(path, "rb") as file:
            return file.read()
    with tarfile.open(path) as archive:
        member = next(name for name in archive.getnames() if name.rpartition("/")[2] == MEMBER)
        content = archive.extractfile(member)
        return content.read() if content else b""
