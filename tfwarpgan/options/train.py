"""Options of the course of a run."""

import dataclasses
import re

from tfwarpgan.errors import InputError
from tfwarpgan.options.option import option

STAGES = (
    "human_parser",
    "pose_guided_parser",
    "geometric_matcher",
    "warping_generator",
    "coarse_generator",
    "image_generator",
    "pose_detector",
    "unpaired_generator",
)


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
    coarse_steps: int = option(22000, "Training steps of the coarse generator of --model=pg2.", minimum=1)
    detector_steps: int = option(20000, "Training steps of the pose detector of --model=upis.", minimum=1)
    generator_steps: int = option(200000, "Training steps of the generator.", minimum=1)
    stop_at: int = option(
        0,
        "Step of each stage at which it stops, saved, as if it had been interrupted; 0: none. Replays a run's history.",
        minimum=0,
    )
    deterministic: bool = option(
        False, "The same weights, bit by bit, each time on the same machine; slower, and not on every GPU operation."
    )
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
        "Share of a stage's steps after which the learning rate decays to 0; 1 means never.",
        minimum=0,
        maximum=1,
    )
    decay: str = option(
        "linear",
        "How the learning rate decays after --decay_from: in a straight line or as half a cosine.",
        choices=("linear", "cosine"),
    )
    warmup_steps: int = option(0, "First steps of a stage, over which the learning rate rises to its value.", minimum=0)
    halve_every: int = option(0, "Steps after which the learning rate is halved, again and again; 0: never.", minimum=0)
    clip_norm: float = option(
        0.0, "Largest norm of the gradients of a network, all its weights together; larger ones are scaled down to it. "
        "0: any.", minimum=0,
    )  # fmt: skip
    accumulate: int = option(
        1, "Batches of --batch_size whose gradients make one step: as a batch that many times as large, in the memory "
        "of one.", minimum=1,
    )  # fmt: skip
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
    recompute: bool = option(
        False, "Compute what is inside the residual blocks of stage I and of the generator again for their gradients, "
        "instead of keeping it: less memory, more time.",
    )  # fmt: skip
    jit_compile: bool = option(False, "Compile the training step with XLA (one device only).")
    log_every: int = option(100, "Steps between two log entries.", minimum=1)
    pictures_every: int = option(1000, "Steps between two image grids.", minimum=1)
    checkpoint_every: int = option(1000, "Steps between two checkpoints.", minimum=1)
    keep_checkpoints: int = option(2, "Checkpoints to keep per stage.", minimum=1)
    validate_every: int = option(
        1000, "Steps between two validations, scores on test pairs; the checkpoint of the best is kept. 0: none.",
        minimum=0,
    )  # fmt: skip
    validation_pairs: int = option(
        256, "Test pairs of a validation, or images of LIP, always the same; a split with fewer gives all.", minimum=1
    )
    patience: int = option(
        0, "Validations in a row without a better score after which a stage is finished early; 0: never.", minimum=0
    )
    checkpoint: str = option(
        "last",
        "Checkpoint that evaluate, export, synthesize and later stages use: 'last', 'best' by the validation score, or "
        "the number of a step that is kept.",
    )
    profile_steps: str = option("", "First and last step to profile, such as 100,110; default: none.")

    def __post_init__(self) -> None:
        if self.matcher_pretraining_steps > self.matcher_steps:
            raise InputError(
                f"--matcher_pretraining_steps={self.matcher_pretraining_steps} must not exceed "
                f"--matcher_steps={self.matcher_steps}."
            )
        if self.decay == "cosine" and self.decay_from == 1.0:
            raise InputError(
                "--decay=cosine needs --decay_from, the share of a stage's steps after which it begins: 0."
            )
        if self.patience and not self.validate_every:
            raise InputError(f"--patience={self.patience} needs --validate_every, the steps between two validations.")
        if not re.fullmatch(r"last|best|[0-9]{1,12}", self.checkpoint):
            raise InputError(f"--checkpoint={self.checkpoint} must be last, best or the number of a step.")
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
            "coarse_generator": self.coarse_steps,
            "image_generator": self.generator_steps,
            "pose_detector": self.detector_steps,
            "unpaired_generator": self.generator_steps,
        }[stage]


@dataclasses.dataclass(frozen=True)
class WorkerOptions:
    """Several machines. A run does not keep them: it may go on with more workers or fewer."""

    workers: str = option(
        "", "Addresses host:port of all processes that train together, separated by commas; the first one writes the "
        "run. Default: those of TF_CONFIG, or this process alone.",
    )  # fmt: skip
    worker: int = option(-1, "Which of --workers this process is, from 0.", minimum=-1)
    communication: str = option(
        "auto",
        "How workers add up their gradients: in a ring over TCP, or by NCCL between GPUs.",
        choices=("auto", "ring", "nccl"),
    )
