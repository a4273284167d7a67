"""Soft-Gated Warping-GAN for pose-guided person image synthesis, in TensorFlow/Keras.

import tfwarpgan

people = tfwarpgan.load("people")
image = people.synthesize("person.jpg", joints, "labels.png")
"""

import os
from typing import TYPE_CHECKING, Any

from tfwarpgan.errors import InputError

if TYPE_CHECKING:
    from tfwarpgan.inference.synthesizer import Synthesizer

__all__ = ["InputError", "__version__", "load"]
__version__ = "0.1.0"
ADDRESS = "grpc://"


def load(source: "str | os.PathLike[str]", model: str = "", *, human_parser_run_dir: str = "") -> "Synthesizer":
    """A trained model, ready to draw; what is needed for it, such as TensorFlow, is imported only now.

    Args:
        source: Where the model is, the first of these that fits:
            `grpc://host:port`: a server of exported models, called without TensorFlow;
            a folder with options.flags: a run of `tfwarpgan.train`;
            a folder with saved_model.pb: a version that `tfwarpgan.export` wrote;
            a folder of such versions, named by numbers: the newest, which is the highest number;
            a name of released weights, such as "people".
        model: With `grpc://`: name of the model on the server; default: "people". For versions by label, or TLS, make
            a `Synthesizer(ServerOptions(...).connect())`.
        human_parser_run_dir: Of a run or released weights: run of a trained human parser, which then labels images
            that come without a label map. A SavedModel or a server has it in the export, or not.

    Returns:
        `tfwarpgan.inference.synthesizer.Synthesizer`, with `synthesize`, `size` and `signature`.

    Raises:
        InputError: If `source` is none of these, the model cannot be loaded, or a package is missing.
    """
    from tfwarpgan.inference.synthesizer import Synthesizer

    source = os.path.expanduser(os.fspath(source))
    try:
        if source.startswith(ADDRESS):
            return Synthesizer(_of_server(source, model, human_parser_run_dir))
        return Synthesizer(_of_this_machine(source, model, human_parser_run_dir))
    except ModuleNotFoundError as error:
        if error.name != "tensorflow":
            raise
        raise InputError(
            f"TensorFlow is not installed, which {source} needs: pip install 'tfwarpgan[tensorflow]' brings it."
        ) from None


def _of_server(source: str, model: str, human_parser_run_dir: str) -> Any:
    from tfwarpgan.serving.remote import ServerOptions

    _refuse(source, human_parser_run_dir=human_parser_run_dir)
    names: dict[str, Any] = {"server_model": model} if model else {}
    return ServerOptions(server=source.removeprefix(ADDRESS), **names).connect()


def _of_this_machine(source: str, model: str, human_parser_run_dir: str) -> Any:
    from tfwarpgan.flagfiles import is_run, run_options
    from tfwarpgan.inference.released import released_folder, released_names
    from tfwarpgan.options import RUN_FLAGFILE

    _refuse(source, model=model)
    trained = is_run(source)
    exported = "" if trained else _exported(source)
    if exported:
        from tfwarpgan.serving.exporting.loading import SavedModelPipeline

        _refuse(source, human_parser_run_dir=human_parser_run_dir)
        return SavedModelPipeline(exported)
    if not trained and source not in released_names():
        raise InputError(
            f"{source} cannot be loaded: it is not the folder of a run (with {RUN_FLAGFILE}), nor of an exported model "
            f"(with saved_model.pb or numbered versions), nor released weights ({', '.join(released_names())}), nor "
            f"{ADDRESS}host:port."
        )
    from tfwarpgan.inference.loading import load_local

    weights = "" if trained else source
    return load_local(run_options(released_folder(weights) if weights else source), weights, human_parser_run_dir)


def _exported(source: str) -> str:
    """The folder of a SavedModel: the source itself, or its newest version; empty: there is none."""
    if _is_saved_model(source):
        return source
    if not os.path.isdir(source):
        return ""
    from tfwarpgan.serving.service.versions import versions_on_disk

    versions = {number: path for number, path in versions_on_disk(source).items() if _is_saved_model(path)}
    return versions[max(versions)] if versions else ""


def _is_saved_model(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, "saved_model.pb"))


def _refuse(source: str, **arguments: str) -> None:
    """Refuses an argument that would have no effect."""
    for name, value in arguments.items():
        if value:
            raise InputError(f"{name}={value} has no effect on {source}; leave it out.")
