"""Unitary 2-D FFTs of a stack by SciPy's pocketfft and PyTorch: centred by shifts as fastMRI does, and bare, on an input shifted
beforehand."""
import numpy as np
import scipy.fft
import torch
from peer import load, serve, settings

options = settings()
torch.set_num_threads(options["threads"])
axes = (-2, -1)
x = load("x", options["shape"])
x_tensor = torch.from_numpy(x)
shifted = np.fft.ifftshift(x, axes=axes).copy()
shifted_tensor = torch.from_numpy(shifted)


def scipy_bare(array):
    return scipy.fft.fft2(array, norm="ortho", workers=options["threads"])


def torch_bare(tensor):
    return torch.fft.fft2(tensor, norm="ortho")


def torch_centred():
    return torch.fft.fftshift(torch_bare(torch.fft.ifftshift(x_tensor, dim=axes)), dim=axes)


def shift(result):
    return np.fft.fftshift(np.asarray(result), axes=axes)


serve(
    {
        "SciPy, no shifts": (lambda: scipy_bare(shifted), shift),
        "PyTorch, no shifts": (lambda: torch_bare(shifted_tensor), shift),
        "SciPy, centred": (lambda: np.fft.fftshift(scipy_bare(np.fft.ifftshift(x, axes=axes)), axes=axes), np.asarray),
        "PyTorch, centred": (torch_centred, np.asarray),
    }
)
