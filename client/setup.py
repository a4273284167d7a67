"""Installs tfwarpgan-client: the same modules as tfwarpgan, with the requirements of `tfwarpgan.serving.client` alone.

    pip install ./client                  # the client: grpcio, protobuf, numpy
    pip install './client[synthesize]'    # and what python -m tfwarpgan.synthesize --server=host:port needs

An extra can only add to what a distribution requires, so `tfwarpgan[client]` could be free of TensorFlow only if
`pip install tfwarpgan` were too. Install one of the two, as with tensorflow and tensorflow-cpu: they are one package.
Weights and pictures are left out.
"""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).resolve().parents[1]
VERSION = re.search(
    r'^__version__ = "([^"]+)"', (ROOT / "tfwarpgan" / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE
).group(1)

setup(
    name="tfwarpgan-client",
    version=VERSION,
    description="Client of tfwarpgan's models behind TensorFlow Serving's gRPC interface, without TensorFlow",
    long_description=__doc__,
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    package_dir={"": ".."},
    packages=find_packages(str(ROOT), include=["tfwarpgan", "tfwarpgan.*"]),
    include_package_data=False,
    install_requires=["grpcio>=1.59", "numpy>=1.23.5", "protobuf>=4.25"],
    extras_require={"synthesize": ["absl-py>=2.0", "pillow>=10.1", "tqdm>=4.60"]},
    entry_points={"console_scripts": ["tfwarpgan-synthesize=tfwarpgan.synthesize:cli [synthesize]"]},
)
