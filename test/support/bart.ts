// BART's maps and images of two undersampled scans, with the k-space they were computed from.
import type { ComplexArray, RealArray } from '#larmor/arrays/complex-array.js';
import { float32Tensor, readSafetensors } from '#larmor/io/safetensors.js';
import { openScan } from '#larmor/io/scan.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { shared } from './shared.js';

export const BART_FIXTURES = ['bart_brain_gre_16ch_r3', 'bart_brain_pd_8ch_r4'] as const;

export interface BartFixture {
  /** [coil, ky, kx], undersampled and scaled as BART had it. */
  readonly kspace: ComplexArray;
  readonly mask: SamplingMask;
  /** [coil, y, x]. */
  readonly maps: ComplexArray;
  /** [y, x]. */
  readonly cgSense: ComplexArray;
  /** [y, x]: `pics -S -n -R W:3:0:0.002 -i 100`. */
  readonly l1Wavelet: ComplexArray;
  /** [y, x]: isotropic total variation of weight 0.002, `pics -S -R T:3:0:0.002 -i 100`. */
  readonly totalVariation: ComplexArray;
  /** [y, x]. */
  readonly zeroFilledRss: RealArray;
}

export async function bartFixture(name: (typeof BART_FIXTURES)[number]): Promise<BartFixture> {
  const file = await readSafetensors(shared(`fixtures/${name}.safetensors`));
  const complex = (tensor: string): ComplexArray => {
    const { data, shape } = float32Tensor(file, tensor);
    return { data, shape: shape.slice(0, -1) };
  };
  const lines = float32Tensor(file, 'mask').data;
  const [scale] = float32Tensor(file, 'scale').data;
  await using scan = await openScan(shared(`data/${file.metadata.source}`));
  const kspace = await scan.readKspace(0);
  const weights = Array.from(lines, (line) => Math.fround(line * scale));
  kspace.data.forEach((value, i) => {
    kspace.data[i] = value * weights[(i >> 1) % lines.length];
  });
  return {
    kspace,
    mask: { data: Uint8Array.from(lines), shape: [lines.length] },
    maps: complex('maps'),
    cgSense: complex('cg_sense'),
    l1Wavelet: complex('l1_wavelet'),
    totalVariation: complex('tv'),
    zeroFilledRss: float32Tensor(file, 'zero_filled_rss'),
  };
}
