"""A version of a model in memory: a SavedModel in a session, as TensorFlow Serving loads and runs it.

The session is that of TensorFlow 1, whose codes and texts a client then sees. It is run below its Python interface,
which would compare shapes before the runtime does, and has no timeout per run.
"""

import dataclasses
import gc
import itertools
import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import tensorflow as tf
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.saved_model import loader_impl

from tfwarpgan.serving.service.ranks import Ranks
from tfwarpgan.serving.wire import messages, tensors
from tfwarpgan.serving.wire.statuses import ServingError, serving_error
from tfwarpgan.typing import Array, Arrays

DEFAULT_SIGNATURE = "serving_default"
Shape: TypeAlias = tuple[int, ...] | None
INITIALIZATION = "__saved_model_init_op"  # listed among the signatures, and none


@dataclasses.dataclass(frozen=True)
class Signature:
    """A signature, ready to run.

    Attributes:
        name: Its own.
        definition: Its `SignatureDef`.
        inputs: Names of the tensors by the names of the inputs.
        outputs: Names of the tensors by the names of the outputs.
        shapes: Declared ones of the inputs: sizes, -1 for any; None where the rank is not known.
        defaults: Arrays of the inputs that a request may leave out.
    """

    name: str
    definition: messages.SignatureDef
    inputs: dict[str, str]
    outputs: dict[str, str]
    shapes: dict[str, Shape]
    defaults: dict[str, Array]


class Servable:
    """A loaded version of a model: `name`, `version`, and its `signatures` by name."""

    def __init__(
        self,
        name: str,
        version: int,
        path: str,
        config: tf.compat.v1.ConfigProto = None,
        tags: Sequence[str] = (tf.saved_model.SERVING,),
    ) -> None:
        """Loads a SavedModel.

        Args:
            name: Of the model.
            version: Its number.
            path: Folder of the SavedModel.
            config: `tf.compat.v1.ConfigProto` of the session, or None.
            tags: Of the graph to load.

        Raises:
            ServingError: With the reason, if it cannot be loaded.
        """
        self.name, self.version, self.path = name, version, path
        self._runs = itertools.count(1)
        self._graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=self._graph, config=config)
        try:
            with self._graph.as_default():
                loaded = loader_impl.SavedModelLoader(path).load(self._session, list(tags))
            self.signatures = {
                key: _signature(key, definition)
                for key, definition in sorted(loaded.signature_def.items())
                if key != INITIALIZATION
            }
            self._tensors = self._find_tensors()
            self._ranks = Ranks(lambda: self._graph.as_graph_def())  # not held once closed
        except Exception as error:
            self.close()
            if isinstance(error, tf.errors.OpError):
                raise serving_error(error) from None
            raise ServingError("INVALID_ARGUMENT", f"{path} cannot be loaded: {error}") from None

    def signature(self, name: str) -> Signature | None:
        """The signature of a name, the default one for an empty name; None where there is none."""
        return self.signatures.get(name or DEFAULT_SIGNATURE)

    def check_ranks(self, signature: Signature, arrays: Arrays, outputs: Iterable[str]) -> None:
        """Refuses inputs of a rank that the graph cannot take, since an operation might end the process over it.

        Sizes are left to the graph, and so is any other rank than the declared one that it takes.

        Args:
            signature: One of this model's.
            arrays: By name of the input, of the right types.
            outputs: Names of the outputs that will be computed.

        Raises:
            ServingError: If it cannot take one of them.
        """
        others = [name for name, array in arrays.items() if array.ndim != _rank(signature.shapes[name])]
        if not others:
            return
        infos = signature.definition.inputs
        fed = frozenset((signature.inputs[name], infos[name].dtype, array.ndim) for name, array in arrays.items())
        if not self._ranks.fit(fed, tuple(signature.outputs[name] for name in outputs)):
            name = others[0]
            expected, got = _shown(signature.shapes[name]), _shown(arrays[name].shape)
            text = f"Shape of input {name} {got} is not compatible with expected shape {expected}."
            raise ServingError("INVALID_ARGUMENT", text)

    def run(self, feeds: Arrays, fetches: Sequence[str], timeout: float | None = None) -> list[Array]:
        """Runs the graph.

        Args:
            feeds: Arrays by the names of tensors.
            fetches: Names of tensors.
            timeout: Seconds, or None.

        Returns:
            List of arrays.

        Raises:
            ServingError: With TensorFlow's code and text.
        """
        for name in [*feeds, *fetches]:
            if name not in self._tensors:
                text = f"Tensor {name}, specified in either feed_devices or fetch_devices was not found in the Graph"
                raise ServingError("NOT_FOUND", text)
        options = _run_options(timeout) if timeout is not None else None
        feed_dict = {self._tensors[name]: array for name, array in feeds.items()}
        try:
            with tf.profiler.experimental.Trace("predict", step_num=next(self._runs), _r=1):  # a step of a profile
                values = self._session._call_tf_sessionrun(
                    options, feed_dict, [self._tensors[name] for name in fetches], [], None
                )
                return [tensors.as_array(value) for value in values]  # of a single string the session gives its bytes
        except UnicodeDecodeError as error:  # TensorFlow's text quotes an input's bytes, and its code is lost with it
            raise ServingError("INVALID_ARGUMENT", error.object.decode(errors="replace")) from None
        except Exception as error:
            raise serving_error(error) from None
        finally:
            if options is not None:
                pywrap_tf_session.TF_DeleteBuffer(options)

    def close(self) -> None:
        """Frees what the model holds; runs must be over."""
        self._session.close()
        self._session = self._graph = None
        self._tensors = {}
        gc.collect()  # graphs refer to themselves

    def _find_tensors(self) -> dict[str, Any]:
        names = {
            name
            for signature in self.signatures.values()
            for name in [*signature.inputs.values(), *signature.outputs.values()]
            if name  # a sparse tensor has none, and cannot be fed as one
        }
        return {name: self._graph.get_tensor_by_name(name)._as_tf_output() for name in names}


def fingerprint(path: str) -> tuple[tuple[str, int, int], ...]:
    """The state of a folder: names, sizes and times of its files; it changes when something in it does."""
    found = []
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                status = os.stat(os.path.join(folder, name))
            except OSError:
                continue
            found.append((os.path.relpath(os.path.join(folder, name), path), status.st_size, status.st_mtime_ns))
    return tuple(sorted(found))


def _rank(shape: Shape) -> int | None:
    return None if shape is None else len(shape)


def _shown(shape: Shape) -> str:
    return "<unknown>" if shape is None else f"[{','.join('?' if size < 0 else str(size) for size in shape)}]"


def _run_options(timeout: float) -> Any:
    options = tf.compat.v1.RunOptions(timeout_in_ms=max(1, int(timeout * 1000)))
    return pywrap_tf_session.TF_NewBufferFromString(options.SerializeToString())


def _signature(name: str, definition: Any) -> Signature:
    ours = messages.SignatureDef.FromString(definition.SerializeToString())
    shapes = {
        name: None if info.tensor_shape.unknown_rank else tuple(dim.size for dim in info.tensor_shape.dim)
        for name, info in ours.inputs.items()
    }
    return Signature(
        name=name,
        definition=ours,
        inputs={name: ours.inputs[name].name for name in sorted(ours.inputs)},
        outputs={name: ours.outputs[name].name for name in sorted(ours.outputs)},
        shapes=shapes,
        defaults={name: tensors.from_proto(proto) for name, proto in ours.defaults.items()},
    )
