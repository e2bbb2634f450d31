// Undersampled slices of a simulated head with their true maps, for tests of adaptation.
import type { MeasuredSlice } from '#larmor/adaptation/viewpoint.js';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { Mask } from '#larmor/operators/mask.js';
import { createMask } from '#larmor/sampling/mask.js';
import { objectMedian } from '#larmor/simulation/magnitude.js';
import { renderPhantom } from '#larmor/simulation/phantom.js';
import { SimulatedScanner } from '#larmor/simulation/scan.js';

export type SimulatedSlice = MeasuredSlice & { readonly maps: ComplexArray };

/** Neighbouring slices [coils, size, size] under one 2x mask of columns. */
export async function simulatedSlices({
  size,
  coils,
  count,
}: {
  readonly size: number;
  readonly coils: number;
  readonly count: number;
}): Promise<SimulatedSlice[]> {
  const mask = createMask({ type: 'random', columns: size, acceleration: 2, centerFraction: 0.2, seed: 1 });
  const volume = await renderPhantom({ family: 'head', seed: 2, size, slices: count });
  const scanner = new SimulatedScanner(objectMedian(volume), { coils, seed: 3 });
  const slices: SimulatedSlice[] = [];
  for (let i = 0; i < count; i += 1) {
    const object = { data: volume.data.slice(i * size ** 2, (i + 1) * size ** 2), shape: [size, size] };
    const { kspace, maps } = await scanner.scan(object, i);
    slices.push({ kspace: await new Mask(mask, kspace.shape).apply(kspace), maps, mask, seed: [5, i] });
  }
  return slices;
}
