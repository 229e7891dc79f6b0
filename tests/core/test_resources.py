"""The program's data is found in a wheel first, else beside the package."""

from __future__ import annotations

from pathlib import Path

from viewer.core import resources


def test_checkout_data_lies_beside_the_package() -> None:
    assert resources.resource("icons", "hand.svg").is_file()
    assert resources.models_folder() == Path(resources.__file__).resolve().parents[2] / "models"


def test_data_inside_the_package_comes_first(tmp_path: Path) -> None:
    package = tmp_path / "viewer"
    package.mkdir()
    assert resources._root("resources", package) == tmp_path / "resources"
    (package / "_data" / "resources").mkdir(parents=True)
    assert resources._root("resources", package) == package / "_data" / "resources"
    assert resources._root("models", package) == tmp_path / "models"
