// Networks that an ONNX graph describes: built, differentiated and trained like larmor's own.
import { z } from 'zod';
import { points } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { lowerOnnx } from '../graph/import/lower.js';
import { decodeOnnx, encodeOnnx } from '../graph/onnx.js';
import type { OnnxModel, OnnxNode, OnnxPort } from '../graph/onnx-model.js';
import type { Value } from '../graph/types.js';
import { type ImageNetwork, imageNetworkOf } from './image-network.js';
import type { Initialiser, Network, ParameterSpec } from './network.js';

const schema = z.strictObject({
  /** The ONNX file in base64, with the trained parameters as further inputs after the image. */
  graph: z.base64(),
});

/** Operands that are numbers of the graph, not weights: statistics of training, scales, bounds, pads. */
const NUMBERS: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [3, 4],
  Clip: [1, 2],
  Dropout: [1, 2],
  Pad: [1, 2],
  Pow: [1],
  Resize: [1, 2, 3],
  Upsample: [1],
};
const PRELU_SLOPE = 0.25;

/**
 * The network of a graph in a larmor model file.
 *
 * @throws LarmorError `ERR_MODEL` when the configuration is not one that `onnxNetworkOf` made.
 */
export function createOnnxNetwork(config: unknown): ImageNetwork {
  const parsed = schema.safeParse(config);
  if (!parsed.success) throw new LarmorError('ERR_MODEL', `onnx: config must hold the graph in base64`);
  return networkOf(decodeOnnx(Buffer.from(parsed.data.graph, 'base64')), parsed.data);
}

/**
 * The network of an ONNX model, whose float32 initialisers of one axis or more become its parameters.
 *
 * @throws LarmorError `ERR_MODEL` when it does not map one image [n,c,y,x] to another.
 */
export function onnxNetworkOf(model: OnnxModel): ImageNetwork {
  const names = new Set(trainedInitializers(model));
  const weights = model.initializers.filter(({ name }) => names.has(name));
  const listed = new Set(model.initializers.map(({ name }) => name));
  const images = model.inputs.filter(({ name }) => !listed.has(name)); // old files list initialisers as inputs too
  if (images.length !== 1)
    throw new LarmorError(
      'ERR_MODEL',
      `ONNX: a network must have one input, the image; this has ${images.length}: ${images.map(({ name }) => name).join(', ')}`,
    );
  const open: OnnxModel = {
    ...model,
    initializers: model.initializers.filter(({ name }) => !names.has(name)),
    inputs: [...images, ...weights.map(({ name, type, shape }): OnnxPort => ({ name, type, shape }))],
  };
  return networkOf(open, { graph: Buffer.from(encodeOnnx(open)).toString('base64') });
}

/** The ONNX graph that a network came from, with its parameters as inputs after the image; undefined for larmor's own networks. */
export function originalGraph({ kind, config }: Network): OnnxModel | undefined {
  return kind === 'onnx' ? decodeOnnx(Buffer.from(String(config.graph), 'base64')) : undefined;
}

/** Names of the initialisers that training may change. */
export function trainedInitializers({ initializers, nodes }: OnnxModel): string[] {
  const fixed = new Set(nodes.flatMap(({ type, inputs }) => (NUMBERS[type] ?? []).map((index) => inputs[index])));
  return initializers
    .filter(({ name, type, shape }) => type === 'float32' && shape.length > 0 && points(shape) > 0 && !fixed.has(name))
    .map(({ name }) => name);
}

function networkOf(model: OnnxModel, config: { graph: string }): ImageNetwork {
  const [image, ...weights] = model.inputs;
  const [output, ...others] = model.outputs;
  if (!output || others.length > 0)
    throw new LarmorError('ERR_MODEL', `ONNX: a network must have one output, this has ${model.outputs.length}`);
  const inChannels = channels(image);
  return imageNetworkOf({
    kind: 'onnx',
    config,
    parameters: parameterSpecs(weights, model.nodes),
    inChannels,
    outChannels: channels(output),
    build(input: Value, parameter: (name: string) => Value): Value {
      if (input.shape.length !== 4 || input.shape[1] !== inChannels)
        throw new LarmorError('ERR_SHAPE', `onnx: input must have shape [n,${inChannels},y,x], got [${input.shape}]`);
      const inputs = new Map([[image.name, input], ...weights.map(({ name }) => [name, parameter(name)] as const)]);
      return lowered(model, image, inputs, input).get(output.name) as Value;
    },
  });
}

function channels({ name, shape, type }: OnnxPort): number {
  const [, count] = shape;
  if (type !== 'float32' || shape.length !== 4 || typeof count !== 'number')
    throw new LarmorError(
      'ERR_MODEL',
      `ONNX: "${name}" must be an image of float32, [n,c,y,x] with a fixed number of channels; it is ${type} [${shape}]`,
    );
  return count;
}

/** Lowers the graph; where it only fits the image size it was exported for, says so. */
function lowered(
  model: OnnxModel,
  image: OnnxPort,
  inputs: ReadonlyMap<string, Value>,
  { graph, shape }: Value,
): Map<string, Value> {
  try {
    return lowerOnnx(model, graph, inputs);
  } catch (error) {
    const fixed = image.shape.every((n) => typeof n === 'number');
    if (!(error instanceof LarmorError) || !fixed || String(image.shape) === String(shape)) throw error;
    const hint = `the file was exported for images [${image.shape}] and may fit no other; export it with dynamic axes`;
    throw new LarmorError(error.code, `${error.message} (input [${shape}]: ${hint})`, { cause: error });
  }
}

const LAYERS = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'];
const NORMALISATIONS = ['BatchNormalization', 'GroupNormalization', 'InstanceNormalization', 'LayerNormalization'];

/** The half of the parameters that the graph uses last counts as decoder; the first and the last layer are its ends. */
function parameterSpecs(weights: readonly OnnxPort[], nodes: readonly OnnxNode[]): ParameterSpec[] {
  const firstUse = (name: string): number => nodes.findIndex(({ inputs }) => inputs.includes(name));
  const order = weights.map(({ name }) => firstUse(name)).sort((a, b) => a - b);
  const middle = order[Math.ceil(order.length / 2) - 1];
  const kernels = weights.map(({ name }) => firstUse(name)).filter((use) => LAYERS.includes(nodes[use]?.type));
  const [first, last] = [Math.min(...kernels), Math.max(...kernels)];
  const roleOf = (use: number): ParameterSpec['role'] => {
    if (NORMALISATIONS.includes(nodes[use]?.type)) return 'scale';
    if (use === last) return 'last';
    return use === first ? 'first' : undefined;
  };
  return weights.map(({ name, shape }) => {
    const lengths = shape.filter((n) => typeof n === 'number');
    const part = firstUse(name) > middle ? 'decoder' : 'encoder';
    return { name, shape: lengths, initial: initialiser(name, lengths, nodes), part, role: roleOf(firstUse(name)) };
  });
}

/** As PyTorch starts weights in this place: kernels by their fan-in, scales at 1, slopes at 0.25, biases at 0. */
function initialiser(name: string, shape: readonly number[], nodes: readonly OnnxNode[]): Initialiser {
  const user = nodes.find(({ inputs }) => inputs.includes(name));
  if (user?.type === 'Unsqueeze' || user?.type === 'Reshape') return initialiser(user.outputs[0], shape, nodes);
  if (user?.type === 'PRelu') return { value: PRELU_SLOPE };
  if (shape.length > 1) return { bound: 1 / Math.sqrt(points(shape) / shape[0]) };
  return { value: user?.inputs.indexOf(name) === 2 || user?.type === 'Add' ? 0 : 1 };
}
