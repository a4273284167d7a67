"""The networks that metrics need, and the sha256 of the public files that hold their weights.

Numbers of other weights are other metrics, so that a file is compared with these before it is used. Sums and sizes are
those that several public projects quote.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Network:
    """A network of the metrics.

    Attributes:
        use: The metrics that need it.
        file: Public file of its weights, and where it is from.
        sha256: Sums, or beginnings of sums, of files that are known to be right.
    """

    use: str
    file: str
    sha256: tuple[str, ...]


NETWORKS = {
    "inception_2015": Network(
        "is/openai2015, fid/tf2015, fid/clean, kid",
        "pt_inception-2015-12-05-6726825d.pth of pytorch-fid or torch-fidelity; or inception-2015-12-05.tgz",
        ("6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",),
    ),
    "inception_torchvision": Network(
        "fid/torchvision-gfla, fid/torchvision-cfld", "inception_v3_google-0cc3c7bd.pth of torchvision", ("0cc3c7bd",)
    ),
    "inception_keras": Network(
        "fid/keras",
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5 of Keras",
        (),
    ),
    "alexnet": Network(
        "lpips/alex-0.1, lpips/alex-0.0",
        "alexnet-owt-7be5be79.pth of torchvision",
        ("7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",),
    ),
    "vgg16": Network(
        "lpips/vgg-0.1, dists",
        "vgg16-397923af.pth of torchvision; or vgg16.tv_in1k of timm",
        ("397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",),
    ),
    "squeezenet": Network(
        "lpips/squeeze-0.1",
        "squeezenet1_1-b8a52dc0.pth of torchvision",
        ("b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",),
    ),
}
