"""Options that read the drawn data set."""

import pytest

from tfwarpgan.options import DataOptions


@pytest.fixture
def options(market, tmp_path):
    """Function of changes -> DataOptions that read the drawn data set."""

    def make(**changes):
        values = {
            "dataset": "market1501", "data_dir": str(market), "prepared_dir": str(tmp_path / "prepared"),
            "height": 64, "width": 32, "batch_size": 4,
        }  # fmt: skip
        return DataOptions(**(values | changes))

    return make
