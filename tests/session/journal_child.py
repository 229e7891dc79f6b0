"""Makes gestures for ever, and says after each what the state is and, once it is on the disk, that it is: to be killed at any moment."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from session_samples import GESTURES, make_document

from viewer.session.store import Store


def main(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    store = Store(path)
    document = make_document(store)
    store.flush()
    print("state 0 0 0", document.state_hash(), flush=True)
    print("written 0", flush=True)
    number = 0
    while True:
        before = len(document.history), document.history.position
        command = rng.randrange(len(GESTURES) + 4)
        if command < len(GESTURES):
            GESTURES[command](document, lambda below: rng.randrange(max(1, below)))
        elif command % 2:
            document.undo()
        else:
            document.redo()
        if (len(document.history), document.history.position) == before and command >= len(GESTURES):
            continue
        number += 1
        print("state", number, document.history.position, len(document.history), document.state_hash(), flush=True)
        store.flush()
        print("written", number, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
