"""What test_object_store.py does with a bucket, in a process of its own: prints what was seen as JSON."""

import hashlib
import json
import pathlib
import sys

import boto3

from tfwarpgan.data.records import preparation
from tfwarpgan.errors import InputError
from tfwarpgan.flagfiles import run_options
from tfwarpgan.options import DataOptions, NetworkOptions, Options, TrainOptions
from tfwarpgan.storage import object_store
from tfwarpgan.training import runs


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def copies(market, work):
    """A copy is the same, is kept, and follows a change."""
    object_store.COPIES_DIR = f"{work}/copies"
    object_store.upload(market, "s3://people/market")
    copy = pathlib.Path(object_store.local_copy("s3://people/market"))
    seen = {"same": files(copy) == files(pathlib.Path(market))}
    kept = {str(path): path.stat().st_ino for path in copy.rglob("*.jpg")}
    text = (copy / "market-pairs-test.csv").read_text()
    object_store.write("s3://people/market/market-pairs-test.csv", text.encode()[:-1])
    seen["again"] = object_store.local_copy("s3://people/market/") == str(copy)
    seen["changed"] = (copy / "market-pairs-test.csv").read_text() == text[:-1]
    seen["kept"] = {str(path): path.stat().st_ino for path in copy.rglob("*.jpg")} == kept
    try:
        object_store.local_copy("s3://people/nothing")
    except InputError as error:
        seen["nothing"] = str(error)
    return seen


def data_options(data_dir, prepared_dir):
    return DataOptions(
        dataset="market1501", data_dir=data_dir, prepared_dir=prepared_dir, height=64, width=32, batch_size=2
    )


def hashes(prepared):
    return [
        hashlib.sha256(b"".join(record["images"])).hexdigest()
        for split in ("train", "test")
        for record in prepared.records(split).as_numpy_iterator()
    ]


def preparing(market, work, data):
    """What is prepared from a bucket into a bucket is what is prepared here."""
    local, remote = preparation.prepare(data_options(market, f"{work}/prepared")), preparation.prepare(data)
    return {
        "folder": remote.folder,
        "counts": remote.num_pairs == local.num_pairs and remote.num_images == local.num_images,
        "records": hashes(remote) == hashes(local),
        "once": preparation.prepare(data) == remote,
    }


def training(data):
    """A run in a bucket is found again there."""
    train = TrainOptions(
        run_dir="s3://people/run", stage="geometric_matcher", matcher_steps=1, matcher_pretraining_steps=1
    )
    options = Options(data=data, networks=NetworkOptions(matcher_width=4, matcher_scale=8), train=train)
    trained = [runs.train(options), runs.train(options)]
    gfile = object_store.connect("s3://people")
    names = gfile.listdir("s3://people/run") + gfile.listdir("s3://people/run/geometric_matcher")
    return {"trained": trained, "options": run_options("s3://people/run") == options, "run": names}


def main(server, market, work):
    s3 = boto3.client("s3", endpoint_url=f"http://{server}", region_name="us-east-1")
    s3.create_bucket(Bucket="people")
    data = data_options("s3://people/market", "s3://people/prepared")
    print(json.dumps({**copies(market, work), **preparing(market, work, data), **training(data)}))
    object_store.exit_process(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
