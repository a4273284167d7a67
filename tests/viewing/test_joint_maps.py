"""Maps of joints as pictures."""

import numpy as np

from tfwarpgan.viewing.joint_maps import joint_map_columns

PICTURES = np.zeros([1, 4, 6, 3], np.uint8)


def test_masks_and_parts():
    masks = np.zeros([1, 3, 4, 6])
    masks[0, 0] = masks[0, 1, 0] = masks[0, 2, 1] = 1
    columns = joint_map_columns({"condition_mask": masks[:, 1, ..., None], "masks": masks, "other": masks}, PICTURES)
    assert set(columns) == {"condition mask", "body parts"}
    mask, parts = columns["condition mask"][0], columns["body parts"][0]
    assert (mask[0] == 255).all() and (mask[1:] == 0).all()
    # The first, all of the image, is not drawn; each other one has its color.
    assert (parts[2:] == 0).all() and parts[0, 0].any() and parts[1, 0].any() and (parts[0, 0] != parts[1, 0]).any()


def test_boxes_that_are_seen():
    boxes = np.array([[[0, 0, 0.5, 0.5], [0.5, 0.5, 0.75, 0.9]]])
    drawn = joint_map_columns({"boxes": boxes, "seen": np.array([[1.0, 0.0]])}, PICTURES)["regions"][0]
    assert drawn[0, 0].any() and drawn[2, 3].any() and not drawn[3].any() and not PICTURES.any()


def test_crops_lie_in_rows_of_three():
    crops = np.concatenate([np.full([1, 4, 2, 3], value) for value in (-1.0, 0, 1, 0.5)], axis=-1)
    sheet = joint_map_columns({"crops": crops, "stickman": np.ones([1, 4, 6, 3])}, PICTURES)["part crops"][0]
    assert sheet.shape == (8, 6, 3)
    assert [sheet[0, 0, 0], sheet[0, 2, 0], sheet[0, 4, 0], sheet[4, 0, 0], sheet[4, 2, 0]] == [0, 128, 255, 191, 255]
