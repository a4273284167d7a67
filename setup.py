"""Installs tfwarpgan: light by itself, with TensorFlow by the extra `tensorflow`.

What an extra names is only ever added, so the client of a served model can do without TensorFlow (`tfwarpgan[client]`)
only if TensorFlow is an extra itself. Environment markers choose the stack that fits the Python version.
"""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).resolve().parent


def version():
    """The version, read from the package's source: importing it would need its dependencies."""
    text = (ROOT / "tfwarpgan" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE).group(1)


BEFORE_312 = "; python_version < '3.12'"
FROM_312 = "; python_version >= '3.12'"

# The only set in which TensorFlow, Addons and I/O work together; TensorBoard 2.15 imports pkg_resources, which later
# setuptools lack; later tensorflow-metadata wants protobuf 5, which TensorFlow 2.15 refuses.
TENSORFLOW_215 = [
    "tensorflow==2.15.1",
    "keras==2.15.*",
    "tensorflow-addons==0.23.*",
    "tensorflow-io==0.36.*",
    "tensorflow-metadata<1.18",
    "tensorboard==2.15.*",
    "tensorboard-plugin-profile==2.15.2",
    "numpy>=1.23.5,<2",
    "setuptools<81",
]
TENSORFLOW_221 = [
    "tensorflow==2.21.*",
    "keras>=3.12,<4",
    "tensorboard>=2.20,<2.22",  # TensorFlow 2.21 no longer asks for it
    "numpy>=1.26",
]
BASE = [
    "absl-py>=2.0",
    "filelock>=3.12,<5",
    "numpy>=1.23.5",
    "pillow>=11.3",  # the first that reads AVIF
    "tqdm>=4.60",
]
CLIENT = ["grpcio>=1.59", "protobuf>=4.25"]
SERVICE = ["aiohttp>=3.14,<4", "prometheus-client>=0.21,<1"]
TENSORFLOW = [
    *(requirement + BEFORE_312 for requirement in TENSORFLOW_215),
    *(requirement + FROM_312 for requirement in TENSORFLOW_221),
    *CLIENT,
    *SERVICE,
    "importlib_resources",  # which tensorflow-datasets 4.9.10 forgets to require
    "tensorflow-datasets>=4.9.4,<4.10",
    "etils<1.14; python_version < '3.11'",  # later ones need Python 3.11, which the pip of 3.10 may find out too late
]
# The same TensorFlow with NVIDIA's CUDA libraries.
CUDA = ["tensorflow[and-cuda]==2.15.1" + BEFORE_312, "tensorflow[and-cuda]==2.21.*" + FROM_312]
# From TensorFlow 2.16 on, TensorBoard's profile page is a package with many dependencies of its own.
PROFILE = ["tensorboard-plugin-profile==2.21.*" + FROM_312]
COMMANDS = (
    "train",
    "prepare",
    "annotate",
    "evaluate",
    "compare",
    "synthesize",
    "photo",
    "studio",
    "export",
    "serve",
    "traces",
    "study",
    "convert",
)

setup(
    name="tfwarpgan",
    version=version(),
    description="Soft-Gated Warping-GAN for pose-guided person image synthesis, in TensorFlow/Keras",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    # TensorFlow 2.21 has wheels for 3.13 too, but nothing here is tested on it; the patches that are left out lack
    # tarfile's filters.
    python_requires=">=3.10.12,!=3.11.0,!=3.11.1,!=3.11.2,!=3.11.3,<3.13",
    packages=find_packages(include=["tfwarpgan", "tfwarpgan.*"]),
    package_data={
        "tfwarpgan": [
            "data/people_render.tar.gz",
            "human_study/web/*",
            "human_study/web/*/*",
            "photo_studio/web/*",
            "py.typed",
            "weights/*/*",
            "weights/*/*/*",
        ]
    },
    install_requires=BASE,
    extras_require={
        "tensorflow": TENSORFLOW,
        "client": CLIENT,
        "cuda": [*TENSORFLOW, *CUDA],
        # grpcio-health-checking is the service's peer, by its stack's protobuf; with tensorflow-serving-api's messages
        # ours are compared;
        # moto answers as an object store does; the tests of object-store paths are skipped without it, and that of the
        # profile page without its package.
        "dev": [
            *TENSORFLOW,
            *PROFILE,
            "grpcio-health-checking>=1.59,<1.63" + BEFORE_312,
            "grpcio-health-checking>=1.71" + FROM_312,
            "hypothesis>=6.100",
            "import-linter>=2.1,<3",
            "moto[server]>=5",
            "mypy>=2.4,<3",
            "pillow-heif>=1.0,<2",
            "pytest>=8",
            "pyyaml>=6",
            "ruff>=0.9",
            "scikit-image>=0.25",  # and scipy: the tests' peers of SSIM, masks and the Frechet distance
            "scipy>=1.15",
            "tensorflow-serving-api==2.15.*" + BEFORE_312,
        ],
        "beam": [*TENSORFLOW, "apache-beam>=2.60,<3"],
        "docs": ["matplotlib"],
        "heic": ["pillow-heif>=1.0,<2"],
        "photo": ["kagglehub>=0.3,<2"],  # the client of MoveNet's publisher; it fetches nothing by itself
        "profile": [*TENSORFLOW, *PROFILE],
        "video": ["imageio-ffmpeg>=0.5,<1"],
        "benchmarks": [*TENSORFLOW, "torch==2.13.0"],
    },
    entry_points={"console_scripts": [f"tfwarpgan-{command}=tfwarpgan.{command}:cli" for command in COMMANDS]},
)
