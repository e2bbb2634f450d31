// Graphs as ONNX Runtime's WebGPU provider runs them without leaving the device: standard operators alone, and of these the ones it has.
import type { Shape } from '../arrays/complex-array.js';
import type { Device } from '../runtime/devices.js';
import { greater, leakyRelu, reduceMean, reduceSum, slice, where } from './operations.js';
import { type SliceAttributes, sliceRanges } from './operators/slicing.js';
import { rewriteGraph, toPortable } from './portable.js';
import type { Attributes, Graph, Value } from './types.js';
import { WEBGPU_CONVOLUTIONS } from './webgpu-convolutions.js';
import { WEBGPU_NORMALISATION } from './webgpu-normalisation.js';
import { productOfRows, reduceAxes } from './webgpu-sums.js';

type Replacement = (inputs: readonly Value[], attributes: Attributes) => readonly Value[] | undefined;

/** -1, 0 or 1; the provider has no Sign. */
const signs: Replacement = ([x]) => [where(greater(x, 0), 1, where(greater(0, x), -1, 0))];

/** Backwards in wider steps as forwards, then reversed: by itself the provider starts from a wrong element where the steps do not divide the range. */
const strides: Replacement = ([x], attributes) => {
  const { steps } = attributes as unknown as SliceAttributes;
  if (steps.every((step) => step >= -1)) return undefined;
  const ranges = sliceRanges(x.shape, attributes as unknown as SliceAttributes);
  const backwards = ranges.filter(({ step }) => step < 0);
  const first = ({ start, step, count }: (typeof ranges)[number]): number =>
    step < 0 ? start + (count - 1) * step : start;
  const forwards = slice(x, {
    axes: ranges.map(({ axis }) => axis),
    starts: ranges.map(first),
    ends: ranges.map((range) => first(range) + (range.count - 1) * Math.abs(range.step) + 1),
    steps: ranges.map(({ step }) => Math.abs(step)),
  });
  return [
    slice(forwards, {
      axes: backwards.map(({ axis }) => axis),
      starts: backwards.map(() => -1),
      ends: backwards.map(() => Number.MIN_SAFE_INTEGER),
      steps: backwards.map(() => -1),
    }),
  ];
};

const REPLACEMENTS: Readonly<Record<string, Replacement>> = {
  Sign: signs,
  Slice: strides,
  ReduceSum: ([x], { axes, keepdims }) => [reduceAxes(reduceSum, x, axes as Shape, keepdims === 1)],
  ReduceMean: ([x], { axes, keepdims }) => [reduceAxes(reduceMean, x, axes as Shape, keepdims === 1)],
  Gemm: ([a, b], { transA, transB }) => (transA === 0 && transB === 1 ? [productOfRows(a, b)] : undefined),
};

/** The same function in operators that the WebGPU provider computes on the device. Throws as `toPortable`. */
export function toWebgpu(graph: Graph): Graph {
  return rewriteGraph(
    toPortable(graph, { ...WEBGPU_CONVOLUTIONS, ...WEBGPU_NORMALISATION }),
    (result, { operator: { name }, attributes }, inputs) =>
      REPLACEMENTS[name]?.(inputs, attributes) ?? result.apply(name, inputs, attributes),
  );
}

/**
 * The same function with every result from a kernel of its own. What ONNX Runtime only copies, as results that are other values reshaped, it
 * leaves out when it repeats a run.
 */
export function toReplayable(graph: Graph): Graph {
  const makers = new Map(
    graph.nodes.flatMap(({ operator, outputs }) => outputs.map((value) => [value, operator.name])),
  );
  const given = new Set<Value>();
  return rewriteGraph(
    graph,
    (result, { operator, attributes }, inputs) => result.apply(operator.name, inputs, attributes),
    (made, original) => {
      const maker = makers.get(original);
      const copied = given.has(original) || maker === undefined || maker === 'Reshape';
      given.add(original);
      return copied ? leakyRelu(made, 1) : made;
    },
  );
}

/** The graph as sessions on a device take it; for `replay`, as those whose runs are repeated. Throws as `toPortable`. */
export function graphForDevice(graph: Graph, device: Device, { replay = false } = {}): Graph {
  if (device !== 'webgpu') return graph;
  return replay ? toReplayable(toWebgpu(graph)) : toWebgpu(graph);
}
