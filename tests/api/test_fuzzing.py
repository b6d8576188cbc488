"""Whatever the description allows, and much that it does not, is answered, and answered as described."""

import subprocess
import sys
from pathlib import Path

CONFIGURATION = Path(__file__).with_name("fuzzing.toml")
EXAMPLES_OF_EACH = 12


def test_no_request_makes_the_server_fail_or_answer_otherwise_than_described(server, tmp_path):
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        f"--config-file={CONFIGURATION}",
        "run",
        f"{server.url}/api/schema/",
    ]
    options = ["--checks=all", f"--max-examples={EXAMPLES_OF_EACH}", "--phases=fuzzing"]

    run = subprocess.run(
        [*command, *options, "--no-color", "--seed=1", "--generation-database=none"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "Tested: " in run.stdout
