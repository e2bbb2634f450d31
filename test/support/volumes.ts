// 3-D k-space whose images are known: by direct sums in double precision, or simulated.
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { sliceAt } from '#larmor/arrays/slices.js';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { renderPhantom } from '#larmor/simulation/phantom.js';
import { simulateVolume } from '#larmor/simulation/volume.js';
import { directDft } from './complex.js';

export interface TestVolume {
  /** [coil, readout, kz, ky]: the centred unitary 3-D DFT of `images`. */
  readonly kspace: ComplexArray;
  /** [coil, x, z, y]. */
  readonly images: ComplexArray;
}

/** Random images of every coil, and their k-space. */
export function randomVolume([coils, readout, kz, ky]: readonly [number, number, number, number]): TestVolume {
  const shape = [coils, readout, kz, ky];
  const random = new MT19937(readout);
  const images = { data: new Float32Array(2 * coils * readout * kz * ky).map(() => random.normal()), shape };
  const sums = Float64Array.from(images.data);
  const all = Array.from({ length: coils * readout * kz * ky }, (_, i) => i);
  for (const [n, stride] of [
    [ky, 1],
    [kz, ky],
    [readout, kz * ky],
  ]) {
    const starts = all.filter((i) => Math.floor(i / stride) % n === 0);
    directDft(sums, n, stride, starts, false);
  }
  return { images, kspace: { data: Float32Array.from(sums), shape } };
}

/** Part of an array along its first axis. */
export function part({ data, shape }: ComplexArray, index: number): ComplexArray {
  const length = data.length / shape[0];
  return { data: data.subarray(index * length, (index + 1) * length), shape: shape.slice(1) };
}

/** The slice [coil, z, y] at position `x` of images [coil, x, z, y]. */
export function position(images: ComplexArray, x: number): Float32Array {
  const [coils] = images.shape;
  return Float32Array.from(Array.from({ length: coils }, (_, coil) => [...part(part(images, coil), x).data]).flat());
}

/** Writes a simulated 3-D scan of a head, fully sampled, with the truth without noise: `size` slices of `partitions` x `size` points. */
export async function writeSimulatedVolume(
  path: string,
  { coils, size, partitions, seed }: Readonly<Record<'coils' | 'size' | 'partitions' | 'seed', number>>,
): Promise<void> {
  const object = await renderPhantom({ family: 'head', contrast: 't1', seed, size: 2 * size, slices: partitions });
  const { kspace, reference } = await simulateVolume(object, { coils, size, snr: 60, seed });
  const description = { slices: size, coils, matrix: [partitions, size], volume: true } as const;
  await using writer = await ScanWriter.create(path, description);
  for (let coil = 0; coil < coils; coil += 1) await writer.writeCoil(coil, part(kspace, coil));
  for (let x = 0; x < size; x += 1) await writer.writeReference(x, sliceAt(reference, x));
  await writer.commit();
}
