"""Options of the course of a run."""

import dataclasses
import re

from tfwarpgan.errors import InputError
from tfwarpgan.options.option import option

STAGES = ("human_parser", "pose_guided_parser", "geometric_matcher", "warping_generator")


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    """The course of a run."""

    run_dir: str = option("", "Folder of the run, with its options, checkpoints and TensorBoard logs.")
    stage: str = option(
        "all", "Stage to train; 'all' trains every stage except the human parser, in order.", choices=("all", *STAGES)
    )
    stages_from: str = option(
        "",
        "Earlier runs, separated by commas, whose finished stages before the generator are copied instead of trained.",
    )
    human_parser_steps: int = option(60000, "Training steps of the human parser.", minimum=1)
    parser_steps: int = option(100000, "Training steps of the pose-guided parser.", minimum=1)
    matcher_pretraining_steps: int = option(20000, "Training steps of the matcher on random warps.", minimum=0)
    matcher_steps: int = option(40000, "Training steps of the matcher, including those on random warps.", minimum=1)
    generator_steps: int = option(200000, "Training steps of the warping generator.", minimum=1)
    learning_rate: float = option(2e-4, "Learning rate of Adam.", minimum=0)
    discriminator_learning_rate: float = option(
        0.0,
        "Learning rate of the discriminators; 0 uses --learning_rate. A lower one keeps them from winning early.",
        minimum=0,
    )
    beta_1: float = option(0.5, "Decay rate of Adam's first moment.", minimum=0, maximum=0.9999)
    beta_2: float = option(0.999, "Decay rate of Adam's second moment.", minimum=0, maximum=0.9999)
    decay_from: float = option(
        1.0,
        "Share of a stage's steps after which the learning rate decays linearly to 0; 1 means never.",
        minimum=0,
        maximum=1,
    )
    ema: float = option(
        0.0,
        "Decay of a running mean of the trained network's weights, such as 0.999, which evaluate, export and later "
        "stages then use; 0: none.",
        minimum=0,
        maximum=0.99999,
    )
    parsing_source: str = option(
        "synthesized",
        "Target parsing for the generator: the pose-guided parser's, or the true one, as an upper bound for studies.",
        choices=("synthesized", "ground_truth"),
    )
    precision: str = option(
        "float32",
        "Precision policy of Keras; auto: mixed_bfloat16 where the GPU or the processor computes with it.",
        choices=("float32", "mixed_bfloat16", "mixed_float16", "auto"),
    )
    jit_compile: bool = option(False, "Compile the training step with XLA (one device only).")
    log_every: int = option(100, "Steps between two log entries.", minimum=1)
    pictures_every: int = option(1000, "Steps between two image grids (and two scores of the human parser).", minimum=1)
    checkpoint_every: int = option(1000, "Steps between two checkpoints.", minimum=1)
    keep_checkpoints: int = option(2, "Checkpoints to keep per stage.", minimum=1)
    profile_steps: str = option("", "First and last step to profile, such as 100,110; default: none.")

    def __post_init__(self) -> None:
        if self.matcher_pretraining_steps > self.matcher_steps:
            raise InputError(
                f"--matcher_pretraining_steps={self.matcher_pretraining_steps} must not exceed "
                f"--matcher_steps={self.matcher_steps}."
            )
        if self.profile_steps:
            steps = re.fullmatch(r"([0-9]+),([0-9]+)", self.profile_steps)
            if not steps or not 1 <= int(steps[1]) <= int(steps[2]):
                raise InputError(f"--profile_steps={self.profile_steps} must be two steps a,b with 1 <= a <= b.")

    def steps_of(self, stage: str) -> int:
        """Steps of a stage in a run of these options."""
        return {
            "human_parser": self.human_parser_steps,
            "pose_guided_parser": self.parser_steps,
            "geometric_matcher": self.matcher_steps,
            "warping_generator": self.generator_steps,
        }[stage]
