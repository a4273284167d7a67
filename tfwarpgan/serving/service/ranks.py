"""Ranks that a graph cannot take, found before it runs.

TensorFlow's session compares nothing that is fed with the declared shapes, and TensorFlow Serving runs whatever comes;
most operations then run, or fail alone. Some, convolutions first of all, end the whole process over a wrong rank. What
they demand is written in their shape functions, which TensorFlow calls while a graph is built: so the part of the graph
that a request needs is built once more, with inputs of the ranks that were sent, and never run.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import tensorflow as tf
from tensorflow.python.framework import function_def_to_graph

Fed: TypeAlias = tuple[str, int, int]  # name of the tensor, its DataType, the rank that is fed
REMEMBERED = 1024  # answers; clients choose what is asked
# Shape functions of calls look into the called functions by themselves, those of control flow do not.
FIRST_ARGUMENT = {
    **{"If": 1, "StatelessIf": 1, "Case": 1, "StatelessCase": 1, "While": 0, "StatelessWhile": 0},
    **{"PartitionedCall": 0, "StatefulPartitionedCall": 0},
}
SHAPES = "_output_shapes"  # an attribute with the shapes of the time of tracing


class Ranks:
    """What a graph takes; `ranks.fit(fed, fetches)`."""

    def __init__(self, graph_def: Callable[[], Any]) -> None:
        """The ranks of a graph, whose `GraphDef` the function gives."""
        self._graph_def = graph_def
        self.fit = functools.lru_cache(REMEMBERED)(self._fit)

    def _fit(self, fed: frozenset[Fed], fetches: tuple[str, ...]) -> bool:
        """Whether the shape functions of all that is needed for some tensors take inputs of these ranks.

        Args:
            fed: (name of a tensor, DataType, rank) of each input.
            fetches: Names of the tensors that are wanted.
        """
        graph_def = self._graph_def()
        functions = {function.signature.name: function for function in graph_def.library.function}
        for part in _with_attributes(graph_def):
            part.attr.pop(SHAPES, None)
        needed = _needed(graph_def, {name for name, _, _ in fed}, fetches)
        with tf.Graph().as_default() as graph:
            inputs = {name: tf.compat.v1.placeholder(dtype, [None] * rank) for name, dtype, rank in fed}
            try:
                tf.import_graph_def(needed, {name: inputs[name] for name in _used(needed, inputs)}, name="needed")
                _descend(graph, functions)
            except (ValueError, tf.errors.OpError):  # what a shape function says against it
                return False
        return True


def _with_attributes(graph_def: Any) -> Iterator[Any]:
    """All nodes of a graph and its functions, and the functions' arguments."""
    yield from graph_def.node
    for function in graph_def.library.function:
        yield from function.node_def
        yield from function.arg_attr.values()


def _needed(graph_def: Any, fed: set[str], fetches: Iterable[str]) -> Any:
    """The `GraphDef` of what is computed for the fetches where some tensors are fed."""
    nodes = {node.name: node for node in graph_def.node}
    found, waiting = set(), list(fetches)
    while waiting:
        name = waiting.pop()
        node = name.removeprefix("^").partition(":")[0]
        if node in found or node not in nodes or _tensor(name) in fed:
            continue
        found.add(node)
        waiting += nodes[node].input
    needed = tf.compat.v1.GraphDef(versions=graph_def.versions, library=graph_def.library)
    needed.node.extend(node for node in graph_def.node if node.name in found)
    return needed


def _used(graph_def: Any, names: Iterable[str]) -> set[str]:
    """Those of the tensors that some node takes; import_graph_def refuses the others."""
    return {_tensor(name) for node in graph_def.node for name in node.input} & set(names)


def _tensor(name: str) -> str:
    return name if ":" in name or name.startswith("^") else f"{name}:0"


def _descend(graph: Any, functions: Mapping[str, Any]) -> None:
    """Builds what control flow calls with the shapes that it is called with.

    Raises:
        ValueError: If a shape function does not take them.
    """
    for operation in graph.get_operations():
        if operation.type not in FIRST_ARGUMENT:
            continue
        arguments = operation.inputs[FIRST_ARGUMENT[operation.type] :]
        shapes = [None if tensor.dtype == tf.resource else tensor.shape for tensor in arguments]
        for value in operation.node_def.attr.values():
            for name in [value.func.name, *(function.name for function in value.list.func)]:
                if name in functions:
                    body = function_def_to_graph.function_def_to_graph(
                        functions[name], input_shapes=shapes, include_library_functions=True
                    )
                    _descend(body, functions)
