// fastMRI's end-to-end VarNet: names, order and initial distribution of its parameters as in PyTorch, so that weights can be exchanged.
import { z } from 'zod';
import { LarmorError } from '../errors.js';
import {
  concat,
  divide,
  expand,
  greater,
  multiply,
  negate,
  reduceSum,
  reshape,
  split,
  sqrt,
  transpose,
  where,
} from '../graph/operations.js';
import { sampleWeights } from '../graph/operators/physics-forms.js';
import { encode, encodeAdjoint, fft2, sampleStep } from '../graph/physics-operations.js';
import type { Value } from '../graph/types.js';
import type { ImageNetwork } from './image-network.js';
import type { CoilPrediction, Network, NetworkInputs, ParameterSpec, Parameters } from './network.js';
import { createNormUnet } from './norm-unet.js';
import { networkSettings } from './settings.js';

const channels = z.int().min(1).max(1024);
const pools = z.int().min(1).max(8);

const schema = z.strictObject({
  cascades: z.int().min(1).max(64).default(12),
  /** Channels of the first level of the U-Net in every cascade, and its levels below. */
  channels: channels.default(18),
  pools: pools.default(4),
  /** The network that makes the coil maps; null without one: the k-space is of one virtual coil. */
  sensitivity: z
    .strictObject({ channels: channels.default(8), pools: pools.default(4) })
    .nullable()
    .prefault({}),
});

export type VarnetConfig = z.output<typeof schema>;

/** Coils that the network of the maps takes together: fewer hold less at a time, and what they hold stays nearer. */
const COILS_AT_ONCE = 4;
const SENSITIVITY = 'sens_net.norm_unet.';
const cascadeName = (cascade: number): string => `cascades.${cascade}`;
const modelName = (cascade: number): string => `${cascadeName(cascade)}.model.`;
const stepName = (cascade: number): string => `${cascadeName(cascade)}.dc_weight`;

/**
 * The end-to-end VarNet on k-space k of which the samples y under the mask M are measured. In every cascade
 *
 *     k <- k - eta M (k - y) - F S R(S^H F^H k)
 *
 * with a NormUnet R and a trained step eta of its own, from k = y on. The maps S come out of the graph too: a further NormUnet takes the
 * image of every coil by the calibration lines alone, and its outputs are divided by their root sum of squares. It is trained with the rest.
 *
 * With `sensitivity: null` it is the network of the published test-time training, from image to image: the image it is given counts as
 * that of one virtual coil, S = 1, whose k-space is y at every sample and M pulls towards.
 *
 * Memory, measured: a forward run takes about 32 p bytes for p pixels times the channels of the widest U-Net, where that of the maps counts
 * for 4 coils, and 64 c p bytes of k-space of c coils, whatever the number of cascades. A training step keeps what all its networks computed
 * until the way back. At 15 coils of 640x368 with 12 cascades these are 0.5 GB and 4.2 GB; training that recomputes takes 1.6 GB.
 *
 * @param config `VarnetConfig` with any field left out: 12 cascades of 18 channels and 4 pools, maps by 8 channels and 4 pools.
 * @throws LarmorError `ERR_MODEL` naming the first wrong field.
 * @see Sriram et al., End-to-End Variational Networks for Accelerated MRI Reconstruction, MICCAI 2020.
 */
export function createVarnet(config: unknown = {}): Network {
  const settings = networkSettings('varnet', schema, config);
  const sensitivity = settings.sensitivity && createNormUnet(settings.sensitivity);
  const regulariser = createNormUnet(settings);
  return {
    kind: 'varnet',
    config: settings,
    parameters: varnetParameters(settings.cascades, regulariser, sensitivity),
    inChannels: 2,
    outChannels: 2,
    gives: sensitivity ? 'coils' : 'image',
    reconstruct(inputs, parameter) {
      const measured = sensitivity ? coilMeasurement(inputs) : virtualCoil(inputs);
      const maps = sensitivity
        ? networkMaps(measured, inputs.calibrationMask(), under(SENSITIVITY, sensitivity, parameter))
        : unitMaps(measured);
      const regularisers = Array.from({ length: settings.cascades }, (_, cascade) => ({
        network: under(modelName(cascade), regulariser, parameter),
        step: parameter(stepName(cascade)),
      }));
      const { image, coils } = descend(measured, maps, regularisers);
      return sensitivity ? { image, coils } : { image };
    },
  };
}

/** The samples that a cascade pulls towards. */
interface Measured {
  /** [n, coil, y, x, 2]. */
  readonly kspace: Value;
  readonly mask: Value;
}

type ImageFunction = (image: Value) => Value;

/** A network on images whose parameters bear a prefix. */
const under =
  (prefix: string, network: ImageNetwork, parameter: Parameters): ImageFunction =>
  (image) =>
    network.build(image, (name) => parameter(prefix + name));

