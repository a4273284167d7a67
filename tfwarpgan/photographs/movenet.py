"""MoveNet's SavedModel, fetched once by the client of its publisher, Kaggle, and the same ever after.

The client checks what it transfers, and keeps it in its own cache; the version is named. The sha256 of the files that
came first is written down, and files that are other ones later are refused.
"""

import hashlib
import importlib.util
import json
import os

from tfwarpgan.errors import InputError
from tfwarpgan.photographs.notes import note
from tfwarpgan.storage.writing import write_atomically

HANDLE = "google/movenet/tensorFlow2/singlepose-thunder/4"
RECORD = "~/.cache/tfwarpgan/movenet.json"
GIVEN = (
    "give --pose_estimator=DIR, the folder of MoveNet's SavedModel (https://www.kaggle.com/models/google/movenet, "
    "TensorFlow 2, singlepose-thunder), or the joints themselves"
)


def is_at_hand() -> bool:
    """Whether MoveNet was fetched, or its publisher's client is installed."""
    return bool(_record()) or importlib.util.find_spec("kagglehub") is not None


def fetched_movenet() -> str:
    """The folder of MoveNet, which is fetched the first time.

    Raises:
        InputError: If it is not there and cannot be fetched, or is no longer what was fetched.
    """
    record = _record()
    folder = record.get("folder", "")
    if not os.path.isfile(os.path.join(folder, "saved_model.pb")):
        folder = _download()
    found, expected = sha256_of(folder), record.get("sha256")
    if expected and found != expected:
        raise InputError(
            f"{folder} is not the MoveNet that was fetched first: its sha256 is {found}, and it was {expected}; delete "
            f"that folder and {os.path.expanduser(RECORD)} to fetch it again."
        )
    if record.get("folder") != folder:
        told = {"handle": HANDLE, "folder": folder, "sha256": found}
        write_atomically(os.path.expanduser(RECORD), json.dumps(told, indent=2) + "\n")
    return folder


def sha256_of(folder: str) -> str:
    """One checksum of all files below a folder, by their names and contents."""
    total = hashlib.sha256()
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                content = hashlib.sha256(file.read()).hexdigest()
            total.update(f"{os.path.relpath(path, folder)} {content}\n".encode())
    return total.hexdigest()


def _record() -> dict[str, str]:
    """What is written down of what was fetched; nothing where it is not a record of this version."""
    try:
        with open(os.path.expanduser(RECORD), encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) and record.get("handle") == HANDLE else {}


def _download() -> str:
    try:
        import kagglehub
    except ImportError:
        raise InputError(
            f"Nothing finds the joints on the photograph: pip install 'tfwarpgan[photo]', which fetches MoveNet once, "
            f"or {GIVEN}."
        ) from None
    note(f"MoveNet is fetched from Kaggle, once: {HANDLE}.")
    try:
        folder = kagglehub.model_download(HANDLE)
    except Exception as error:  # of the network, of Kaggle, of the disk: the client has many
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"MoveNet cannot be fetched from Kaggle ({reason}); {GIVEN}.") from None
    return str(folder)
