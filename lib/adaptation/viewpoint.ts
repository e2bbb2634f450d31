// What a network is shown of a measurement and what its output says of it, for networks that give one image and those that give coil images.
import { type ComplexArray, formatShape } from '../arrays/complex-array.js';
import { coilMagnitude } from '../arrays/magnitude.js';
import type { Seed } from '../arrays/mt19937.js';
import { fromPlanes, toPlanes } from '../arrays/planar.js';
import { scaled } from '../arrays/scaled.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { calibrationColumns } from '../networks/calibration-columns.js';
import { measuredColumns } from '../networks/measured-columns.js';
import type { Model } from '../networks/model.js';
import { brightness, combinedImage, type InputKind, networkInput } from '../networks/network-input.js';
import { EncodingOperator } from '../operators/encoding.js';
import { Fft2 } from '../operators/fft2.js';
import { Mask } from '../operators/mask.js';
import type { SamplingMask } from '../sampling/mask.js';

/** The measurement that a network adapts to. */
export interface MeasuredSlice {
  /** [coil, ky, kx], zero where the mask is. */
  readonly kspace: ComplexArray;
  /** [coil, y, x], or [1, coil, y, x]. Networks that give coil images make maps of their own and need none. */
  readonly maps?: ComplexArray | undefined;
  readonly mask: SamplingMask;
  /** Draws the held-out samples. */
  readonly seed: Seed;
}

/** Inputs of a `TrainingSession` by name, for a batch of one. */
export type SessionData = Readonly<Record<string, Float32Array>>;

/** A measurement as one kind of network sees it. */
export interface Viewpoint {
  /** The samples that count as measured. */
  readonly mask: SamplingMask;
  /** The columns [kx] of which the network makes coil maps: it must see them whole. */
  readonly calibration: SamplingMask | undefined;
  /** Multiplies data units to give the network's amplitude. */
  readonly scale: number;
  /** What never changes beside the samples. */
  readonly data: SessionData;
  /** What the network sees of some of the samples, beside these and their mask; images are multiplied by `factor`. */
  show(seen: SamplingMask, factor: number, options: RunOptions): Promise<SessionData>;
  /** The network's output in data units: [y, x], or [coil, y, x]. */
  image(output: Float32Array): Promise<ComplexArray>;
  /** K-space [coil, ky, kx] of the network's output at its amplitude, right at the samples of `mask`. */
  samples(output: Float32Array, mask: SamplingMask, options: RunOptions): Promise<ComplexArray>;
}

/**
 * The viewpoint of a model.
 *
 * @throws LarmorError `ERR_SHAPE` when kspace and maps disagree or there are several sets of maps; `ERR_MASK` where the network makes coil
 *   maps and the middle columns were not measured; `ERR_NOT_FINITE`, `ERR_ARGUMENT` for k-space without signal.
 */
export function viewpointOf(
  slice: MeasuredSlice,
  { network }: Pick<Model, 'network'>,
  input: InputKind,
  options: RunOptions,
): Promise<Viewpoint> {
  return network.gives === 'coils' ? ofCoils(slice, options) : ofOneImage(slice, input, options);
}

/** By the maps given: the image is that of all coils, and the maps give their samples of it. */
async function ofOneImage(
  { kspace, maps, mask }: MeasuredSlice,
  input: InputKind,
  options: RunOptions,
): Promise<Viewpoint> {
  const [, height, width] = kspace.shape;
  const shape = maps?.shape.length === 4 && maps.shape[0] === 1 ? maps.shape.slice(1) : maps?.shape;
  if (!maps || !shape || kspace.shape.length !== 3 || formatShape(shape) !== formatShape(kspace.shape))
    throw new LarmorError(
      'ERR_SHAPE',
      `adaptation: maps must be one set of the shape of kspace ${formatShape(kspace.shape)}, got ${maps ? formatShape(maps.shape) : 'none'}`,
    );
  const oneSet: ComplexArray = { data: maps.data, shape };
  const { image: whole, scale } = await networkInput(kspace, oneSet, mask, input, options);
  return {
    mask,
    calibration: undefined,
    scale,
    data: { maps: maps.data },
    async show(seen, factor, run) {
      const image =
        seen === mask
          ? whole
          : await combinedImage(await new Mask(seen, kspace.shape).apply(kspace, run), oneSet, seen, input, run);
      const planes = new Float32Array(2 * height * width);
      toPlanes(image, planes, scale * factor);
      return { image: planes };
    },
    image: async (output) => fromPlanes(output, [height, width], 1 / scale),
    samples: (output, samples, run) =>
      new EncodingOperator({ maps: oneSet, mask: samples }).apply(fromPlanes(output, [height, width], 1), run),
  };
}

/** By maps of its own: every coil has an image, whose Fourier transform its samples are. */
async function ofCoils({ kspace, mask }: MeasuredSlice, options: RunOptions): Promise<Viewpoint> {
  const measured = measuredColumns(kspace, mask);
  const [coils] = kspace.shape;
  const width = kspace.shape[2];
  const zeroFilled = await new Fft2(kspace.shape).adjoint(kspace, options);
  const level = brightness(coilMagnitude(zeroFilled.data, coils));
  return {
    mask: measured,
    calibration: { data: Uint8Array.from(calibrationColumns(columnsOf(measured, width))), shape: [width] },
    scale: 1 / level,
    data: {},
    show: async () => ({}),
    image: async (output) => ({ data: await scaled(output, level), shape: kspace.shape }),
    samples: (output, _, run) => new Fft2(kspace.shape).apply({ data: output, shape: kspace.shape }, run),
  };
}

/** 1 for the columns that a mask samples whole. */
function columnsOf({ data }: SamplingMask, width: number): Float32Array {
  const columns = new Float32Array(width).fill(1);
  for (let i = 0; i < data.length; i += 1) if (data[i] === 0) columns[i % width] = 0;
  return columns;
}
