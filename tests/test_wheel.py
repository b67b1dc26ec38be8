"""The wheel: all that the code needs, and nothing else of the repository."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_holds_the_package_with_its_data(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = ROOT / "src"
    sources = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    assert held == {name for name in sources if "__pycache__" not in name}
    assert {"vivavoce/py.typed", "vivavoce/models/catalogue.toml", "vivavoce/store/migrations/env.py"} <= held
