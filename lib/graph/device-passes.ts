// Passes over all tensors of a store on a device, as small graphs of standard operators.
import type { NamedTensors } from '../runtime/bound-tensors.js';
import type { DeviceTensor } from '../runtime/device-tensor.js';
import type { FlatLayout } from '../runtime/flat-layout.js';
import { GraphBuilder } from './builder.js';
import { abs, add, concat, divide, multiply, pad, reduceSum, reshape, split, sqrt, subtract } from './operations.js';
import type { Graph, Value } from './types.js';

/** The tensors of a layout on a device: one for each name, or one that holds all as the layout has them. */
export type DeviceTensors = ReadonlyMap<string, DeviceTensor> | DeviceTensor;

const isFlat = (tensors: DeviceTensors): tensors is DeviceTensor => !(tensors instanceof Map);

/** What a pass makes of flat values: flat ones by the names of its outputs, and single numbers that come back to the host. */
export interface PassDefinition {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly scalars: readonly string[];
  readonly outputs: readonly string[];
  readonly results: readonly string[];
  compute(values: Readonly<Record<string, Value>>): Readonly<Record<string, Value>>;
}

/** Sums of so many terms each come first: the device adds the terms of one sum in one group of threads. */
const ROW = 1024;

function total(x: Value): Value {
  const [n] = x.shape;
  const rows = Math.ceil(n / ROW);
  const sums = reduceSum(reshape(pad(x, [0, rows * ROW - n]), [rows, ROW]), { axes: [1] });
  return reshape(reduceSum(sums), [1]);
}

export const PASSES = {
  gather: define('gather', ['x'], [], ['y'], [], ({ x }) => ({ y: x })),
  // y = keep y + add x
  blend: define('blend', ['y', 'x'], ['keep', 'add'], ['y'], [], ({ y, x, keep, add: weight }) => ({
    y: add(multiply(y, keep), multiply(x, weight)),
  })),
  // y = add x
  scale: define('scale', ['x'], ['add'], ['y'], [], ({ x, add: weight }) => ({ y: multiply(x, weight) })),
  // y += rate (x - y)
  approach: define('approach', ['y', 'x'], ['rate'], ['y'], [], ({ y, x, rate }) => ({
    y: add(y, multiply(subtract(x, y), rate)),
  })),
  squares: define('squares', ['x'], [], [], ['sum'], ({ x }) => ({ sum: total(multiply(x, x)) })),
  // m += (1 - beta1) (g - m), v = beta2 v + (1 - beta2) g^2, w -= rate m / (sqrt(v) / deviation + epsilon)
  adam: define(
    'adam',
    ['weights', 'gradients', 'firstMoments', 'secondMoments'],
    ['fresh1', 'keep2', 'fresh2', 'rate', 'deviation', 'epsilon'],
    ['weights', 'firstMoments', 'secondMoments'],
    ['size'],
    (s) => {
      const g = s.gradients;
      const m = add(s.firstMoments, multiply(subtract(g, s.firstMoments), s.fresh1));
      const v = add(multiply(s.secondMoments, s.keep2), multiply(multiply(g, g), s.fresh2));
      const change = divide(multiply(m, s.rate), add(divide(sqrt(v), s.deviation), s.epsilon));
      const weights = subtract(s.weights, change);
      // Not finite where a gradient is not.
      return { weights, firstMoments: m, secondMoments: v, size: total(abs(g)) };
    },
  ),
} as const satisfies Record<string, PassDefinition>;

function define(
  name: string,
  inputs: readonly string[],
  scalars: readonly string[],
  outputs: readonly string[],
  results: readonly string[],
  compute: PassDefinition['compute'],
): PassDefinition {
  return { name, inputs, scalars, outputs, results, compute };
}

/** Name of the input that holds the scalars of a pass, in one upload. */
export const SCALARS = 'scalars';

/** Name of a graph's input or output that holds one tensor of an operand, or all of them. */
const port = (side: string, operand: string, name?: string): string =>
  name === undefined ? `${side} ${operand}` : `${side} ${operand} ${name}`;

