"""Apache Beam, for data sets that are larger than one machine: the same records, made by a cluster."""

from tfwarpgan.errors import InputError


def runner(name, options=""):
    """A runner and its options, as tensorflow-datasets takes them.

    Args:
        name: Name of the runner, as "DirectRunner", "FlinkRunner" or "DataflowRunner".
        options: The runner's options, as "name=value,name=value".

    Returns:
        (name, `PipelineOptions`).

    Raises:
        InputError: If Beam is not installed, or has no such runner.
    """
    try:
        from apache_beam.options.pipeline_options import PipelineOptions
        from apache_beam.runners.runner import create_runner
    except ImportError:
        raise InputError(
            f"--beam_runner={name} needs Apache Beam; install it by pip install 'tfwarpgan[beam]'."
        ) from None
    try:
        create_runner(name)
    except (AttributeError, ImportError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"--beam_runner={name} cannot be used ({reason}); DirectRunner can everywhere.") from None
    return name, PipelineOptions([f"--{option.strip()}" for option in options.split(",") if option.strip()])
