"""Plots the scalars of runs from their event files.

    python tools/curves.py --runs=runs/people --output=curves.png

Needs `pip install '.[docs]'`. A row a run, a column a stage; learning rates and speeds are left out.
"""

import collections
import os

from absl import app, flags

flags.DEFINE_list("runs", [], "Folders of runs.")
flags.DEFINE_list("titles", [], "A title for each run; its folder's name where it is missing.")
flags.DEFINE_string("output", "curves.png", "The picture.")
FLAGS = flags.FLAGS

STAGES = ("pose_guided_parser", "geometric_matcher", "warping_generator")
LEFT_OUT = ("learning_rate", "images_per_second")


def scalars(run_dir):
    """Stage -> name -> (steps, values), over all event files of a run."""
    import tensorflow as tf

    found = collections.defaultdict(lambda: collections.defaultdict(dict))
    events = [os.path.join(run_dir, name) for name in os.listdir(run_dir) if "tfevents" in name]
    for path in sorted(events, key=os.path.getmtime):
        for event in tf.compat.v1.train.summary_iterator(path):
            for value in event.summary.value:
                stage, _, name = value.tag.partition("/")
                array = tf.make_ndarray(value.tensor)
                if array.ndim == 0 and name not in LEFT_OUT:
                    found[stage][name][event.step] = float(array)  # a resumed run's value replaces the lost one's
    return {
        stage: {name: tuple(zip(*sorted(points.items()), strict=True)) for name, points in names.items()}
        for stage, names in found.items()
    }


def main(argv):
    """Draws the plot."""
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument '{argv[1]}'.")
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(FLAGS.runs), 3, figsize=(13, 3.4 * len(FLAGS.runs)), squeeze=False)
    for row, run_dir in enumerate(FLAGS.runs):
        title = FLAGS.titles[row] if row < len(FLAGS.titles) else os.path.basename(run_dir)
        stages = scalars(run_dir)
        for axis, stage in zip(axes[row], STAGES, strict=True):
            for name, (steps, values) in sorted(stages.get(stage, {}).items()):
                axis.plot(steps, values, label=name, linewidth=1.2)
            axis.set_title(f"{title}: {stage.replace('_', ' ')}", fontsize=10)
            axis.set_xlabel("step", fontsize=8)
            axis.set_ylim(bottom=0)
            axis.tick_params(labelsize=8)
            axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(FLAGS.output, dpi=90)


if __name__ == "__main__":
    app.run(main)