/** The tensors of an operand under the names of their ports. */
export function portsOf(side: 'in' | 'out', operand: string, tensors: DeviceTensors): NamedTensors {
  if (isFlat(tensors)) return { [port(side, operand)]: tensors };
  return Object.fromEntries([...tensors].map(([name, tensor]) => [port(side, operand, name), tensor]));
}

/** The graph of a pass, for operands that lie flat or in parts. */
export function passGraph(
  layout: FlatLayout,
  pass: PassDefinition,
  operands: {
    readonly inputs: Readonly<Record<string, DeviceTensors>>;
    readonly outputs: Readonly<Record<string, DeviceTensors>>;
  },
): Graph {
  const graph = new GraphBuilder();
  const values: Record<string, Value> = {};
  for (const operand of pass.inputs) values[operand] = readOperand(graph, layout, operand, operands.inputs[operand]);
  if (pass.scalars.length > 0) {
    const scalars = graph.input(SCALARS, [pass.scalars.length]);
    const apart =
      pass.scalars.length === 1
        ? [scalars]
        : split(
            scalars,
            0,
            pass.scalars.map(() => 1),
          );
    pass.scalars.forEach((name, i) => {
      values[name] = apart[i];
    });
  }
  const made = pass.compute(values);
  for (const operand of pass.outputs) writeOperand(graph, layout, operand, operands.outputs[operand], made[operand]);
  for (const result of pass.results) graph.output(result, made[result]);
  return graph;
}

function readOperand(graph: GraphBuilder, layout: FlatLayout, operand: string, tensors: DeviceTensors): Value {
  if (isFlat(tensors)) return graph.input(port('in', operand), [layout.length]);
  const zeros = new Map<number, Value>();
  const gap = (length: number): Value => {
    const known = zeros.get(length) ?? graph.constant(new Float32Array(length), [length]);
    zeros.set(length, known);
    return known;
  };
  const pieces: Value[] = [];
  let end = 0;
  const upTo = (begin: number): void => {
    if (begin > end) pieces.push(gap(begin - end));
  };
  for (const { name, shape } of layout.specs) {
    const [begin, after] = layout.range(name);
    upTo(begin);
    pieces.push(reshape(graph.input(port('in', operand, name), shape), [after - begin]));
    end = after;
  }
  upTo(layout.length);
  return joined(pieces);
}

/** In groups, as a device takes few tensors at once. */
function joined(pieces: readonly Value[], most = 8): Value {
  if (pieces.length === 1) return pieces[0];
  const groups: Value[] = [];
  for (let i = 0; i < pieces.length; i += most) {
    const group = pieces.slice(i, i + most);
    groups.push(group.length === 1 ? group[0] : concat(group, 0));
  }
  return joined(groups, most);
}

function writeOperand(
  graph: GraphBuilder,
  layout: FlatLayout,
  operand: string,
  tensors: DeviceTensors,
  x: Value,
): void {
  if (isFlat(tensors)) {
    graph.output(port('out', operand), x);
    return;
  }
  const sizes: number[] = [];
  layout.specs.forEach(({ name }, i) => {
    const [begin, end] = layout.range(name);
    const next = i + 1 < layout.specs.length ? layout.range(layout.specs[i + 1].name)[0] : layout.length;
    sizes.push(end - begin, ...(next > end ? [next - end] : []));
  });
  const pieces = new Map<number, Value>();
  let begin = 0;
  for (const piece of parted(x, sizes)) {
    pieces.set(begin, piece);
    begin += piece.shape[0];
  }
  for (const { name, shape } of layout.specs)
    graph.output(port('out', operand, name), reshape(pieces.get(layout.range(name)[0]) as Value, shape));
}

/** In groups, as a device gives few tensors at once. */
function parted(x: Value, sizes: readonly number[], most = 7): readonly Value[] {
  if (sizes.length <= most) return split(x, 0, sizes);
  const groups = Array.from({ length: Math.ceil(sizes.length / most) }, (_, i) =>
    sizes.slice(i * most, (i + 1) * most),
  );
  const wholes = parted(
    x,
    groups.map((group) => group.reduce((sum, size) => sum + size, 0)),
    most,
  );
  return groups.flatMap((group, i) => parted(wholes[i], group, most));
}
