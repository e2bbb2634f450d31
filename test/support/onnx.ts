// Hand-made ONNX files for tests of the runtime: the few protocol-buffer fields that small graphs need.

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
const integer = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
const bytes = (field: number, value: string | readonly number[]): number[] => {
  const content = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value;
  return [...varint(field * 8 + 2), ...varint(content.length), ...content];
};

/** A float32 value of the graph; a string stands for an open length. */
export interface GraphValue {
  name: string;
  shape: readonly (number | string)[];
}

export interface GraphNode {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  domain?: string;
  attributes?: Readonly<Record<string, number | readonly number[]>>;
}

const value = ({ name, shape }: GraphValue): number[] => {
  const lengths = shape.flatMap((n) => bytes(1, typeof n === 'number' ? integer(1, n) : bytes(2, n)));
  return [...bytes(1, name), ...bytes(2, bytes(1, [...integer(1, 1), ...bytes(2, lengths)]))];
};

const INTEGER = 2;
const INTEGERS = 7;
const attribute = ([name, content]: [string, number | readonly number[]]): number[] =>
  typeof content === 'number'
    ? [...bytes(1, name), ...integer(3, content), ...integer(20, INTEGER)]
    : [...bytes(1, name), ...content.flatMap((n) => integer(8, n)), ...integer(20, INTEGERS)];

const node = ({ op, inputs, outputs, domain = '', attributes = {} }: GraphNode): number[] => [
  ...inputs.flatMap((name) => bytes(1, name)),
  ...outputs.flatMap((name) => bytes(2, name)),
  ...bytes(4, op),
  ...Object.entries(attributes).flatMap((entry) => bytes(5, attribute(entry))),
  ...bytes(7, domain),
];

/** The bytes of a model, opset 17. */
export function onnxModel(
  nodes: readonly GraphNode[],
  inputs: readonly GraphValue[],
  outputs: readonly GraphValue[],
): Uint8Array {
  const graph = [
    ...nodes.flatMap((each) => bytes(1, node(each))),
    ...bytes(2, 'graph'),
    ...inputs.flatMap((each) => bytes(11, value(each))),
    ...outputs.flatMap((each) => bytes(12, value(each))),
  ];
  const opsets = [bytes(8, integer(2, 17)), bytes(8, [...bytes(1, 'larmor'), ...integer(2, 1)])];
  return new Uint8Array([...integer(1, 8), ...bytes(7, graph), ...opsets.flat()]);
}

/** y = x w w ... w of `count` matrix products, about 5 ms each: for what happens in the middle of a run. */
export function longModel(count: number): Uint8Array {
  const shape = [512, 512];
  const outputs = Array.from({ length: count }, (_, i) => (i === count - 1 ? 'y' : `y${i}`));
  return onnxModel(
    outputs.map((name, i) => ({ op: 'MatMul', inputs: [i === 0 ? 'x' : outputs[i - 1], 'w'], outputs: [name] })),
    ['x', 'w'].map((name) => ({ name, shape })),
    [{ name: 'y', shape }],
  );
}
