// An ONNX model as plain data, and how a graph becomes one.
import type { Shape } from '../arrays/complex-array.js';
import { liveNodes, resultsLast } from './traverse.js';
import type { AttributeKind, ElementType, Graph, Node, Value } from './types.js';

/** Element types by their number in ONNX. */
export const ONNX_TYPES = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 } as const;
export type OnnxType = keyof typeof ONNX_TYPES;

export interface OnnxTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly type: OnnxType;
  /** Little-endian elements. */
  readonly bytes: Uint8Array;
}

export type OnnxAttribute =
  | { readonly kind: 'int' | 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints' | 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'tensor'; readonly value: OnnxTensor };

export interface OnnxNode {
  readonly type: string;
  readonly domain: string;
  readonly name: string;
  /** Names; empty where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxPort {
  readonly name: string;
  readonly type: OnnxType;
  /** A name stands for a size known only at run time. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Version by domain; the standard domain is the empty string. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** Values in between whose shapes are known: ONNX Runtime can then let an operator write where one of its inputs lies. */
  readonly values?: readonly OnnxPort[];
}

const IR_VERSION = 8;
const OPSETS = { '': 17, larmor: 1 };

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);

const port = (name: string, { type, shape }: { type: ElementType; shape: Shape }): OnnxPort => ({ name, type, shape });

/**
 * The ONNX form of what the outputs of `graph` depend on. Tensors keep the names of the graph's inputs and outputs; attributes that ONNX
 * wants as tensors become int64 initialisers, shared where equal.
 */
export function toOnnx(graph: Graph, name = 'larmor'): OnnxModel {
  const live = resultsLast(liveNodes(graph, graph.outputs.values()));
  const made = new Set(live.flatMap(({ outputs }) => outputs));
  const names = new Map<Value, string>();
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, OnnxTensor>();
  const identities: OnnxNode[] = [];
  for (const [output, value] of graph.outputs) {
    if (made.has(value) && !names.has(value)) names.set(value, output);
    else
      identities.push({
        type: 'Identity',
        domain: '',
        name: `identity.${output}`,
        inputs: [names.get(value) ?? value.name],
        outputs: [output],
        attributes: {},
      });
  }

  const nameOf = (value: Value): string => names.get(value) ?? value.name;
  const useConstant = (value: Value): void => {
    const data = graph.constants.get(value);
    if (data)
      initializers.set(value.name, { name: value.name, shape: value.shape, type: 'float32', bytes: bytesOf(data) });
  };
  const int64s = (list: readonly number[]): string => {
    const id = `int64.${list.join('_')}`;
    const data = BigInt64Array.from(list, BigInt);
    initializers.set(id, { name: id, shape: [list.length], type: 'int64', bytes: bytesOf(data) });
    return id;
  };
  const lower = ({ operator, inputs, attributes, outputs }: Node, index: number): OnnxNode => {
    const entries = Object.entries(operator.attributes);
    const tensors = entries.filter(([, kind]) => kind === 'tensor');
    const others = entries.filter(([, kind]) => kind !== 'tensor');
    return {
      type: operator.name,
      domain: operator.domain,
      name: `${operator.name}.${index}`,
      inputs: [...inputs.map(nameOf), ...tensors.map(([key]) => int64s(attributes[key] as readonly number[]))],
      outputs: outputs.map(nameOf),
      attributes: Object.fromEntries(
        others.map(([key, kind]) => [
          key,
          { kind: kind as Exclude<AttributeKind, 'tensor'>, value: attributes[key] } as OnnxAttribute,
        ]),
      ),
    };
  };

  for (const value of graph.outputs.values()) useConstant(value);
  for (const node of live) for (const input of node.inputs) useConstant(input);
  nodes.push(...live.map(lower), ...identities);
  const domains = new Set(nodes.map(({ domain }) => domain));
  return {
    irVersion: IR_VERSION,
    producer: 'larmor',
    opsets: Object.fromEntries(Object.entries(OPSETS).filter(([domain]) => domain === '' || domains.has(domain))),
    name,
    nodes,
    initializers: [...initializers.values()],
    inputs: graph.inputs.map((value) => port(value.name, value)),
    outputs: [...graph.outputs].map(([output, value]) => port(output, value)),
    values: [...made].filter((value) => !names.has(value)).map((value) => port(value.name, value)),
  };
}
