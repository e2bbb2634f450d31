"""GRAPPA by NumPy: one Gram matrix of all calibration patches, then per sampling pattern a solve and one matrix product."""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from peer import load, serve, settings

options = settings()
coils, rows, columns = shape = options["shape"]
first, last = options["calibration"]
height, width = options["kernel"]
kspace = load("kspace", shape)
sampled = np.broadcast_to(load("lines", columns, np.float32) > 0, (rows, columns))


def padded(array):
    margins = [(height // 2, height // 2), (width // 2, width // 2)]
    return np.pad(array, [(0, 0)] * (array.ndim - 2) + margins)


def patches(array):
    """[position, coil and window entry]"""
    windows = sliding_window_view(padded(array), (height, width), axis=(1, 2))
    return windows.transpose(1, 2, 0, 3, 4).reshape(-1, coils * height * width)


def grappa():
    windows = sliding_window_view(padded(sampled), (height, width)).reshape(rows * columns, -1)
    holes = np.flatnonzero(~sampled.reshape(-1) & windows.any(axis=1))
    patterns, pattern_of = np.unique(windows[holes], axis=0, return_inverse=True)
    calibration = patches(kspace[:, :, first:last].astype(np.complex128))
    gram = calibration.conj().T @ calibration
    sources = patches(kspace)
    centres = np.arange(coils) * height * width + height // 2 * width + width // 2
    filled = kspace.reshape(coils, -1).copy()
    for number, pattern in enumerate(patterns):
        seen = np.flatnonzero(np.tile(pattern, coils))
        normal = gram[np.ix_(seen, seen)]
        weight = options["lambda"] * np.linalg.norm(normal) / len(seen)
        weights = np.linalg.solve(normal + weight * np.eye(len(seen)), gram[np.ix_(seen, centres)])
        these = holes[pattern_of == number]
        filled[:, these] = (sources[np.ix_(these, seen)] @ weights.astype(np.complex64)).T
    return filled


serve({"NumPy": (grappa, np.asarray)})
