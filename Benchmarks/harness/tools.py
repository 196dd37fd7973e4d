"""Everything that must be there before anything is measured: the tools, the peers."""
import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys

from .measure import say

BENCHMARKS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(BENCHMARKS)


@dataclasses.dataclass
class Tools:
    """Paths of programs; `python` has the peers, and is None without them, as `weir` is."""
    limit: str
    digest: str
    launch: str
    generator: str
    python: str | None
    weir: str | None


def prepare(options):
    os.makedirs(options.cache, exist_ok=True)
    for path in [options.generator] + ([options.weir] if options.weir else []):
        if not os.access(path, os.X_OK):
            sys.exit(f"{path} is not there; build it with: swift build -c release")
    built = {name: compile_tool(options.cache, name) for name in ("limit", "digest", "launch")}
    python = peers_python(options.cache) if options.peers else None
    return Tools(generator=options.generator, weir=options.weir, python=python, **built)


def compile_tool(cache, name):
    """Builds tools/NAME.cpp once for its text."""
    folder = f"{BENCHMARKS}/tools"
    sources = [f"{folder}/{name}.cpp", f"{folder}/shard.hpp"]
    path = f"{cache}/{name}-{hash_of(sources)}"
    if not os.path.exists(path):
        say(f"compiling {name}")
        command = [os.environ.get("CXX", "g++"), "-O3", "-std=c++17", "-Wall", "-Wextra", "-o",
                   f"{path}.part", sources[0], "-lzstd", "-lsimdjson", "-lxxhash", "-lpthread"]
        subprocess.run(command, check=True)
        os.rename(f"{path}.part", path)
    return path


def peers_python(cache):
    """The Python of a virtual environment with the peers, made once for their versions."""
    wanted = f"{BENCHMARKS}/peers/requirements.txt"
    venv = f"{cache}/peers-{hash_of([wanted])}"
    python = f"{venv}/bin/python"
    if not os.path.exists(f"{venv}/ready"):
        say("installing the peers from PyPI")
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                        "--requirement", wanted], check=True)
        with open(f"{venv}/ready", "w"):
            pass
    return python


def hash_of(paths):
    """16 digits that change with the text of any of the files."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()[:16]


def output(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
