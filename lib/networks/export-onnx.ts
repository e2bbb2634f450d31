// larmor's models as standard ONNX files, for inference elsewhere.
import type { Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { GraphBuilder } from '../graph/builder.js';
import { encodeOnnx } from '../graph/onnx.js';
import { type OnnxModel, type OnnxNode, type OnnxPort, type OnnxTensor, toOnnx } from '../graph/onnx-model.js';
import { toPortable } from '../graph/portable.js';
import type { Value } from '../graph/types.js';
import { type ImageNetwork, imageNetwork } from './image-network.js';
import type { Model } from './model.js';
import { originalGraph } from './onnx-network.js';
import type { ParameterStore } from './parameters.js';

/** What `exportOnnx` may fix. */
export interface ExportOptions {
  /**
   * Height and width of the images. Default: open, which for the U-Net means any multiple of 2^pools; with a size given it is padded as
   * larmor pads it.
   */
  readonly size?: readonly [height: number, width: number] | undefined;
}

/** Sides that every network of open size takes; different ones, so that what depends on them shows. */
const TRIAL_SIDES = [256, 512] as const;

/**
 * The bytes of an `.onnx` file (opset 17, standard operators) that computes what the model's network computes: input "input"
 * [batch, channels, height, width], output "output", weights as initialisers under their names.
 *
 * A network that came from an ONNX file goes back as its own graph with the present weights.
 *
 * @throws LarmorError `ERR_MODEL` for a network that works on k-space; `ERR_ARGUMENT` when its graph
 *   depends on the size of the image and none is given, or is one from a file and a size is given; `ERR_SHAPE` when it does not take it.
 */
export function exportOnnx(model: Model, { size }: ExportOptions = {}): Uint8Array {
  const network = imageNetwork('exportOnnx', model.network);
  const original = originalGraph(network);
  if (original && size)
    throw new LarmorError(
      'ERR_ARGUMENT',
      'exportOnnx: a network that came from an ONNX file keeps its sizes; leave size out',
    );
  const graph = original ?? (size ? fixedModel(network, size) : openModel(network));
  return encodeOnnx(withWeights(graph, model.weights));
}

/** The network on images [n,channels,y,x]: its parameters are inputs after the image. */
function modelAt(network: ImageNetwork, shape: Shape): OnnxModel {
  const graph = new GraphBuilder();
  const input = graph.input('input', shape);
  const parameters = new Map(network.parameters.map((spec) => [spec.name, graph.input(spec.name, spec.shape)]));
  graph.output(
    'output',
    network.build(input, (name) => parameters.get(name) as Value),
  );
  return toOnnx(toPortable(graph), network.kind);
}

function fixedModel(network: ImageNetwork, size: readonly [number, number]): OnnxModel {
  const single = modelAt(network, [1, network.inChannels, ...size]);
  const double = modelAt(network, [2, network.inChannels, ...size]);
  return sameGraph(single, double) ? withAxes(single, ['batch', ...size]) : single;
}

function openModel(network: ImageNetwork): OnnxModel {
  const [a, b] = TRIAL_SIDES;
  const model = modelAt(network, [1, network.inChannels, a, b]);
  if (!sameGraph(model, modelAt(network, [2, network.inChannels, b, a])))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `exportOnnx: the graph of this ${network.kind} network depends on the size of the image; say which with size`,
    );
  return withAxes(model, ['batch', 'height', 'width']);
}

/** Whether two models differ in the shapes of their inputs and outputs alone. */
function sameGraph(a: OnnxModel, b: OnnxModel): boolean {
  const text = ({ nodes, initializers }: OnnxModel): string =>
    JSON.stringify([nodes, initializers.map(({ bytes, ...rest }) => [rest, Buffer.from(bytes).toString('base64')])]);
  return text(a) === text(b);
}

/** The model with other lengths of batch, height and width; a name stands for any length. */
function withAxes(model: OnnxModel, [batch, height, width]: readonly (number | string)[]): OnnxModel {
  const [image, ...parameters] = model.inputs;
  const opened = (port: OnnxPort): OnnxPort => ({ ...port, shape: [batch, port.shape[1], height, width] });
  return { ...model, inputs: [opened(image), ...parameters], outputs: model.outputs.map(opened), values: [] };
}

/** The model with its parameters as initialisers and its other numbers as nodes, so that readers can tell which is which. */
function withWeights(model: OnnxModel, weights: ParameterStore): OnnxModel {
  const [image] = model.inputs;
  const parameters = weights.specs.map(({ name, shape }): OnnxTensor => {
    const { buffer, byteOffset, byteLength } = weights.get(name);
    return { name, shape, type: 'float32', bytes: new Uint8Array(buffer, byteOffset, byteLength) };
  });
  const constants = model.initializers.map(constantNode);
  return { ...model, inputs: [image], initializers: parameters, nodes: [...constants, ...model.nodes] };
}

const constantNode = (value: OnnxTensor): OnnxNode => ({
  type: 'Constant',
  domain: '',
  name: `Constant.${value.name}`,
  inputs: [],
  outputs: [value.name],
  attributes: { value: { kind: 'tensor', value } },
});
