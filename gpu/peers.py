"""The same work in PyTorch and CuPy, on inputs that larmor's programs left in a folder: python3 gpu/peers.py FOLDER COILS NY NX

Prints a JSON object a line, as lines.mjs. No time is printed unless the result is larmor's.
"""

import json
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "bench" / "compare"))
FOLDER, SIZE = pathlib.Path(sys.argv[1]), [int(n) for n in sys.argv[2:5]]
ITERATIONS, LAMBDA, ROUNDS = 30, 0.01, 20


def show(**line):
    print(json.dumps(line), flush=True)


def load(name, shape, dtype=np.complex64):
    return np.fromfile(FOLDER / f"{name}.f32", dtype=dtype).reshape(shape)


def agrees(name, what, got, want, limit):
    error = float(np.linalg.norm(got - want) / np.linalg.norm(want))
    show(kind="check", name=name, case=what, error=error, limit=limit, ok=error <= limit)
    return error <= limit


class Torch:
    """Tensors on the device, timed by CUDA events."""

    name = "PyTorch"

    def __init__(self):
        import torch

        if not torch.cuda.is_available():
            raise RuntimeError("PyTorch sees no CUDA device")
        self.torch, self.fft = torch, torch.fft
        self.version = torch.__version__

    def upload(self, array):
        return self.torch.from_numpy(array).cuda()

    def download(self, array):
        return array.cpu().numpy()

    def conj(self, array):
        return array.conj()

    def vdot(self, a, b):
        return self.torch.vdot(a.flatten(), b.flatten()).real

    def sum(self, array):
        return array.sum(0)

    def axes(self):
        return {"dim": (-2, -1)}

    def time(self, run):
        start, stop = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
        times = []
        for round in range(ROUNDS + 3):
            start.record()
            run()
            stop.record()
            stop.synchronize()
            if round >= 3:
                times.append(start.elapsed_time(stop))
        return sorted(times)


class Cupy(Torch):
    """CuPy's arrays, likewise."""

    name = "CuPy"

    def __init__(self):
        import cupy

        self.cupy, self.fft, self.version = cupy, cupy.fft, cupy.__version__
        cupy.cuda.runtime.getDeviceCount()

    def upload(self, array):
        return self.cupy.asarray(array)

    def download(self, array):
        return self.cupy.asnumpy(array)

    def vdot(self, a, b):
        return self.cupy.vdot(a, b).real

    def axes(self):
        return {"axes": (-2, -1)}

    def time(self, run):
        start, stop = (self.cupy.cuda.Event() for _ in range(2))
        times = []
        for round in range(ROUNDS + 3):
            start.record()
            run()
            stop.record()
            stop.synchronize()
            if round >= 3:
                times.append(self.cupy.cuda.get_elapsed_time(start, stop))
        return sorted(times)


def physics(lib):
    """The composition that a script of either library has: shifts, transform, mask."""
    coils, ny, nx = SIZE
    axes = lib.axes()
    maps, mask = lib.upload(load("maps", (coils, ny, nx))), lib.upload(load("mask", (ny, nx), np.float32))
    image, what = lib.upload(load("image", (ny, nx))), f"{coils}x{ny}x{nx}"

    def centred(transform, x):
        return lib.fft.fftshift(transform(lib.fft.ifftshift(x, **axes), norm="ortho", **axes), **axes)

    def normal(x):
        samples = mask * centred(lib.fft.fft2, maps * x)
        return lib.sum(lib.conj(maps) * centred(lib.fft.ifft2, mask * samples))

    def solve():
        x, r = 0 * image, image
        p, rr = r, lib.vdot(r, r)
        for _ in range(ITERATIONS):
            q = normal(p) + LAMBDA * p
            step = rr / lib.vdot(p, q)
            x, r = x + step * p, r - step * q
            before, rr = rr, lib.vdot(r, r)
            p = r + rr / before * p
        return x

    def compare(name, case, run, file, limit):
        if agrees(f"{lib.name} against larmor: {name}", case, lib.download(run()), load(file, (ny, nx)), limit):
            times = lib.time(run)
            show(kind="bench", name=f"{name}, {lib.name} {lib.version}", case=case, ms=times[len(times) // 2], best=times[0], rounds=ROUNDS, clock="CUDA events")

    compare("encode_normal", f"1x1x{what}, points", lambda: normal(image), "normal", 1e-5)
    compare("solve_normal", f"1x1x{what}, points, {ITERATIONS} iterations", solve, "solution", 1e-4)
    stack = lib.upload(np.tile(load("image", (ny, nx)), (15 * coils, 1, 1)))
    agrees(f"{lib.name} against larmor: fft2", f"1x{ny}x{nx}", lib.download(centred(lib.fft.fft2, image)), load("transform", (ny, nx)), 1e-5)
    for name, run in {"fft2": lambda: centred(lib.fft.fft2, stack), "fft2 without shifts": lambda: lib.fft.fft2(stack, norm="ortho", **axes)}.items():
        times = lib.time(run)
        show(kind="bench", name=f"{name}, {lib.name} {lib.version}", case=f"{15 * coils}x{ny}x{nx}", ms=times[len(times) // 2], best=times[0], rounds=ROUNDS, clock="CUDA events")


def training(lib, file):
    """A step of the U-Net, eager and compiled."""
    import training_step
    from unet import UNet, load_tensors

    torch, request = lib.torch, json.loads(file.read_text())
    tensors = {name: tensor.cuda() for name, tensor in load_tensors(file.with_suffix(".safetensors")).items()}
    weights = {name[len("param.") :]: value for name, value in tensors.items() if name.startswith("param.")}
    loss_of = {"supervised": training_step.supervised_loss, "data": training_step.data_loss}[request["loss"]](tensors)
    for way in ("eager", "compiled"):
        network = UNet(**request["config"]).cuda()
        network.load_state_dict(weights)
        optimiser = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)
        model = torch.compile(network) if way == "compiled" else network

        def step():
            optimiser.zero_grad(set_to_none=True)
            loss = loss_of(model(tensors["image"]))
            loss.backward()
            optimiser.step()
            return loss

        name = f"{request['name']}, PyTorch {lib.version} {way}"
        if agrees(f"{name} against larmor: loss", request["case"], np.array([step().item()]), np.array([request["value"]]), 1e-4):
            times = lib.time(step)
            show(kind="bench", name=name, case=request["case"], ms=times[len(times) // 2], best=times[0], rounds=ROUNDS, clock="CUDA events")


def attempt(name, run):
    try:
        return run()
    except Exception as reason:  # one missing library or full device must not hide the rest
        show(kind="note", text=f"{name}: {type(reason).__name__}: {str(reason)[:300]}")
        return None


def main():
    torch = attempt("PyTorch", Torch)
    libraries = [lib for lib in (torch, attempt("CuPy", Cupy)) if lib]
    if not libraries:
        show(kind="skip", reason="neither PyTorch nor CuPy with a CUDA device")
        sys.exit(77)
    if torch:
        torch.torch.backends.cuda.matmul.allow_tf32 = torch.torch.backends.cudnn.allow_tf32 = False
    for lib in libraries:
        if (FOLDER / "maps.f32").exists():
            attempt(lib.name, lambda: physics(lib))
    for file in sorted(FOLDER.glob("*.json")) if torch else []:
        attempt(file.stem, lambda: training(torch, file))


main()
