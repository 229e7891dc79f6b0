"""``python -m benchmarks [NAME...]``: run benchmarks, each in a process of its own, and print one table.

A benchmark is a module here with a function ``rows() -> list[Row]``. The figures are kept in ``benchmarks/results/latest.json``.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from benchmarks.table import Row, table

HERE = Path(__file__).resolve().parent
LONGEST_S = 900


def names() -> list[str]:
    """All modules here that define ``rows``; nothing is imported for it."""
    return sorted(path.stem for path in HERE.glob("*.py") if _defines_rows(path))


def _defines_rows(path: Path) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "rows" for node in ast.parse(path.read_text(encoding="utf-8")).body)


def run(name: str) -> tuple[list[Row], str]:
    """Rows of one benchmark, or none and the reason."""
    command = [sys.executable, "-m", "benchmarks", "--raw", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S, cwd=HERE.parent)
    except subprocess.TimeoutExpired:
        return [], f"no end after {LONGEST_S} s"
    if done.returncode != 0:
        return [], done.stderr.strip()[-2000:] or f"exit {done.returncode}"
    return [Row(**values) for values in json.loads(done.stdout.splitlines()[-1])], ""


def machine() -> str:
    versions = ", ".join(f"{name} {_version(name)}" for name in ("PySide6-Essentials", "numpy", "SimpleITK", "pydicom"))
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}, Python {platform.python_version()}, {versions}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run benchmarks and print one table.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(names())}")
    parser.add_argument("--raw", action="store_true", help="run one benchmark in this process and print its rows as JSON")
    options = parser.parse_args()
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(names())}")
    if options.raw:
        found = [asdict(row) for name in options.names for row in importlib.import_module(f"benchmarks.{name}").rows()]
        print(json.dumps(found))
        return 0
    return _report(options.names or names())


def _report(chosen: list[str]) -> int:
    where = machine()
    results, failures = [], []
    for name in chosen:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows, problem = run(name)
        results.append((name, rows))
        if problem:
            failures.append(f"{name} failed: {problem}")
    print(where)
    print(table(results))
    for failure in failures:
        print(failure, file=sys.stderr)
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    kept = {"machine": where, "rows": {name: [asdict(row) for row in rows] for name, rows in results}}
    (folder / "latest.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
