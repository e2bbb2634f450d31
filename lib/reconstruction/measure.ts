// Metrics of a reconstructed volume and of its slices, slice by slice so that the event loop stays free.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RealArray } from '../arrays/complex-array.js';
import { sliceAt } from '../arrays/slices.js';
import { type Metrics, mse, ssim, ssimMatched } from '../metrics/metrics.js';

export interface Measured {
  /** Over all slices, as fastMRI's evaluation computes them: one data range for the volume. */
  readonly volume: Metrics;
  /** Of every slice, with the volume's data range. Where the reference is zero throughout, nmse is infinite or NaN. */
  readonly slices: readonly Metrics[];
}

/** SSIM's window is 7 x 7. */
const SMALLEST_SIDE = 7;

/** Both [slice, y, x]. @returns undefined where no metric is defined: a reference of zeros, or sides below 7. */
export async function measure(reference: RealArray, image: RealArray): Promise<Measured | undefined> {
  const [count, y, x] = reference.shape;
  const maxima: number[] = [];
  const energies: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const { data } = sliceAt(reference, index);
    maxima.push(data.reduce((most, value) => Math.max(most, value), 0));
    energies.push(data.reduce((sum, value) => sum + value * value, 0));
    await nextTurn();
  }
  const dataRange = Math.max(...maxima);
  if (!(dataRange > 0) || Math.min(y, x) < SMALLEST_SIDE) return undefined;

  const slices: Metrics[] = [];
  for (let index = 0; index < count; index += 1) {
    const [truth, prediction] = [sliceAt(reference, index), sliceAt(image, index)];
    const error = mse(truth, prediction);
    const similarity = ssim(truth, prediction, { dataRange });
    await nextTurn();
    const matched = ssimMatched(truth, prediction);
    slices.push({
      ssim: similarity,
      ssimMatched: matched,
      psnr: 10 * Math.log10(dataRange ** 2 / error),
      nmse: (error * y * x) / energies[index],
      mse: error,
    });
    await nextTurn();
  }
  const mean = (pick: (metrics: Metrics) => number): number => slices.reduce((sum, one) => sum + pick(one), 0) / count;
  const error = mean((one) => one.mse);
  const volume = {
    ssim: mean((one) => one.ssim),
    ssimMatched: mean((one) => one.ssimMatched),
    psnr: 10 * Math.log10(dataRange ** 2 / error),
    nmse: (error * count * y * x) / energies.reduce((sum, energy) => sum + energy, 0),
    mse: error,
  };
  return { volume, slices };
}
