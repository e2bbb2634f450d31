// ONNX models by hand: tensors, nodes, and models of one input `x`.
import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor } from '#larmor/graph/onnx-model.js';

/** An attribute as tests write it. */
export type Plain = number | string | readonly number[];

/** A model of one input. */
export interface OnnxCase {
  readonly what: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxTensor[];
  /** Shape of the input `x`. */
  readonly shape: readonly number[];
  /** Range of the input's values; default [-1, 1]. */
  readonly range?: readonly [number, number];
}

const bytesOf = ({ buffer, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, 0, byteLength);

export const ints = (name: string, list: readonly number[], shape = [list.length]): OnnxTensor => ({
  name,
  shape,
  type: 'int64',
  bytes: bytesOf(BigInt64Array.from(list, BigInt)),
});

export const floats = (
  name: string,
  list: readonly number[],
  shape: readonly number[] = [list.length],
): OnnxTensor => ({
  name,
  shape,
  type: 'float32',
  bytes: bytesOf(Float32Array.from(list)),
});

/** Numbers between -1 and 1 that no symmetry hides. */
export const waves = (name: string, shape: readonly number[]): OnnxTensor => {
  const count = shape.reduce((product, n) => product * n, 1);
  return floats(
    name,
    Array.from({ length: count }, (_, i) => Math.sin(1 + 1.7 * i)),
    shape,
  );
};

/** A whole number is an int, any other a float; lists are ints. */
function attribute(value: Plain): OnnxAttribute {
  if (typeof value === 'string') return { kind: 'string', value };
  if (typeof value === 'number') return { kind: Number.isInteger(value) ? 'int' : 'float', value };
  return { kind: 'ints', value };
}

/** `Type(inputs) -> outputs`; an attribute whose name ends in `:f` is a float whatever its value. */
export function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, Plain | OnnxAttribute>> = {},
): OnnxNode {
  const entries = Object.entries(attributes).map(([name, value]): [string, OnnxAttribute] => {
    if (name.endsWith(':f')) return [name.slice(0, -2), { kind: 'float', value: value as number }];
    return [name, typeof value === 'object' && 'kind' in value ? value : attribute(value as Plain)];
  });
  return { type, domain: '', name: `/${outputs[0]}/${type}`, inputs, outputs, attributes: Object.fromEntries(entries) };
}

/** The model of a case, with `y` of a given shape as its output. */
export const modelOf = (
  { nodes, constants, shape }: OnnxCase,
  output: readonly (number | string)[],
  opset = 17,
): OnnxModel => ({
  irVersion: 8,
  producer: 'test',
  opsets: { '': opset },
  name: 'case',
  nodes,
  initializers: constants,
  inputs: [{ name: 'x', type: 'float32', shape }],
  outputs: [{ name: 'y', type: 'float32', shape: output }],
});
