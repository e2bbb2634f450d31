// Takes the graph of an ONNX model over into a graph under construction, operator by operator.
import type { Shape } from '../../arrays/complex-array.js';
import { LarmorError } from '../../errors.js';
import { nearestName } from '../../io/nearest-name.js';
import type { OnnxModel, OnnxNode } from '../onnx-model.js';
import type { Graph, Value } from '../types.js';
import { describeNode, type Lowering, OnnxCall, type Operand } from './call.js';
import { FOLDS } from './fold.js';
import { Known } from './known.js';
import { CONVOLUTION } from './lower-convolution.js';
import { ELEMENTWISE } from './lower-elementwise.js';
import { instanceNormalisation, NORMALISATION } from './lower-normalisation.js';
import { POOLING } from './lower-pooling.js';
import { RESIZE } from './lower-resize.js';
import { SHAPES } from './lower-shapes.js';

const LOWERINGS: Readonly<Record<string, Lowering>> = {
  ...ELEMENTWISE,
  ...SHAPES,
  ...CONVOLUTION,
  ...POOLING,
  ...NORMALISATION,
  ...RESIZE,
};

/** Names of the ONNX operators that can be imported. */
export const importedOperators: readonly string[] = [
  ...new Set([...Object.keys(LOWERINGS), ...Object.keys(FOLDS)]),
].sort();

const MIN_OPSET = 9;

/**
 * Appends what an ONNX model computes to the graph of `inputs`.
 *
 * Exact up to rounding: the same operators, or compositions that compute the same. What a model computes from shapes and constants alone is
 * evaluated here. An instance normalisation and the ReLU or leaky ReLU after it become one operator.
 *
 * @param inputs By name, a value for every input of the model.
 * @returns The model's outputs by name.
 * @throws LarmorError `ERR_GRAPH` naming the node when an operator, or a form of it, is not supported; `ERR_SHAPE` when shapes disagree.
 */
export function lowerOnnx(model: OnnxModel, graph: Graph, inputs: ReadonlyMap<string, Value>): Map<string, Value> {
  const opset = model.opsets[''] ?? model.opsets['ai.onnx'] ?? 0;
  if (opset < MIN_OPSET)
    throw new LarmorError(
      'ERR_GRAPH',
      `ONNX: the model is of opset ${opset}; export it with opset ${MIN_OPSET} or later`,
    );
  const known = new Map<string, Operand>(inputs);
  for (const tensor of model.initializers) known.set(tensor.name, Known.from(tensor));
  const constants = new Map<Known, Value>();
  const constant = (operand: Known): Value => {
    const value = constants.get(operand) ?? constantOf(graph, operand);
    constants.set(operand, value);
    return value;
  };
  const fused = fusedActivations(model);
  const skipped = new Set(fused.values());

  for (const node of model.nodes) {
    if (skipped.has(node)) continue;
    const operands = node.inputs.map((name) => (name === '' ? undefined : known.get(name)));
    const missing = node.inputs.find((name, i) => name !== '' && operands[i] === undefined);
    const call = new OnnxCall(graph, node, opset, operands, constant);
    if (missing !== undefined) call.fail(`its input "${missing}" is computed nowhere before it`);
    const activation = fused.get(node);
    const results = activation ? [instanceNormalisation(call, slopeOf(activation))] : apply(call);
    const names = (activation ?? node).outputs;
    results.forEach((result, i) => {
      if (names[i]) known.set(names[i], result);
    });
  }

  const outputs = model.outputs.map(({ name }): [string, Value] => {
    const result = known.get(name);
    if (!result || result instanceof Known)
      throw new LarmorError('ERR_GRAPH', `ONNX: the output "${name}" does not depend on the input`);
    return [name, result];
  });
  return new Map(outputs);
}

function constantOf(graph: Graph, { shape, data }: Known): Value {
  return shape.length === 0 ? graph.scalar(data[0]) : graph.constant(Float32Array.from(data), shape);
}

function apply(call: OnnxCall): readonly Operand[] {
  const { type, domain } = call.node;
  const standard = domain === '' || domain === 'ai.onnx';
  const allKnown = call.operands.every((operand) => operand === undefined || operand instanceof Known);
  const fold = standard && allKnown && Object.hasOwn(FOLDS, type) ? FOLDS[type] : undefined;
  const rule = fold ?? (standard && Object.hasOwn(LOWERINGS, type) ? LOWERINGS[type] : undefined);
  if (!rule) throw unsupported(call.node);
  try {
    return [rule(call)].flat();
  } catch (error) {
    if (!(error instanceof LarmorError) || error.message.startsWith('ONNX:')) throw error;
    const shapes = call.operands.map((operand) => describeShape(operand?.shape)).join(', ');
    throw new LarmorError(error.code, `ONNX: ${describeNode(call.node)} of ${shapes}: ${error.message}`, {
      cause: error,
    });
  }
}

const describeShape = (shape: Shape | undefined): string => (shape ? `[${shape}]` : 'nothing');

function unsupported(node: OnnxNode): LarmorError {
  const name = node.domain === '' ? node.type : `${node.domain}.${node.type}`;
  return new LarmorError(
    'ERR_GRAPH',
    `ONNX: operator ${name} (node "${node.name || node.outputs[0]}") is not supported; the nearest is ${nearestName(node.type, importedOperators)?.name}. ` +
      `Supported are ${importedOperators.join(', ')}`,
  );
}

/** For each instance normalisation whose result only an activation uses: that activation. */
function fusedActivations({ nodes, outputs }: OnnxModel): Map<OnnxNode, OnnxNode> {
  const users = new Map<string, OnnxNode[]>();
  for (const node of nodes) for (const name of node.inputs) users.set(name, [...(users.get(name) ?? []), node]);
  const results = new Set(outputs.map(({ name }) => name));
  const fused = new Map<OnnxNode, OnnxNode>();
  for (const node of nodes) {
    if (node.type !== 'InstanceNormalization' || results.has(node.outputs[0])) continue;
    const [activation, ...others] = users.get(node.outputs[0]) ?? [];
    if (others.length === 0 && (activation?.type === 'LeakyRelu' || activation?.type === 'Relu'))
      fused.set(node, activation);
  }
  return fused;
}

function slopeOf({ type, attributes }: OnnxNode): number {
  if (type === 'Relu') return 0;
  return attributes.alpha?.kind === 'float' ? attributes.alpha.value : 0.01;
}
