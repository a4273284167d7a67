"""Training of UPIS' generator, there and back, without any image of the person in the target pose.

After Pumarola et al., "Unsupervised Person Image Synthesis in Arbitrary Poses", CVPR 2018, a reconstruction: the forms
and weights of the terms follow its successor by Song et al. (CVPR 2019).
"""

from collections.abc import Callable, Mapping

import tensorflow as tf
from tensorflow import keras

from tfwarpgan.models.image_pipeline import ImagePipeline
from tfwarpgan.models.inputs import pose_of
from tfwarpgan.options import LossOptions
from tfwarpgan.training.adversarial import weighted_sum
from tfwarpgan.training.losses import ADVERSARIAL, discriminator_loss
from tfwarpgan.training.style import joint_patches, style_loss
from tfwarpgan.training.trainer import Losses, Trainer
from tfwarpgan.typing import Batch, Features, Image, PoseMap, Scalar


class UnpairedGeneratorTrainer(Trainer):
    """Trains `unpaired_generator`, against `discriminator` where the adversarial loss has a weight.

    Of the condition image I the generator makes F in the target pose, and of F the image C in the pose of I. F and C
    are to pass for real, to be in their poses (as `pose_detector` sees it), C to be like I in its content, and F like I
    and like C in the style round each joint.

    Args:
        networks: Dictionary of `unpaired_generator` and, unless that weight is 0, `discriminator`.
        pipeline: The `ImagePipeline` of the same generator.
        pose_detector: The trained detector, or None where the pose has weight 0.
        losses: `LossOptions`.
        features: Function of images [B, H, W, 3] in [-1, 1] -> the features that content and style compare.
    """

    means = ("adversarial", "pose", "content", "style", "discriminator")

    def __init__(
        self,
        networks: Mapping[str, keras.Model],
        pipeline: ImagePipeline,
        pose_detector: keras.Model,
        losses: LossOptions,
        features: Callable[[Image], Features],
    ) -> None:
        super().__init__(networks)
        self.pipeline, self.pose_detector, self.features = pipeline, pose_detector, features
        self.adversarial_form = losses.adversarial
        self.weights_of_terms = {
            "adversarial": losses.lambda_adversarial,
            "pose": losses.lambda_pose,
            "content": losses.lambda_content,
            "style": losses.lambda_style,
        }

    def losses(self, batch: Batch) -> Losses:
        given = self.pipeline.conditions(batch)
        image, poses = given["condition_image"], {"condition": pose_of(batch, "condition", self.pipeline.data_options)}
        poses["target"] = given["target_pose"]
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            there = self.pipeline.generate(given, training=True)["image"]
            back_given = {"condition_image": there, "target_pose": poses["condition"]}
            back = self.pipeline.generate(back_given, training=True)["image"]
            terms = self._terms(batch, image, there, back, poses)
            losses = {}
            if "discriminator" in self.networks:
                on_real, on_there, on_back = (
                    self.networks["discriminator"]({"image": judged}, training=True)["scores"]
                    for judged in (image, there, back)
                )
                loss = ADVERSARIAL[self.adversarial_form]
                terms["adversarial"] = loss(on_there, 1.0) + loss(on_back, 1.0)
                of_judge = discriminator_loss(on_real, on_there, on_back, form=self.adversarial_form)
                losses["discriminator"] = (of_judge, discriminator_tape)
            total = weighted_sum(terms, self.weights_of_terms)
        logged = {**terms, "discriminator": of_judge} if losses else terms
        return Losses({"unpaired_generator": (total, generator_tape), **losses}, logged)

    def _terms(
        self, batch: Batch, image: Image, there: Image, back: Image, poses: Mapping[str, PoseMap]
    ) -> dict[str, Scalar]:
        terms = {}
        if self.weights_of_terms["pose"]:
            terms["pose"] = self._pose_distance(there, poses["target"]) + self._pose_distance(back, poses["condition"])
        if self.weights_of_terms["content"] or self.weights_of_terms["style"]:
            of_image, of_there, of_back = (self.features(made) for made in (image, there, back))
        if self.weights_of_terms["content"]:
            terms["content"] = tf.reduce_mean(tf.square(tf.cast(of_back - of_image, tf.float32)))
        if self.weights_of_terms["style"]:
            patches = {
                name: joint_patches(features, batch[f"{side}_keypoints"], image.shape[1])
                for name, features, side in (
                    ("image", of_image, "condition"),
                    ("there", of_there, "target"),
                    ("back", of_back, "condition"),
                )  # fmt: skip
            }
            seen = batch["condition_visible"] & batch["target_visible"]
            terms["style"] = style_loss(patches["there"], patches["image"], seen) + style_loss(
                patches["there"], patches["back"], seen
            )
        return terms

    def _pose_distance(self, image: Image, pose: PoseMap) -> Scalar:
        return tf.reduce_mean(tf.square(self.pose_detector({"image": image})["pose"] - pose))
