"""`python -m bench.editing DATABASE PER_SECOND SECONDS`: edit at a steady rate, and tell as JSON how long each edit took.

A process of its own, so that it does not keep who measures the readers from measuring.
"""

import json
import sys
import time


def main(database: str, per_second: float, seconds: float) -> None:
    from bench.__main__ import use_own_home

    use_own_home()
    from bench import worlds
    from bench.edits import Editor

    times, errors = [], []
    with worlds.connected_to(database):
        editor = Editor(seed=int(time.time()))
        print("ready", flush=True)
        started = time.monotonic()
        while (due := started + (len(times) + len(errors)) / per_second) < started + seconds:
            time.sleep(max(0.0, due - time.monotonic()))
            if time.monotonic() > started + seconds:
                break
            began = time.monotonic()
            try:
                editor.edit()
                times.append(round((time.monotonic() - began) * 1000, 2))
            except Exception as error:
                errors.append(f"{type(error).__name__}: {error}")
    print(json.dumps({"times": times, "errors": errors}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
