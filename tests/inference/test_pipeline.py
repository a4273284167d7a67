"""Networks of this process on arrays, with and without a human parser."""

import numpy as np
import pytest
import tensorflow as tf

from tfwarpgan.inference.pipeline import LocalPipeline, with_human_parser


class Labels:
    """A pipeline whose image shows the labels, a tenth of them."""

    height, width, inputs = 4, 2, ("condition_image", "condition_parsing")

    def __call__(self, batch):
        return {"image": tf.repeat(tf.cast(batch["condition_parsing"], tf.float32)[..., None] / 10, 3, axis=-1)}


def parse(images):
    """Hat where an image is bright, else hair."""
    return tf.where(images[..., :1] > 0, tf.one_hot([1], 20), tf.one_hot([2], 20))


def test_the_human_parser_labels_the_whole_batch():
    pipeline = with_human_parser(lambda batch: batch, parse)
    images = tf.stack([-tf.ones([4, 2, 3]), tf.ones([4, 2, 3])])
    batch = pipeline({"condition_image": images, "target_visible": "kept"})
    np.testing.assert_array_equal(batch["condition_parsing"], np.broadcast_to([[[2]], [[1]]], [2, 4, 2]))
    assert batch["condition_parsing"].dtype == tf.uint8 and batch["target_visible"] == "kept"


@pytest.mark.parametrize("rows", [1, 3])
def test_labels_that_are_given_win(rows):
    pipeline = LocalPipeline(Labels(), parse)
    assert (pipeline.height, pipeline.width, pipeline.labels) == (4, 2, True)
    batch = {"condition_image": np.ones([rows, 4, 2, 3], np.float32)}
    np.testing.assert_allclose(pipeline.draw(batch), np.full([rows, 4, 2, 3], 0.1), rtol=1e-6)
    batch["condition_parsing"] = np.full([rows, 4, 2], 5, np.uint8)
    np.testing.assert_allclose(pipeline.draw(batch), np.full([rows, 4, 2, 3], 0.5), rtol=1e-6)
    assert not LocalPipeline(Labels()).labels
