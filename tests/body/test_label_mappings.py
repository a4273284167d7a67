"""Every label of every mapping, and the label maps that are read through one."""

import numpy as np
import pytest
from PIL import Image

from tfwarpgan.body import label_mappings
from tfwarpgan.body.labels import LABELS
from tfwarpgan.data.pictures import label_maps
from tfwarpgan.data.pictures.files import ImageFile
from tfwarpgan.errors import InputError

TO_LIP = {
    "atr_18": {
        "background": "background", "hat": "hat", "hair": "hair", "sunglasses": "sunglasses",
        "upper-clothes": "upper-clothes", "skirt": "skirt", "pants": "pants", "dress": "dress", "belt": "pants",
        "left-shoe": "left-shoe", "right-shoe": "right-shoe", "face": "face", "left-leg": "left-leg",
        "right-leg": "right-leg", "left-arm": "left-arm", "right-arm": "right-arm", "bag": "background",
        "scarf": "scarf",
    },
    "cihp_20": {name: name for name in LABELS if name != "jumpsuits"} | {"torso-skin": "face"},
    "adgan_8": {
        "background": "background", "pants": "pants", "hair": "hair", "skirt": "skirt", "face": "face",
        "upper-clothes": "upper-clothes", "arms": "left-arm", "legs": "left-leg",
    },
    "lip_20": {name: name for name in LABELS},
}  # fmt: skip

FROM_LIP = {  # what the other set has no label of the same name for
    "atr_18": {"glove": "upper-clothes", "coat": "upper-clothes", "socks": "pants", "jumpsuits": "dress"},
    "cihp_20": {"jumpsuits": "dress"},
    "adgan_8": {
        "hat": "hair", "glove": "arms", "sunglasses": "face", "dress": "upper-clothes", "coat": "upper-clothes",
        "socks": "legs", "jumpsuits": "upper-clothes", "scarf": "upper-clothes", "left-arm": "arms",
        "right-arm": "arms", "left-leg": "legs", "right-leg": "legs", "left-shoe": "legs", "right-shoe": "legs",
    },
    "lip_20": {},
}  # fmt: skip


@pytest.mark.parametrize("name", label_mappings.MAPPINGS)
def test_every_label_by_its_name(name):
    mapping = label_mappings.MAPPINGS[name]
    to_lip = {label: LABELS[place] for label, place in zip(mapping.labels, mapping.to_lip)}
    assert to_lip == TO_LIP[name] and len(mapping.to_lip) == len(mapping.labels) == int(name.split("_")[1])
    from_lip = {label: mapping.labels[place] for label, place in zip(LABELS, mapping.from_lip)}
    assert from_lip == {label: FROM_LIP[name].get(label, label) for label in LABELS}


@pytest.mark.parametrize("name", label_mappings.MAPPINGS)
def test_going_to_lip_and_back_changes_only_what_lip_lacks(name):
    mapping = label_mappings.MAPPINGS[name]
    labels = np.arange(len(mapping.labels), dtype=np.uint8)
    again = label_mappings.translate(label_mappings.translate(labels, mapping.to_lip), mapping.from_lip)
    changed = {mapping.labels[place] for place in labels[again != labels]}
    assert changed == {"atr_18": {"belt", "bag"}, "cihp_20": {"torso-skin"}}.get(name, set())


@pytest.mark.parametrize("mode", ["L", "P"])
def test_a_map_is_read_through_its_mapping(tmp_path, mode):
    image = Image.fromarray(np.arange(18, dtype=np.uint8).reshape(3, 6))
    if mode == "P":
        image = image.convert("P")
        image.putpalette(list(np.random.default_rng(0).integers(0, 256, 768)))
    image.save(tmp_path / "a.png")
    path = ImageFile(str(tmp_path / "a.png"), labels=label_mappings.to_lip("atr_18"))
    expected = label_mappings.translate(np.arange(18).reshape(3, 6), label_mappings.MAPPINGS["atr_18"].to_lip)
    np.testing.assert_array_equal(label_maps.read_label_map(path, (3, 6)), expected)
    with pytest.raises(InputError, match="label 17; with this --label_mapping, labels are 0 to 7"):
        label_maps.read_label_map(ImageFile(path, labels=label_mappings.to_lip("adgan_8")))


def test_an_own_list():
    assert label_mappings.to_lip("0, 13,5") == (0, 13, 5)
    assert label_mappings.to_lip("lip_20") is None
    for text in ("", "lip", "0,20", "0,,1", "-1", "0,1.5", "0," * 400 + "0", "٣"):
        with pytest.raises(InputError, match="one of lip_20, atr_18, cihp_20, adgan_8"):
            label_mappings.to_lip(text)
