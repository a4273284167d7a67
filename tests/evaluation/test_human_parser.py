"""The human parser's score against a count by hand."""

import json

import pytest
import tensorflow as tf

from tfwarpgan.evaluation.human_parser import evaluate_human_parser, write_human_parser_report


def test_scores_by_hand(tmp_path):
    labels = tf.constant([[[0, 0], [5, 255]]], tf.uint8)
    guess = tf.one_hot([[[0, 5], [5, 9]]], 20)
    dataset = tf.data.Dataset.from_tensors({"image": tf.zeros([1, 2, 2, 3]), "parsing": labels}).repeat(2)
    metrics = evaluate_human_parser(lambda images: guess, dataset)
    assert metrics["iou"]["background"] == 0.5 and metrics["iou"]["upper-clothes"] == 0.5
    assert metrics["iou"]["hat"] is None
    assert metrics["mean_iou"] == 0.5
    assert metrics["pixel_accuracy"] == pytest.approx(2 / 3) and metrics["pixels"] == 6
    path, table = write_human_parser_report(metrics, str(tmp_path))
    assert json.load(open(path)) == metrics
    assert "upper-clothes    0.500" in table and "hat                  -" in table
