"""The U-Net of fastMRI in PyTorch, by the parameter names of its checkpoints, and a minimal reader of safetensors."""

import json

import numpy as np
import torch
from torch import nn
from torch.nn import functional


def load_tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    tensors = {}
    for name, info in header.items():
        if name == "__metadata__":
            continue
        begin, end = info["data_offsets"]
        kind = {"F32": np.float32, "U8": np.uint8}[info["dtype"]]
        tensors[name] = torch.from_numpy(np.frombuffer(data[begin:end], kind).reshape(info["shape"]).copy())
    return tensors


def normalised(channels, affine):
    return [nn.InstanceNorm2d(channels, affine=affine), nn.LeakyReLU(0.2, inplace=True)]


class ConvBlock(nn.Module):
    def __init__(self, inputs, outputs, affine):
        super().__init__()
        first = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), *normalised(outputs, affine), nn.Dropout2d(0)]
        second = [nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), *normalised(outputs, affine), nn.Dropout2d(0)]
        self.layers = nn.Sequential(*first, *second)

    def forward(self, x):
        return self.layers(x)


class UpBlock(nn.Module):
    def __init__(self, inputs, outputs, affine):
        super().__init__()
        self.layers = nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 2, stride=2, bias=False), *normalised(outputs, affine))

    def forward(self, x):
        return self.layers(x)


class UNet(nn.Module):
    def __init__(self, inputs, outputs, channels, pools, affine=False, residual=False):
        super().__init__()
        self.residual = residual
        widths = [channels * 2**i for i in range(pools + 1)]
        self.down_sample_layers = nn.ModuleList(
            ConvBlock(before, after, affine) for before, after in zip([inputs, *widths[:-2]], widths[:-1])
        )
        self.conv = ConvBlock(widths[-2], widths[-1], affine)
        self.up_transpose_conv = nn.ModuleList(UpBlock(2 * c, c, affine) for c in reversed(widths[:-1]))
        blocks = [ConvBlock(2 * c, c, affine) for c in reversed(widths[:-1])]
        blocks[-1] = nn.Sequential(blocks[-1], nn.Conv2d(channels, outputs, 1))
        self.up_conv = nn.ModuleList(blocks)

    def forward(self, image):
        skipped = []
        x = image
        for block in self.down_sample_layers:
            x = block(x)
            skipped.append(x)
            x = functional.avg_pool2d(x, 2)
        x = self.conv(x)
        for transposed, block in zip(self.up_transpose_conv, self.up_conv):
            skip = skipped.pop()
            x = transposed(x)
            missing = [skip.shape[3] - x.shape[3], skip.shape[2] - x.shape[2]]
            if any(missing):
                x = functional.pad(x, [0, missing[0], 0, missing[1]], "reflect")
            x = block(torch.cat([x, skip], dim=1))
        return x + image if self.residual else x
