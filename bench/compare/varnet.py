"""fastMRI's end-to-end VarNet in PyTorch, by the parameter names of its checkpoints; the peer of ../varnet.mjs."""

import numpy as np
import torch
from peer import load, serve, settings
from torch import nn
from torch.nn import functional
from unet import UNet

SIDES = (-2, -1)


def fft(images):
    return torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(images, dim=SIDES), norm="ortho"), dim=SIDES)


def inverse_fft(kspace):
    return torch.fft.fftshift(torch.fft.ifft2(torch.fft.ifftshift(kspace, dim=SIDES), norm="ortho"), dim=SIDES)


class NormUNet(nn.Module):
    def __init__(self, channels, pools):
        super().__init__()
        self.unet = UNet(2, 2, channels, pools)

    def forward(self, image):
        planes = torch.stack([image.real, image.imag], dim=1)
        mean = planes.mean(dim=SIDES, keepdim=True)
        deviation = planes.std(dim=SIDES, keepdim=True)
        missing = [-n % 16 for n in planes.shape[2:]]
        before = [count // 2 for count in missing]
        after = [count - first for count, first in zip(missing, before)]
        padded = functional.pad((planes - mean) / deviation, [before[1], after[1], before[0], after[0]])
        height, width = planes.shape[2:]
        output = self.unet(padded)[..., before[0] : before[0] + height, before[1] : before[1] + width]
        output = output * deviation + mean
        return torch.complex(output[:, 0], output[:, 1])


class Sensitivity(nn.Module):
    def __init__(self, channels, pools):
        super().__init__()
        self.norm_unet = NormUNet(channels, pools)

    def forward(self, kspace):
        maps = self.norm_unet(inverse_fft(kspace))
        return maps / maps.abs().square().sum(dim=0).sqrt()


class Cascade(nn.Module):
    def __init__(self, channels, pools):
        super().__init__()
        self.dc_weight = nn.Parameter(torch.ones(1))
        self.model = NormUNet(channels, pools)

    def forward(self, kspace, measured, mask, maps):
        image = (maps.conj() * inverse_fft(kspace)).sum(dim=0, keepdim=True)
        correction = fft(maps * self.model(image))
        return kspace - self.dc_weight * mask * (kspace - measured) - correction


class VarNet(nn.Module):
    def __init__(self, cascades, channels, pools, sensitivity):
        super().__init__()
        self.sens_net = Sensitivity(**sensitivity)
        self.cascades = nn.ModuleList(Cascade(channels, pools) for _ in range(cascades))

    def forward(self, measured, mask, calibration_mask):
        maps = self.sens_net(measured * calibration_mask)
        kspace = measured
        for cascade in self.cascades:
            kspace = cascade(kspace, measured, mask, maps)
        return inverse_fft(kspace).abs().square().sum(dim=0).sqrt()


def main():
    wanted = settings()
    torch.set_num_threads(wanted["threads"])
    network = VarNet(**wanted["network"])
    lengths = [int(np.prod(shape)) for shape in wanted["shapes"]]
    values = np.split(load("weights", -1, np.float32), np.cumsum(lengths)[:-1])
    tensors = [torch.from_numpy(value.reshape(shape).copy()) for value, shape in zip(values, wanted["shapes"])]
    network.load_state_dict(dict(zip(wanted["names"], tensors)))
    coils, height, width = wanted["size"]
    data = [torch.from_numpy(load("kspace", (coils, height, width)).copy())]
    data += [torch.from_numpy(load(name, (width,), np.float32).copy()) for name in ("mask", "calibrationMask")]

    def image():
        with torch.no_grad():
            return network(*data)

    serve({"PyTorch": (image, lambda x: x.numpy())})


if __name__ == "__main__":
    main()
