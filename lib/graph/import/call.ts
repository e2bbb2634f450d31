// One node of an ONNX model while it is lowered: its operands, its attributes with their defaults, and errors that name it.
import { LarmorError } from '../../errors.js';
import type { OnnxAttribute, OnnxNode } from '../onnx-model.js';
import type { Graph, Value } from '../types.js';
import { Known } from './known.js';

/** A tensor of the model: computed by the graph, or known already. */
export type Operand = Value | Known;

/** How an operator becomes nodes of the table. */
export type Lowering = (call: OnnxCall) => Operand | readonly Operand[];

/** How a node reads in messages: `Conv "/c1/Conv"`. */
export const describeNode = ({ type, name, outputs }: OnnxNode): string => `${type} "${name || outputs[0]}"`;

export class OnnxCall {
  constructor(
    readonly graph: Graph,
    readonly node: OnnxNode,
    /** Version of the standard operators. */
    readonly opset: number,
    readonly operands: readonly (Operand | undefined)[],
    readonly constant: (known: Known) => Value,
  ) {}

  /** Throws `ERR_GRAPH` naming the node. */
  fail(what: string): never {
    throw new LarmorError('ERR_GRAPH', `ONNX: ${describeNode(this.node)}: ${what}`);
  }

  has(index: number): boolean {
    return this.operands[index] !== undefined;
  }

  operand(index: number): Operand {
    return this.operands[index] ?? this.fail(`input ${index} is missing`);
  }

  /** An operand as a value of the graph. */
  value(index: number): Value {
    const operand = this.operand(index);
    return operand instanceof Known ? this.constant(operand) : operand;
  }

  values(): Value[] {
    return this.operands.map((_, i) => this.value(i));
  }

  /** An operand that must be known while the graph is built. */
  known(index: number): Known {
    const operand = this.operand(index);
    if (operand instanceof Known) return operand;
    return this.fail(`input ${index}, "${this.node.inputs[index]}", must not depend on the image`);
  }

  int(name: string, fallback: number): number {
    return (this.#attribute(name, 'int') as number | undefined) ?? fallback;
  }

  float(name: string, fallback: number): number {
    return (this.#attribute(name, 'float') as number | undefined) ?? fallback;
  }

  string(name: string, fallback: string): string {
    return (this.#attribute(name, 'string') as string | undefined) ?? fallback;
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name, 'ints') as readonly number[] | undefined;
  }

  /** A list that older versions had as an attribute and newer ones have as an input. */
  list(name: string, index: number): readonly number[] | undefined {
    return this.ints(name) ?? (this.has(index) ? this.known(index).list : undefined);
  }

  /** Refuses an attribute that is set to anything but `value`. */
  expect(name: string, value: number | string): void {
    const attribute = this.node.attributes[name];
    if (attribute && attribute.value !== value)
      this.fail(`${name} ${JSON.stringify(attribute.value)} is not supported; larmor knows ${JSON.stringify(value)}`);
  }

  #attribute(name: string, kind: OnnxAttribute['kind']): OnnxAttribute['value'] | undefined {
    const attribute = this.node.attributes[name];
    if (attribute && attribute.kind !== kind)
      this.fail(`attribute ${name} must be of kind ${kind}, got ${attribute.kind}`);
    return attribute?.value;
  }
}
