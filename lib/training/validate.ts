// Judges weights on validation slices: loss, SSIM and PSNR, and pictures of some of them.
import { points, type RealArray } from '../arrays/complex-array.js';
import { coilMagnitude, magnitude } from '../arrays/magnitude.js';
import { fromPlanes } from '../arrays/planar.js';
import { psnr, ssim } from '../metrics/metrics.js';
import type { Network } from '../networks/network.js';
import { validationBatches } from './batches.js';
import type { Validation } from './checkpoint.js';
import { type Dataset, stack } from './dataset.js';
import type { Objective } from './objective.js';
import type { ValidationPicture } from './plan.js';

/** What `validate` works with. */
export interface ValidationRun {
  readonly dataset: Dataset;
  readonly network: Pick<Network, 'gives'>;
  readonly objective: Objective;
  readonly batch: number;
  /** Slices to picture, spread over the dataset. */
  readonly pictures: number;
  readonly threads: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Means over all slices of the dataset, each under its first mask, with the weights that the objective is of.
 *
 * Batches hold slices of one size; one that is not full is filled up with slices seen already, which count in its loss alone.
 *
 * @throws as `Dataset.sample` and `Objective.evaluate`.
 */
export async function validate(
  run: ValidationRun,
): Promise<{ readonly figures: Omit<Validation, 'step'>; readonly pictures: readonly ValidationPicture[] }> {
  const { dataset, network, objective, batch, threads, signal } = run;
  const kinds = Array.from({ length: dataset.length }, (_, i) => String(dataset.shape(i)));
  const pictured = new Set(spread(dataset.length, run.pictures));
  const reference = network.gives === 'coils' ? 'targetRss' : 'targetMagnitude';
  const pictures: ValidationPicture[] = [];
  const sums = { loss: 0, ssim: 0, psnr: 0 };
  for (const { indices, count } of validationBatches(kinds, batch)) {
    const shape = dataset.shape(indices[0]);
    const [, ...matrix] = shape;
    const inputs = await objective.inputs(shape);
    const names = [...new Set([...inputs, reference, ...(run.pictures > 0 ? ['image'] : [])])];
    const samples = [];
    for (const index of indices) samples.push(await dataset.sample(index, 0, names, { threads, signal }));
    const { loss, output } = await objective.evaluate({ shape, data: stack(samples) }, { signal });
    sums.loss += count * loss;
    const images = outputMagnitudes(output, network.gives, [batch, ...matrix]);
    for (let i = 0; i < count; i++) {
      const target = { data: samples[i][reference], shape: matrix };
      sums.ssim += ssim(target, images[i]);
      sums.psnr += psnr(target, images[i]);
      if (!pictured.has(indices[i])) continue;
      const zeroFilled = magnitude(fromPlanes(samples[i].image, matrix));
      pictures.push({ index: indices[i], zeroFilled, network: images[i], target });
    }
  }
  const { length } = dataset;
  return { figures: { loss: sums.loss / length, ssim: sums.ssim / length, psnr: sums.psnr / length }, pictures };
}

/** `count` of 0..length-1, evenly spread; all of them if there are no more. */
function spread(length: number, count: number): number[] {
  const wanted = Math.min(length, count);
  return Array.from({ length: wanted }, (_, i) => Math.floor(((i + 0.5) * length) / wanted));
}

/** Magnitudes [y,x] of what a network gives: images [n,2,y,x], or coil images [n,coil,y,x,2]. */
function outputMagnitudes(output: Float32Array, gives: Network['gives'], shape: readonly number[]): RealArray[] {
  const [count, ...matrix] = shape;
  const [floats, pixels] = [output.length / count, points(matrix)];
  return Array.from({ length: count }, (_, i) => {
    const part = output.subarray(i * floats, (i + 1) * floats);
    return gives === 'coils'
      ? { data: coilMagnitude(part, floats / (2 * pixels)), shape: matrix }
      : magnitude(fromPlanes(part, matrix));
  });
}
