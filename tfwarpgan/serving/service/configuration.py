"""The files that configure a service, in protobuf's text format, as TensorFlow Serving reads them."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from google.protobuf import text_format

from tfwarpgan.errors import InputError
from tfwarpgan.serving.service.batching import BatchingOptions
from tfwarpgan.serving.wire import messages
from tfwarpgan.serving.wire.statuses import ServingError

if TYPE_CHECKING:
    from tfwarpgan.serve import ServeOptions

METRICS_PATH = "/monitoring/prometheus/metrics"
SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
UNSUPPORTED_BATCHING = ("enable_large_batch_splitting", "max_execution_batch_size")


@dataclasses.dataclass(frozen=True)
class Configuration:
    """What the files and arguments of a service say; see `read`.

    Attributes:
        models: `ModelConfigList`.
        batching: `BatchingOptions`.
        ssl: `SSLConfig`, or None.
        metrics_path: Path of the metrics' page, or None.
        channel_arguments: (name, value) pairs.
    """

    models: messages.ModelConfigList
    batching: BatchingOptions
    ssl: messages.SSLConfig | None
    metrics_path: str | None
    channel_arguments: list[tuple[str, str | int]]


def read(options: ServeOptions) -> Configuration:
    """The `Configuration` of `tfwarpgan.serve.ServeOptions`.

    Raises:
        InputError: If something in it is wrong.
    """
    if options.model_config_file:
        models = parse_models(content(options.model_config_file), options.model_config_file)
    elif os.path.isdir(os.path.expanduser(options.model_base_path)):
        models = single_model(options.model_name, options.model_base_path)
        _checked(models, f"--model_base_path={options.model_base_path}")
    else:
        raise InputError(
            f"--model_base_path={options.model_base_path} is not a folder; name the one with the model's versions."
        )
    return Configuration(
        models=models,
        batching=batching_options(options.batching_parameters_file),
        ssl=ssl_config(options.ssl_config_file),
        metrics_path=metrics_path(options.monitoring_config_file if options.rest_api_port else ""),
        channel_arguments=channel_arguments(options.grpc_channel_arguments),
    )


def content(path: str) -> str:
    """The text of a file.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise InputError(f"{path} cannot be read ({reason}).") from None


def parse(text: str, message: type[Any], path: str) -> Any:
    """The message of a text, of the type of `message`.

    Raises:
        InputError: If it is not such a message.
    """
    try:
        return text_format.Parse(text, message())
    except text_format.ParseError as error:
        name = message.DESCRIPTOR.full_name
        raise InputError(f"{path}: Error parsing text-format {name}: {error}; correct the file.") from None


def parse_models(text: str, path: str) -> messages.ModelConfigList:
    """The `ModelConfigList` of the text of a model configuration file.

    Raises:
        InputError: If the text cannot be parsed, or lists impossible models.
    """
    config = parse(text, messages.ModelServerConfig, path)
    if config.WhichOneof("config") != "model_config_list":
        raise InputError(f"{path} contains no model_config_list; name the models in one.")
    _checked(config.model_config_list, path)
    return config.model_config_list


def single_model(name: str, base_path: str) -> messages.ModelConfigList:
    """The `ModelConfigList` of one model, its highest version served."""
    base_path = os.path.abspath(os.path.expanduser(base_path))
    return messages.ModelConfigList(config=[{"name": name, "base_path": base_path, "model_platform": "tensorflow"}])


def _checked(models: messages.ModelConfigList, source: str) -> None:
    try:
        check_models(models)
    except ServingError as error:
        raise InputError(f"{source}: {error.text}") from None


def check_models(config_list: messages.ModelConfigList) -> None:
    """Refuses a `ModelConfigList` that cannot be served.

    Raises:
        ServingError: With the reason.
    """
    names = set()
    for config in config_list.config:
        if not config.name or not config.base_path:
            raise _invalid(f"Each model needs a name and a base_path; got name '{config.name}'.")
        if config.name in names:
            raise _invalid(f"Illegal to list model {config.name} multiple times in config list")
        names.add(config.name)
        _check_base_path(config.name, config.base_path)
        is_tensorflow = config.model_type == messages.ModelType.Value("TENSORFLOW")
        if config.model_platform != "tensorflow" and (config.model_platform or not is_tensorflow):
            raise _invalid(f"Model {config.name} needs model_platform: 'tensorflow'; got '{config.model_platform}'.")


def _check_base_path(name: str, path: str) -> None:
    if not os.path.isabs(path) and "://" not in path:
        raise _invalid(f"Expected model {name} to have an absolute path or URI; got base_path()={path}")
    if not any(os.path.isfile(os.path.join(path, file)) for file in SAVED_MODEL_FILES):
        return
    if any(child.isdecimal() for child in os.listdir(path)):
        return
    path = path.rstrip("/")
    if os.path.basename(path).isdecimal():
        remedy = f"name the folder of the versions, {os.path.dirname(path)}"
    else:
        remedy = f"move it into a subfolder whose name is a number, such as {path}/1"
    raise _invalid(f"The base_path of model {name}, {path}, is itself a version (a SavedModel); {remedy}.")


def batching_options(path: str) -> BatchingOptions:
    """The `BatchingOptions` of a batching parameters file; of an empty path, the defaults.

    Raises:
        InputError: If the file cannot be parsed, or sets something impossible.
    """
    if not path:
        return BatchingOptions()
    parameters = parse(content(path), messages.BatchingParameters, path)
    for name in UNSUPPORTED_BATCHING:
        if parameters.HasField(name) and getattr(parameters, name).value:
            raise InputError(f"{path}: {name} is not supported here; leave it out, or raise max_batch_size.")
    values = {
        name: getattr(parameters, name).value
        for name in ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
        if parameters.HasField(name)
    }
    return BatchingOptions(
        **values,
        allowed_batch_sizes=tuple(parameters.allowed_batch_sizes),
        pad_variable_length_inputs=parameters.pad_variable_length_inputs,
    )


def metrics_path(path: str) -> str | None:
    """Where a monitoring file wants the metrics, or None where it does not, or is not given.

    Raises:
        InputError: If the file cannot be parsed.
    """
    if not path:
        return None
    config = parse(content(path), messages.MonitoringConfig, path).prometheus_config
    return (config.path or METRICS_PATH) if config.enable else None


def ssl_config(path: str) -> messages.SSLConfig | None:
    """The `SSLConfig` of a file, which holds keys and certificates themselves; None for an empty path.

    Raises:
        InputError: If the file cannot be parsed, or lacks a part.
    """
    if not path:
        return None
    config = parse(content(path), messages.SSLConfig, path)
    if "-----BEGIN" not in config.server_key or "-----BEGIN" not in config.server_cert:
        raise InputError(f"{path}: server_key and server_cert must hold a key and a certificate in PEM format.")
    if config.client_verify and not config.custom_ca:
        raise InputError(f"{path}: client_verify needs custom_ca, the certificate authority of the clients.")
    return config


def channel_arguments(text: str) -> list[tuple[str, str | int]]:
    """(name, value) pairs of --grpc_channel_arguments, `name=value,name=value`; whole numbers become such.

    Raises:
        InputError: If a part has no `=`.
    """
    arguments = []
    for part in filter(None, map(str.strip, text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"--grpc_channel_arguments={text}: '{part}' must be written name=value.")
        is_number = value.removeprefix("-").isdecimal()
        arguments.append((name, int(value) if is_number else value))
    return arguments


def _invalid(text: str) -> ServingError:
    return ServingError("INVALID_ARGUMENT", text)
