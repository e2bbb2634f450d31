// Judges weights on validation slices: loss, SSIM and PSNR, and pictures of some of them.
import { type ComplexArray, points, type RealArray } from '../arrays/complex-array.js';
import { coilMagnitude, magnitude } from '../arrays/magnitude.js';
import { mapSupport } from '../arrays/map-support.js';
import { fromPlanes } from '../arrays/planar.js';
import { psnr, ssim } from '../metrics/metrics.js';
import type { MaskKind } from '../networks/graph-inputs.js';
import type { Network } from '../networks/network.js';
import { validationBatches } from './batches.js';
import type { Validation } from './checkpoint.js';
import { type Dataset, stack, type TrainingSample } from './dataset.js';
import type { Objective } from './objective.js';
import type { ValidationPicture } from './plan.js';
import type { Evaluation } from './session.js';

/** What `validate` works with. */
export interface ValidationRun {
  readonly dataset: Dataset;
  readonly network: Pick<Network, 'gives'>;
  readonly objective: Objective;
  readonly batch: number;
  /** Layout of the masks of the sessions. */
  readonly masks: MaskKind;
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
  const { dataset, batch } = run;
  const kinds = Array.from({ length: dataset.length }, (_, i) => String(dataset.shape(i)));
  const pictured = new Set(spread(dataset.length, run.pictures));
  const pictures: ValidationPicture[] = [];
  const sums = { loss: 0, ssim: 0, psnr: 0, compared: 0 };
  for (const { indices, count } of validationBatches(kinds, batch)) {
    const { loss, compared } = await judgeBatch(run, indices);
    sums.loss += count * loss;
    compared.slice(0, count).forEach((slice, i) => {
      if (!slice) return;
      const { target, image, zeroFilled } = slice;
      sums.compared += 1;
      sums.ssim += ssim(target, image);
      sums.psnr += psnr(target, image);
      if (pictured.has(indices[i])) pictures.push({ index: indices[i], zeroFilled, network: image, target });
    });
  }
  const loss = sums.loss / dataset.length;
  if (sums.compared === 0) return { figures: { loss }, pictures };
  return { figures: { loss, ssim: sums.ssim / sums.compared, psnr: sums.psnr / sums.compared }, pictures };
}

/** Magnitudes [y, x] of a slice. */
interface ComparedSlice {
  readonly target: RealArray;
  readonly image: RealArray;
  readonly zeroFilled: RealArray;
}

/**
 * The loss of a batch, and the images that the network makes of all measured samples beside the truth, where that is known. With a split
 * the loss belongs to another look at the slices.
 */
async function judgeBatch(
  { dataset, network, objective, masks, threads, signal }: ValidationRun,
  indices: readonly number[],
): Promise<{ readonly loss: number; readonly compared: readonly (ComparedSlice | undefined)[] }> {
  const shape = dataset.shape(indices[0]);
  const [, ...matrix] = shape;
  const inputs = await objective.inputs(shape);
  const known = indices.map((index) => dataset.hasTarget(index));
  const reference = network.gives === 'coils' ? 'targetRss' : 'targetMagnitude';
  const show = async (whole: boolean): Promise<Evaluation & { readonly samples: readonly TrainingSample[] }> => {
    const samples: TrainingSample[] = [];
    for (const [i, index] of indices.entries()) {
      const names = [...new Set([...inputs, 'image', 'maps', ...(known[i] ? [reference] : [])])];
      samples.push(await dataset.sample(index, 0, names, { threads, signal, masks, whole }));
    }
    return { ...(await objective.evaluate({ shape, data: stack(samples) }, { signal })), samples };
  };
  const judged = await show(false);
  if (!known.includes(true)) return { loss: judged.loss, compared: [] };
  const { output, samples } = dataset.splits ? await show(true) : judged;
  const images = outputMagnitudes(output, network.gives, [indices.length, ...matrix]);
  const compared: (ComparedSlice | undefined)[] = [];
  for (const [i, sample] of samples.entries()) {
    const zeroFilled = magnitude(fromPlanes(sample.image, matrix));
    const target = { data: sample[reference], shape: matrix };
    if (network.gives === 'image') await clearOutside(images[i], { data: sample.maps, shape });
    compared.push(known[i] ? { target, image: images[i], zeroFilled } : undefined);
  }
  return { loss: judged.loss, compared };
}

/** Sets a magnitude [y, x] to zero where all maps are, as reconstructions do: there a self-supervised loss leaves it open. */
async function clearOutside({ data }: RealArray, maps: ComplexArray): Promise<void> {
  const inside = await mapSupport(maps);
  for (let i = 0; i < data.length; i += 1) data[i] *= inside[i];
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
