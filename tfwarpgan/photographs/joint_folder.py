"""Joints for a folder of images that has none, as the CSV that data sets are read with."""

import sys

import numpy as np
from tqdm import tqdm

from tfwarpgan.body.joints import NUM_JOINTS, scale
from tfwarpgan.data.joints.pose_gan import annotation_row
from tfwarpgan.data.pictures.files import files_below
from tfwarpgan.data.pictures.images import read_photograph
from tfwarpgan.errors import InputError
from tfwarpgan.photographs.estimator import Estimator, NoPerson
from tfwarpgan.storage.writing import write_atomically

HEADER = "name:keypoints_y:keypoints_x"


def annotate_joints(estimator: Estimator, image_dir: str, annotation: str) -> tuple[int, int]:
    """Finds the joints of one person on every image of a folder and its subfolders.

    Args:
        estimator: `Estimator`.
        image_dir: The folder.
        annotation: CSV file to write, whole or not at all: `name:keypoints_y:keypoints_x`, the names as they are below
            the folder, joints in pixels of the image, -1 where one is missing, as all are where nobody was found.

    Returns:
        Numbers of images (with a person, without).

    Raises:
        InputError: If there is no image, or one cannot be read; or the file cannot be written.
    """
    files = files_below(image_dir)
    if not files:
        raise InputError(f"--image_dir={image_dir} contains no image.")
    rows, nobody = [HEADER], 0
    for name, path in tqdm(files.items(), unit="image", file=sys.stderr):
        pixels, size = read_photograph(path)
        try:
            joints, visible = estimator.pose(pixels, path)
        except NoPerson:
            joints, visible = np.zeros((NUM_JOINTS, 2)), np.zeros(NUM_JOINTS, bool)
            nobody += 1
        used = (pixels.shape[0], pixels.shape[1])
        rows.append(annotation_row(name, scale(joints, visible, used, size), visible))
    write_atomically(annotation, "\n".join(rows) + "\n")
    return len(files) - nobody, nobody
