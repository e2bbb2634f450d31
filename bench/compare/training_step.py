"""Training steps of a U-Net or a VarNet in PyTorch, one per line of stdin, timed; the peer of ../training-step.mjs and ../adaptation-step.mjs.

The first line of stdin is a JSON object: file (safetensors: param.*, input and what the loss needs), threads, network, loss, gradients (file to write).
"""

import json
import sys
import time

import numpy as np
import torch
from peer import peak_bytes
from unet import UNet, load_tensors
from varnet import VarNet


def centred_fft2(image):
    shifted = torch.fft.ifftshift(image, dim=(-2, -1))
    return torch.fft.fftshift(torch.fft.fft2(shifted, norm="ortho"), dim=(-2, -1))


def supervised_loss(tensors):
    """Normalised l1 difference to the target image."""
    scale = tensors["target"].abs().sum()
    return lambda output: (output - tensors["target"]).abs().sum() / scale


def data_loss(tensors):
    """Normalised l1 difference to the measured samples, over real and imaginary parts."""
    maps = torch.view_as_complex(tensors["maps"])
    mask = tensors["lossMask"][:, None]
    kspace = tensors["kspace"] * mask[..., None]
    scale = kspace.abs().sum()

    def loss(output):
        image = torch.complex(output[:, 0], output[:, 1])
        predicted = torch.view_as_real(mask * centred_fft2(maps * image[:, None]))
        return (predicted - kspace).abs().sum() / scale

    return loss


def magnitude_loss(tensors):
    """Normalised l1 difference of the root sum of squares to the target magnitude."""
    target = tensors["targetRss"][0, 0]
    scale = target.abs().sum()
    return lambda output: (output - target).abs().sum() / scale


def image_model(config, tensors):
    network = UNet(**config)
    return network, lambda: network(tensors["image"])


def varnet_model(config, tensors):
    network = VarNet(**config)
    kspace = torch.view_as_complex(tensors["kspace"])[0] * tensors["mask"][0]
    return network, lambda: network(kspace, tensors["mask"][0, 0], tensors["calibrationMask"][0, 0])


def main():
    config = json.loads(sys.stdin.readline())
    torch.set_num_threads(config["threads"])
    tensors = load_tensors(config["file"])
    network, predict = {"unet": image_model, "varnet": varnet_model}[config["kind"]](config["network"], tensors)
    network.load_state_dict({name[len("param.") :]: value for name, value in tensors.items() if name.startswith("param.")})
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
    measure = {"supervised": supervised_loss, "data": data_loss, "magnitude": magnitude_loss}[config["loss"]](tensors)

    for index, _ in enumerate(sys.stdin):
        start, processor_start = time.perf_counter(), time.process_time()
        optimiser.zero_grad(set_to_none=True)
        loss = measure(predict())
        loss.backward()
        gradients = [p.grad.numpy().copy() for p in network.parameters()] if index == 0 else None
        optimiser.step()
        seconds, processor_seconds = time.perf_counter() - start, time.process_time() - processor_start
        if gradients is not None:
            with open(config["gradients"], "wb") as file:
                for gradient in gradients:
                    file.write(np.ascontiguousarray(gradient).tobytes())
        names = [name for name, _ in network.named_parameters()]
        answer = {"seconds": seconds, "processorSeconds": processor_seconds, "loss": loss.item(), "peak": peak_bytes()}
        print(json.dumps(answer | ({"names": names} if index == 0 else {})), flush=True)


if __name__ == "__main__":
    main()
