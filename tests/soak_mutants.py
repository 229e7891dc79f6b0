"""D1 at length: damaged files of every kind until ``--count`` are tried. Not collected by pytest; prints what came of them.

python -m tests.soak_mutants --count 20000 --seed 1
"""

from __future__ import annotations

import argparse
import collections
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.io import seeds
from tests.io.answering import answer_and_words
from viewer.io import archive
from viewer.jobs.pool import Pool


def main() -> int:
    """0 if every file was opened or refused in a sentence; the faults are kept in the folder that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--kind", action="append", choices=[*seeds.PLAIN, *seeds.OBJECTS])
    words = parser.parse_args()
    kinds = words.kind or [*seeds.PLAIN, *seeds.OBJECTS]
    each = max(1, words.count // len(kinds))
    outcomes: collections.Counter[str] = collections.Counter()
    worst = (0.0, "")
    faults = []
    keep = Path(tempfile.mkdtemp(prefix="mutants-"))
    with Pool(1) as pool:
        for kind in kinds:
            folder = keep / kind.replace(" ", "-")
            folder.mkdir()
            seeds.beside(folder)
            name, whole = (seeds.PLAIN[kind][0], seeds.PLAIN[kind][1]()) if kind in seeds.PLAIN else ("object.dcm", seeds.OBJECTS[kind](folder))
            path = folder / name
            for number, mutant in enumerate(seeds.mutants(whole, each, words.seed)):
                path.write_bytes(mutant)
                start = time.perf_counter()
                try:
                    outcome, said = answer_and_words(path, pool)
                    died = any("process" in sentence or "was stopped" in sentence for sentence in said)
                    outcomes["worker died or hung" if died else outcome] += 1
                except Exception as error:  # noqa: BLE001 - this is what is looked for
                    outcomes["fault"] += 1
                    (folder / f"fault-{number}").write_bytes(mutant)
                    faults.append(f"{kind}, number {number}: {type(error).__name__}: {error}")
                worst = max(worst, (time.perf_counter() - start, f"{kind}, number {number}"))
            archive.forget()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"seed {words.seed}: {sum(outcomes.values())} files of {len(kinds)} kinds: {dict(outcomes)}")
    print(f"longest {worst[0]:.2f} s ({worst[1]}), peak {peak} MiB")
    print("\n".join(faults[:50]))
    if faults:
        print(f"the files are in {keep}")
    else:
        shutil.rmtree(keep)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
