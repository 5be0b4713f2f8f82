"""The archive that is shipped is the package that runs here: the same bytes, the same identity."""

import hashlib
import subprocess
import sys

from osiris_sql.support.package import hash_code, package_files, zip_package

ASK = """
import sys; sys.path.insert(0, sys.argv[1])
from importlib.metadata import version
from osiris_sql.support.package import hash_code
print(__import__("osiris_sql").__file__, version("osiris-sql"), hash_code())
"""


def test_the_same_files_give_the_same_archive():
    assert hashlib.sha256(zip_package()).digest() == hashlib.sha256(zip_package()).digest()


def test_imported_from_the_archive_it_has_the_same_identity_and_version(tmp_path):
    archive = tmp_path / "code.zip"
    archive.write_bytes(zip_package())
    run = subprocess.run(
        [sys.executable, "-I", "-c", ASK, archive], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    place, version, identity = run.stdout.split()
    assert place.startswith(str(archive))
    assert (version, identity) == (__import__("osiris_sql").__version__, hash_code())


def test_nothing_but_the_package_is_shipped():
    assert "osiris_sql/launchers/e2b/boot.py" in package_files()
    assert not [path for path in package_files() if path.endswith((".pyc", "~")) or "__pycache__" in path]