/** Every parameter, in the order in which PyTorch draws their initial values. */
function varnetParameters(count: number, regulariser: ImageNetwork, sensitivity: ImageNetwork | null): ParameterSpec[] {
  const named = (prefix: string, { parameters }: ImageNetwork): ParameterSpec[] =>
    parameters.map((spec) => ({ ...spec, name: prefix + spec.name }));
  const specs = sensitivity ? named(SENSITIVITY, sensitivity) : [];
  for (let cascade = 0; cascade < count; cascade++)
    specs.push(
      { name: stepName(cascade), shape: [1], initial: { value: 1 }, part: 'decoder', role: 'scale' },
      ...named(modelName(cascade), regulariser),
    );
  return specs;
}

function fail(argument: string, want: string, shape: readonly number[]): never {
  throw new LarmorError('ERR_SHAPE', `varnet: ${argument} must have ${want}, got [${shape}]`);
}

function coilMeasurement(inputs: NetworkInputs): Measured {
  const [kspace, mask] = [inputs.kspace(), inputs.mask()];
  const { shape } = kspace;
  const [, , y, x, parts] = shape;
  if (shape.length !== 5 || parts !== 2) fail('kspace', 'shape [n,coil,y,x,2]', shape);
  if (y * x < 2) fail('kspace', '2 pixels or more', shape);
  expectMask('mask', mask, shape);
  return { kspace, mask };
}

/** The image as what one coil that sees everything alike would have measured. */
function virtualCoil(inputs: NetworkInputs): Measured {
  const [image, mask] = [inputs.image(), inputs.mask()];
  const [n, channels, y, x] = image.shape;
  if (image.shape.length !== 4 || channels !== 2) fail('image', 'shape [n,2,y,x]', image.shape);
  if (y * x < 2) fail('image', '2 pixels or more', image.shape);
  expectMask('mask', mask, [n, 1, y, x, 2]);
  return { kspace: fft2(reshape(transpose(image, [0, 2, 3, 1]), [n, 1, y, x, 2])), mask };
}

function expectMask(argument: string, mask: Value, [n, , y, x]: readonly number[]): void {
  const [batch, rows, columns] = mask.shape;
  if (mask.shape.length !== 3 || batch !== n || (rows !== 1 && rows !== y) || columns !== x)
    fail(argument, `shape [${n},1,${x}] or [${n},${y},${x}]`, mask.shape);
}

/** Maps [n,coil,y,x,2] whose sum of squared magnitudes is 1; 0 where all outputs of the network are. */
function networkMaps({ kspace }: Measured, calibrationMask: Value, network: ImageFunction): Value {
  expectMask('calibrationMask', calibrationMask, kspace.shape);
  const [n, coils, y, x] = kspace.shape;
  const lowResolution = fft2(multiply(kspace, sampleWeights(calibrationMask)), { inverse: true });
  const planar = transpose(reshape(lowResolution, [n * coils, y, x, 2]), [0, 3, 1, 2]);
  const groups = Math.ceil((n * coils) / COILS_AT_ONCE);
  const sizes = Array.from({ length: groups }, (_, i) => Math.floor((n * coils + i) / groups));
  const outputs = split(planar, 0, sizes).map((images) => images.graph.stage(() => network(images)));
  const maps = reshape(transpose(concat(outputs, 0), [0, 2, 3, 1]), kspace.shape);
  const { root, positive } = rootSumOfSquares(maps);
  return divide(maps, where(positive, root, 1));
}

/** Root of the sum over coils of |x|^2, [n,1,y,x,1], with a derivative of 0 where it is 0. */
function rootSumOfSquares(x: Value): { readonly root: Value; readonly positive: Value } {
  const energy = reduceSum(multiply(x, x), { axes: [1, 4], keep: true });
  const positive = greater(energy, 0);
  return { root: where(positive, sqrt(where(positive, energy, 1)), 0), positive };
}

function unitMaps({ kspace: { graph, shape } }: Measured): Value {
  return expand(graph.constant(Float32Array.of(1, 0), [1, 1, 1, 1, 2]), shape);
}

/** A cascade's network, and its step [1] towards the measured samples. */
interface Cascade {
  readonly network: ImageFunction;
  readonly step: Value;
}

function descend(
  { kspace: measured, mask }: Measured,
  maps: Value,
  cascades: readonly Cascade[],
): { readonly image: Value; readonly coils: CoilPrediction } {
  const [n, , y, x] = measured.shape;
  const everywhere = measured.graph.constant(new Float32Array(n * x).fill(1), [n, 1, x]);
  const combined = (kspace: Value): Value => encodeAdjoint(kspace, maps, everywhere);
  const descended = (kspace: Value, { network, step }: Cascade): Value => {
    const correction = encode(negate(network(combined(kspace))), maps, everywhere);
    return sampleStep(kspace, mask, step, measured, correction);
  };
  const kspace = cascades.reduce((before, cascade) => before.graph.stage(() => descended(before, cascade)), measured);
  const images = fft2(kspace, { inverse: true });
  const { root } = rootSumOfSquares(images);
  return { image: combined(kspace), coils: { kspace, maps, images, magnitude: reshape(root, [n, y, x]) } };
}
