"""The LIP data set (Gong et al., "Look into Person", CVPR 2017): the human parser's training pictures.

Layout, with the folder names doubled as the archives unpack, or single:

    TrainVal_images/[TrainVal_images/]{train,val}_images/NAME.jpg
    TrainVal_parsing_annotations/[TrainVal_parsing_annotations/]{train,val}_segmentations/NAME.png
    {train,val}_id.txt, at the top or in TrainVal_images

Any set of pictures with label maps can be brought into this layout, several merged: the names are free.
"""

import functools
import os

import tensorflow as tf

from tfwarpgan.body.label_mappings import to_lip
from tfwarpgan.data.batches import augmentation
from tfwarpgan.data.joints.pose_gan import read_lines
from tfwarpgan.data.pictures.files import PictureFile, inside
from tfwarpgan.data.pictures.images import read_rgb
from tfwarpgan.data.pictures.label_maps import read_label_map
from tfwarpgan.errors import InputError, refuse

LAYOUT = "LIP's layout: TrainVal_images, TrainVal_parsing_annotations, train_id.txt and val_id.txt"
PICTURES_IN_MEMORY = 10_000  # paths, not pixels: what the shuffle holds


def find_lip(lip_dir, *, label_mapping="lip_20", on_error=refuse):
    """The pictures of both splits, in the order of the id lists.

    Args:
        lip_dir: Folder of the data set.
        label_mapping: What the labels of its maps are, as `label_mappings.to_lip` takes it.
        on_error: Function of the `InputError` of a bad row; one that does not raise has the row left out.

    Returns:
        {"train": rows, "val": rows}; a row is (name, picture path, label map path).

    Raises:
        InputError: If the folder, an id list or a file that it names is missing.
    """
    root = os.path.expanduser(lip_dir)
    if not lip_dir or not os.path.isdir(root):
        raise InputError(
            f"--lip_dir={lip_dir} is no folder: get the single-person LIP data set (lip.sysuhcp.com), unpack its "
            f"TrainVal_images.zip and TrainVal_parsing_annotations.zip there and name that folder ({LAYOUT})."
        )
    labels = to_lip(label_mapping)
    return {split: _rows(root, split, labels, on_error) for split in ("train", "val")}


def _rows(root, split, table, on_error):
    id_list = _first_existing(root, [f"{split}_id.txt", f"TrainVal_images/{split}_id.txt"])
    pictures = _first_existing(root, _spellings("TrainVal_images", f"{split}_images"))
    labels = _first_existing(root, _spellings("TrainVal_parsing_annotations", f"{split}_segmentations"))
    rows = []
    for number, line in enumerate(read_lines(id_list, "a list of names"), 1):
        name = line.strip()
        if not name:
            continue
        try:
            picture, label_map = inside(pictures, f"{name}.jpg"), inside(labels, f"{name}.png")
            for path in (picture, label_map):
                if not os.path.isfile(path):
                    raise InputError(f"{path} is missing; unpack the data set anew.")
        except InputError as error:
            on_error(InputError(f"{id_list}, row {number}: {error}"))
            continue
        rows.append((name, picture, PictureFile(label_map, labels=table)))
    return rows


def _spellings(archive, folder):
    return [f"{archive}/{archive}/{folder}", f"{archive}/{folder}"]


def _first_existing(root, places):
    for place in places:
        if os.path.exists(os.path.join(root, place)):
            return os.path.join(root, place)
    raise InputError(f"--lip_dir={root} lacks {' or '.join(places)}; it must be in {LAYOUT}.")


def read_example(picture_path, labels_path, table=None):
    """A picture uint8 [H, W, 3] and its label map uint8 [H, W]; InputError if they cannot be read or differ in size."""
    picture = read_rgb(os.fsdecode(picture_path))
    return picture, read_label_map(PictureFile(os.fsdecode(labels_path), labels=table), picture.shape[:2])


def lip_dataset(data, split="train", *, start=0):
    """Batches for the human parser.

    "train" repeats for ever, shuffled; each picture is cropped to a random box around its person, mirrored half of the
    time and degraded as street cameras do. Any other split is one pass over val in order, each picture cropped to a
    fixed margin around its person, the last batch short.

    Args:
        data: `DataOptions`; of it lip_dir, lip_shares, height, width, batch_size and seed.
        split: "train", or "val" (also called "test").
        start: Pictures of the training stream that were consumed before: a resumed run goes on exactly there.

    Returns:
        tf.data.Dataset of {"image": float32 [B, H, W, 3] in [-1, 1], "parsing": uint8 [B, H, W], 255 ignored}.

    Raises:
        InputError: If the data set is incomplete or no name begins as a share says.
    """
    training = split == "train"
    rows = find_lip(data.lip_dir, label_mapping=data.lip_label_mapping)["train" if training else "val"]
    read = functools.partial(read_example, table=to_lip(data.lip_label_mapping))
    paths = _mixed(rows, data.shares_of_lip(), data.seed) if training else _paths(rows)
    return cropped_batches(
        paths, lambda *pair: tf.numpy_function(read, pair, [tf.uint8, tf.uint8]), data, training, start
    )


def cropped_batches(files, read, data, training, start=0):
    """Reads a stream of pictures and label maps, crops them around their persons, and batches them.

    Args:
        files: tf.data.Dataset of what `read` takes; for training endless and shuffled.
        read: Function in the graph that gives uint8 [H, W, 3] and uint8 [H, W].
        data: `DataOptions`; of it height, width, batch_size and seed.
        training: Whether crops are random and degraded.
        start: Pictures that were consumed before.

    Returns:
        As `lip_dataset`.
    """
    numbered = tf.data.Dataset.zip((tf.data.Dataset.counter(), files)).skip(start)

    def prepare(number, file):
        image, labels = read(*file)
        image, labels = tf.ensure_shape(image, [None, None, 3]), tf.ensure_shape(labels, [None, None])
        if training:
            seed = tf.stack([tf.constant(data.seed, tf.int64), number])
            image, labels = augmentation.augment(image, labels, data.height, data.width, seed)
        else:
            image, labels = augmentation.place_person(image, labels, data.height, data.width)
        return {"image": image * 2.0 - 1.0, "parsing": labels}

    examples = numbered.map(prepare, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return examples.batch(data.batch_size, drop_remainder=training).prefetch(tf.data.AUTOTUNE)


def _paths(rows):
    _, pictures, labels = zip(*rows)
    return tf.data.Dataset.from_tensor_slices((list(pictures), list(labels)))


def _mixed(rows, shares, seed):
    """Endless training pictures, of which each group of names has its share; without shares all are alike."""
    groups = [[row for row in rows if row[0].startswith(start)] for start in shares] if shares else [rows]
    for start, group in zip(shares, groups):
        if not group:
            raise InputError(f"--lip_shares: no name in the training list begins with '{start}'; see train_id.txt.")
    streams = [_paths(group).shuffle(min(len(group), PICTURES_IN_MEMORY), seed).repeat() for group in groups]
    if len(streams) == 1:
        return streams[0]
    return tf.data.Dataset.sample_from_datasets(streams, weights=list(shares.values()), seed=seed)
