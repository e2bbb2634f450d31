"""The other side of ../support/harness.mjs: reads commands, times or saves methods, answers in JSON lines."""
import json
import sys
import time

import numpy as np


def load(name, shape, dtype=np.complex64):
    """The input `name`, as float32 or interleaved complex64."""
    return np.fromfile(f"{sys.argv[1]}/{name}.f32", dtype=dtype).reshape(shape)


def settings():
    with open(f"{sys.argv[1]}/settings.json") as file:
        return json.load(file)


def serve(methods):
    """Answers `time NAME` with [wall, processor] milliseconds and `save NAME` by writing the result, until the input ends.

    A method is a pair: the work that is timed, and what turns its result into the array to compare, which is not.
    """
    print(json.dumps(list(methods)), flush=True)
    for line in sys.stdin:
        command, name = line.strip().split(maxsplit=1)
        work, finish = methods[name]
        wall, processor = time.perf_counter(), time.process_time()
        result = work()
        answer = [1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor)]
        if command == "save":
            np.ascontiguousarray(finish(result)).tofile(f"{sys.argv[1]}/{name}.f32")
        print(json.dumps(answer), flush=True)
