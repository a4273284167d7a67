"""All that a run depends on."""

import dataclasses

from tfwarpgan.errors import InputError
from tfwarpgan.options.data import (
    DATA_SET,
    BatchOptions,
    DataOptions,
    DatasetOptions,
    SizeOptions,
)
from tfwarpgan.options.losses import LossOptions
from tfwarpgan.options.networks import NetworkOptions
from tfwarpgan.options.systems import SYSTEMS
from tfwarpgan.options.train import TrainOptions

RUN_FLAGFILE = "options.flags"


@dataclasses.dataclass(frozen=True)
class Options:
    """All that a run depends on."""

    data: DataOptions = DataOptions()
    networks: NetworkOptions = NetworkOptions()
    losses: LossOptions = LossOptions()
    train: TrainOptions = TrainOptions()

    @property
    def sees_parsings(self) -> bool:
        """Whether a network of a run or a loss of it reads label maps."""
        weighs = self.losses.person_weight != 1.0 or self.losses.head_weight not in (0.0, 1.0)
        return "condition_parsing" in self.networks.inputs or weighs or not self.losses.judge_background


def stages_of(options: Options) -> tuple[str, ...]:
    """The stages of a run of all stages, in order: those that its generator does not use are left out."""
    networks, unused = options.networks, set()
    if "target_parsing" not in networks.generator_keys:
        unused.add("pose_guided_parser")
    if networks.warp != "matched":
        unused.add("geometric_matcher")
    return tuple(stage for stage in SYSTEMS[networks.model].stages if stage not in unused)


# The parts of `Options`, in the order in which --help lists them.
PARTS = (TrainOptions, DatasetOptions, SizeOptions, BatchOptions, LossOptions, NetworkOptions, *DATA_SET[1:])


def check_places(options: Options) -> None:
    """Refuses a training that does not say where its run goes, or whose stage and data set do not fit.

    Args:
        options: `Options`.

    Raises:
        InputError: Naming the flag that is missing or must be left out.
    """
    if not options.train.run_dir:
        raise InputError("--run_dir is missing: name the folder of the run.")
    system = SYSTEMS[options.networks.model]
    stages = system.stages
    unknown = [f"--{name}=0" for name in system.without if getattr(options.losses, name)]
    if unknown:
        raise InputError(f"--model={options.networks.model} has no such losses: give {' '.join(unknown)}.")
    if options.train.stage not in ("all", "human_parser", *stages):
        raise InputError(
            f"--stage={options.train.stage} is no stage of --model={options.networks.model}; its stages are: "
            f"{', '.join(stages)}."
        )
    if options.data.dataset == "lip" and options.train.stage != "human_parser":
        raise InputError("--dataset=lip has no pairs and only trains --stage=human_parser; choose another --dataset.")
