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


def peak_bytes():
    """What this process has held at most; not ru_maxrss, which a child inherits."""
    with open("/proc/self/status") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def serve(methods):
    """Answers `time NAME` with [wall, processor] milliseconds, `save NAME` by writing the result and `memory NAME` with its peak, until the input ends.

    A method is a pair: the work that is timed, and what turns its result into the array to compare, which is not.
    """
    print(json.dumps(list(methods)), flush=True)
    for line in sys.stdin:
        command, name = line.strip().split(maxsplit=1)
        if command == "memory":
            print(json.dumps(peak_bytes()), flush=True)
            continue
        work, finish = methods[name]
        wall, processor = time.perf_counter(), time.process_time()
        result = work()
        answer = [1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor)]
        if command == "save":
            np.ascontiguousarray(finish(result)).tofile(f"{sys.argv[1]}/{name}.f32")
        print(json.dumps(answer), flush=True)
