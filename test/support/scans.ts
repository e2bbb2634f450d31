// Small synthetic scans whose reconstruction is known.
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { fft2 } from '#larmor/operators/fft2.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';

export interface SyntheticScan {
  readonly slices: number;
  readonly coils: number;
  /** Side of the square k-space, or its rows and columns. */
  readonly size: number | readonly [number, number];
  readonly mask?: SamplingMask;
  readonly noise?: number;
}

const sidesOf = ({ size }: Pick<SyntheticScan, 'size'>): readonly [number, number] =>
  typeof size === 'number' ? [size, size] : size;

/** An ellipse with an inset, seen by coils of smooth Gaussian profile: [coil, y, x]. The slice sets the inset's place. */
export function syntheticImages(scan: Pick<SyntheticScan, 'coils' | 'size'>, slice: number): ComplexArray {
  const { coils } = scan;
  const [rows, columns] = sidesOf(scan);
  const images = complexZeros([coils, rows, columns]);
  for (let coil = 0; coil < coils; coil += 1) {
    const angle = (2 * Math.PI * coil) / coils;
    for (let y = 0; y < rows; y += 1)
      for (let x = 0; x < columns; x += 1) {
        const [v, u] = [(2 * y) / rows - 1, (2 * x) / columns - 1];
        const inset = Math.hypot(v - 0.1 * slice, u + 0.2) < 0.2 ? 0.6 : 0;
        const object = Math.hypot(v / 0.8, u / 0.65) < 1 ? 1 - inset : 0;
        const profile = Math.exp(-((v - Math.sin(angle)) ** 2 + (u - Math.cos(angle)) ** 2) / 2);
        const at = 2 * ((coil * rows + y) * columns + x);
        images.data[at] = object * profile * Math.cos(angle + u);
        images.data[at + 1] = object * profile * Math.sin(angle + u);
      }
  }
  return images;
}

/** K-space [coil, ky, kx] of these images, with noise. */
export async function syntheticKspace(scan: SyntheticScan, slice: number): Promise<ComplexArray> {
  const { noise = 0 } = scan;
  const kspace = await fft2(syntheticImages(scan, slice));
  const random = new MT19937(slice);
  for (let i = 0; noise > 0 && i < kspace.data.length; i += 1) kspace.data[i] += noise * random.normal();
  return kspace;
}

/** Writes a scan file; with a mask, k-space is zero outside it. */
export async function writeSyntheticScan(path: string, scan: SyntheticScan): Promise<string> {
  const { slices, coils, mask } = scan;
  await using writer = await ScanWriter.create(path, { slices, coils, matrix: sidesOf(scan), mask });
  for (let slice = 0; slice < slices; slice += 1) {
    const { data, shape } = await syntheticKspace(scan, slice);
    const kept = mask ? data.map((value, i) => value * mask.data[(i >> 1) % mask.data.length]) : data;
    await writer.writeKspace(slice, { data: kept, shape });
  }
  await writer.commit();
  return path;
}
