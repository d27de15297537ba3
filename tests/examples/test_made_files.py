"""Files that scripts make are as the scripts make them today."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", ["make_clients.py", "flow_control_picture.py"])
def test_a_made_file_is_up_to_date(script: str) -> None:
    ran = subprocess.run([sys.executable, str(ROOT / "scripts" / script), "--check"], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
