"""Makes released weights of a run: `python tools/release.py --run_dir=runs/people --name=people`.

For those who maintain the package: the result is the folder `tfwarpgan/weights/<name>` that `--weights=<name>` reads. A
run of a human parser becomes its folder `human_parser`, and labels images for these weights.
"""

import dataclasses
import json
import os

import tfwarpgan
from tfwarpgan.command_line import run_command
from tfwarpgan.flagfiles import run_flagfile, to_flagfile
from tfwarpgan.options import RUN_FLAGFILE, DataOptions, LossOptions, Options, option


@dataclasses.dataclass(frozen=True)
class ReleaseOptions:
    """What is released."""

    name: str = option("people", "Name of the release.")


def main(options, release):
    """Writes the weights, the options that rebuild the networks, where its people stand, and its metrics."""
    from tfwarpgan.data.joints.stature import stature_of, write_stature
    from tfwarpgan.inference.loading import load_pipeline, load_trained
    from tfwarpgan.inference.released import PARSER_FOLDER, WEIGHTS_FILE, save_weights
    from tfwarpgan.models import build
    from tfwarpgan.training.history import comments

    folder = os.path.join(os.path.dirname(tfwarpgan.__file__), "weights", release.name)
    stage = options.train.stage
    if stage == "human_parser":
        folder = os.path.join(folder, PARSER_FOLDER)
        networks = {stage: load_trained(build.human_parser(options, first_weights=False), options, stage)}
    else:
        stage, networks = "all", load_pipeline(options).networks
    os.makedirs(folder, exist_ok=True)
    save_weights(os.path.join(folder, WEIGHTS_FILE), networks)
    # The folders of this machine are nobody else's.
    train = dataclasses.replace(options.train, run_dir="", stage=stage, checkpoint="last")
    losses = dataclasses.replace(options.losses, perceptual_weights=LossOptions().perceptual_weights)
    defaults = {name: getattr(DataOptions(), name) for name in ("data_dir", "parsing_dir", "prepared_dir", "lip_dir")}
    data = dataclasses.replace(options.data, **defaults)
    with open(run_flagfile(options.train.run_dir)) as file:
        history = comments(file.read())
    with open(os.path.join(folder, RUN_FLAGFILE), "w") as file:
        file.write(history + to_flagfile(dataclasses.replace(options, data=data, losses=losses, train=train)))
    if stage == "all":
        write_stature(folder, stature_of(options.train.run_dir))
    metrics = os.path.join(os.path.expanduser(options.train.run_dir), "evaluation", "metrics.json")
    if os.path.exists(metrics):
        with open(metrics) as file:
            found = json.load(file) | {"weights": release.name}
        with open(os.path.join(folder, "metrics.json"), "w") as file:
            json.dump(found, file, indent=2)
    size = os.path.getsize(os.path.join(folder, WEIGHTS_FILE)) / 1e6
    print(f"Released {folder}: {size:.1f} MB.")


def cli():
    """The command."""
    run_command(main, Options, ReleaseOptions, takes=("run_dir", "checkpoint"), reads_run=True)


if __name__ == "__main__":
    cli()
