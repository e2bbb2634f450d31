// `larmor evaluate OUT REFERENCE`: image quality as fastMRI computes it.
import type { RealArray } from '../arrays/complex-array.js';
import { sliceAt, slicesBetween } from '../arrays/slices.js';
import { LarmorError } from '../errors.js';
import { readImages } from '../io/image-file.js';
import { centerCrop, evaluateVolume, type Metrics } from '../metrics/metrics.js';
import { type SliceRange, sliceRange, withinSlices } from './options.js';
import type { Outcome, Register, Session } from './shell.js';
import { table } from './text.js';

export const register: Register = (program, shell) => {
  program
    .command('evaluate')
    .description('SSIM, PSNR and NMSE of a reconstruction, as fastMRI computes them')
    .argument('<reconstruction>', 'HDF5 file with the images to judge')
    .argument('<reference>', 'HDF5 file with the reference: a fastMRI scan or another reconstruction')
    .option('--slices <A:B>', "the reference's slices that were reconstructed", sliceRange)
    .action((reconstruction: string, reference: string, options: { slices?: SliceRange }) =>
      shell.run((session) => evaluate(reconstruction, reference, options.slices ?? {}, session)),
    );
};

async function evaluate(
  reconstructionPath: string,
  referencePath: string,
  range: SliceRange,
  { signal, onProgress }: Session,
): Promise<Outcome> {
  const reconstruction = await readImages(reconstructionPath, { signal });
  const whole = await readImages(referencePath, { signal });
  const { first, end } = withinSlices(range, whole.shape[0]);
  const reference = slicesBetween(whole, first, end);
  if (reconstruction.shape[0] !== reference.shape[0])
    throw new LarmorError(
      'ERR_SHAPE',
      `evaluate: ${reconstructionPath} has ${reconstruction.shape[0]} slices, the reference ${reference.shape[0]}; ` +
        'name the slices that were reconstructed with --slices A:B',
    );
  const [target, prediction] = cropped(reference, reconstruction, reconstructionPath);
  const metrics = evaluateVolume(target, prediction);
  const dataRange = target.data.reduce((largest, value) => Math.max(largest, value), 0);
  const slices: ({ index: number } & Metrics)[] = [];
  for (let s = 0; s < target.shape[0]; s += 1) {
    signal.throwIfAborted();
    const values = evaluateVolume(sliceAt(target, s), sliceAt(prediction, s), { dataRange });
    slices.push({ index: first + s, ...values });
    onProgress((s + 1) / target.shape[0]);
  }
  const json = {
    reconstruction: { path: reconstructionPath, dataset: reconstruction.dataset },
    reference: { path: referencePath, dataset: whole.dataset },
    shape: target.shape,
    dataRange,
    metrics,
    slices,
  };
  return { json, text: describe(metrics, slices) };
}

/** Both cropped to the reference's central square of its own width, as fastMRI's evaluation does. */
function cropped(reference: RealArray, prediction: RealArray, path: string): [RealArray, RealArray] {
  const [, height, width] = reference.shape;
  const size = [Math.min(height, width), width] as const;
  const [, rows, columns] = prediction.shape;
  if (rows < size[0] || columns < size[1])
    throw new LarmorError(
      'ERR_SHAPE',
      `evaluate: the images of ${path} must be at least ${size.join(' x ')}, as the reference, got ${rows} x ${columns}`,
    );
  return [centerCrop(reference, size), centerCrop(prediction, size)];
}

function describe(metrics: Metrics, slices: readonly ({ index: number } & Metrics)[]): string {
  const row = (name: string, { ssim, ssimMatched, psnr, nmse }: Metrics): string[] => [
    name,
    ssim.toFixed(4),
    ssimMatched.toFixed(4),
    psnr.toFixed(2),
    nmse.toPrecision(3),
  ];
  const perSlice = slices.length > 1 ? slices.map((slice) => row(`slice ${slice.index}`, slice)) : [];
  return table([['', 'SSIM', 'SSIM matched', 'PSNR [dB]', 'NMSE'], ...perSlice, row('volume', metrics)]);
}
