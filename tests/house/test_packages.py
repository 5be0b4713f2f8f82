"""The packages hold the tool and nothing of the example project or of the tests."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, check=True, capture_output=True
    )
    return folder


def test_the_wheel_holds_only_the_package(built: Path) -> None:
    (path,) = built.glob("*.whl")
    names = zipfile.ZipFile(path).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"osiris_sql"}
    assert not [name for name in names if name.startswith("osiris_sql/") and "__pycache__" in name]


def test_the_wheel_holds_every_file_of_the_package(built: Path) -> None:
    (path,) = built.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(path).namelist() if name.startswith("osiris_sql/")}
    run = subprocess.run(
        ["git", "ls-files", "osiris_sql"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(run.stdout.split()) <= packed


def test_the_source_archive_holds_the_package_and_its_papers(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        tops = {name.split("/")[1] for name in archive.getnames()}
    papers = {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO"}
    assert tops - {".gitignore"} == {"osiris_sql", *papers}
