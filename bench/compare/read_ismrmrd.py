"""Sorts the lines of one ISMRMRD slice with h5py and NumPy and removes the readout oversampling; the file stays open."""
import h5py
import numpy as np

from peer import serve, settings

acquisitions = h5py.File(settings()["path"], "r")["dataset/data"]
NOISE = 1 << 18


def centred(transform, data):
    shifted = np.fft.ifftshift(data, axes=1)
    return np.fft.fftshift(transform(shifted, axis=1, norm="ortho"), axes=1)


def slice():
    lines = [record for record in acquisitions[:] if not int(record["head"]["flags"]) & NOISE]
    head = lines[0]["head"]
    coils, samples = int(head["active_channels"]), int(head["number_of_samples"])
    kspace = np.zeros((coils, samples, len(lines)), np.complex64)
    for record in lines:
        line = record["data"].view(np.complex64).reshape(coils, samples)
        kspace[:, :, record["head"]["idx"]["kspace_encode_step_1"]] = line
    image = centred(np.fft.ifft, kspace)[:, samples // 4 : 3 * samples // 4]
    return centred(np.fft.fft, image).astype(np.complex64)


serve({"h5py, NumPy": (slice, lambda kspace: kspace)})
