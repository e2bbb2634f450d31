"""The encoding operator and the k-space loss, composed in PyTorch. Maps, image and k-space come with the centring shifts undone, so
that no shift is timed."""
import numpy as np
import torch
from peer import load, serve, settings

options = settings()
torch.set_num_threads(options["threads"])
coils, ny, nx = options["shape"]


def undo(array):
    return torch.from_numpy(np.fft.ifftshift(array, axes=(-2, -1)).copy())


maps = undo(load("maps", (coils, ny, nx)))
image = undo(load("image", (ny, nx)))
kspace = undo(load("kspace", (coils, ny, nx)))
mask = undo(np.broadcast_to(load("mask", options["maskShape"], np.float32), (ny, nx)))
measured = kspace * mask
denominator = measured.real.abs().sum() + measured.imag.abs().sum()


def centred(x):
    return np.fft.fftshift(x.detach().numpy(), axes=(-2, -1))


def forward(x):
    return torch.fft.fft2(maps * x, norm="ortho") * mask


def adjoint(y):
    return (maps.conj() * torch.fft.ifft2(y * mask, norm="ortho")).sum(0)


def loss_gradient():
    x = image.clone().requires_grad_(True)
    residual = forward(x) - measured
    loss = (residual.real.abs().sum() + residual.imag.abs().sum()) / denominator
    loss.backward()
    return x.grad


methods = {
    "forward": lambda: forward(image),
    "adjoint": lambda: adjoint(kspace),
    "normal": lambda: adjoint(forward(image)),
    "loss": loss_gradient,
}
serve({"PyTorch": (methods[options["method"]], centred)})
