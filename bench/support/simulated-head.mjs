// Neighbouring slices of a magnitude volume in one simulated scanner: coils and phase are theirs in common, and so is the mask.
import { sliceAt } from '../../dist/arrays/slices.js';
import { readNifti } from '../../dist/io/nifti.js';
import { objectMedian, resizeSlices } from '../../dist/simulation/magnitude.js';
import { SimulatedScanner, sliceHeight } from '../../dist/simulation/scan.js';

const SIZE = 128;
const COILS = 8;

/** Fully sampled k-space [coil, ky, kx] of slices [first, end) of a NIfTI file; snr null: without noise. */
export async function simulatedHead(path, { slices: [first, end], snr, phase, seed }, run) {
  const { volume, spacing } = await readNifti(path);
  const resized = await resizeSlices(volume, SIZE, [spacing[1], spacing[2]]);
  const objects = Array.from({ length: end - first }, (_, i) => turned(sliceAt(resized, first + i)));
  const median = objectMedian(objects[objects.length >> 1]);
  const scanner = new SimulatedScanner(median, { coils: COILS, snr: snr ?? Number.POSITIVE_INFINITY, phase, seed });
  const scans = [];
  for (const [i, object] of objects.entries())
    scans.push((await scanner.scan(object, sliceHeight(i, objects.length), run)).kspace);
  return scans;
}

/** Axes exchanged: phase encoding then runs along the shorter side of the head. Interpolation may have left magnitudes below zero. */
function turned({ data, shape: [side] }) {
  const at = (i) => Math.max(0, data[(i % side) * side + Math.floor(i / side)]);
  return { data: Float32Array.from(data, (_, i) => at(i)), shape: [side, side] };
}
