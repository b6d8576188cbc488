"""Whatever the description allows, and much that it does not, is answered, and answered as described."""

import subprocess
import sys

# Not among them: that a value of the right form is accepted. A key of the right form need not exist.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "missing_required_header",
]
EXAMPLES_OF_EACH = 25


def test_no_request_makes_the_server_fail_or_answer_otherwise_than_described(server, tmp_path):
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/schema/", "--no-color", "--seed=1"]
    options = [f"--checks={','.join(CHECKS)}", f"--max-examples={EXAMPLES_OF_EACH}", "--generation-database=none"]
    options.append("--phases=fuzzing")

    run = subprocess.run([*command, *options], capture_output=True, text=True, cwd=tmp_path, check=False)

    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "test cases" in run.stdout.lower()
