// Graphs as ONNX Runtime's WebGPU provider runs them without leaving the device: standard operators alone, and of these the ones it has.
import type { Shape } from '../arrays/complex-array.js';
import type { Device } from '../runtime/devices.js';
import { greater, reduceMean, reduceSum, reshape, slice, where } from './operations.js';
import { type SliceAttributes, sliceRanges } from './operators/slicing.js';
import { rewriteGraph, toPortable } from './portable.js';
import type { Attributes, Graph, Value } from './types.js';

/** More terms than this go into a sum in two steps: the provider adds the terms of one result in one group of threads. */
const TERMS = 4096;

type Replacement = (inputs: readonly Value[], attributes: Attributes) => readonly Value[] | undefined;

/** -1, 0 or 1; the provider has no Sign. */
const signs: Replacement = ([x]) => [where(greater(x, 0), 1, where(greater(0, x), -1, 0))];

/** The last axis first, then the others, so that a sum over an image keeps many groups of threads busy. */
const reduction =
  (reduce: typeof reduceSum): Replacement =>
  ([x], { axes, keepdims }) => {
    const rank = x.shape.length;
    const reduced = (axes as Shape).map((axis) => (axis < 0 ? axis + rank : axis)).filter((axis) => x.shape[axis] > 1);
    const last = Math.max(...reduced);
    const terms = reduced.reduce((product, axis) => product * x.shape[axis], 1);
    if (reduced.length < 2 || terms <= TERMS) return undefined;
    const partial = reduce(x, { axes: [last], keep: true });
    const others = reduced.filter((axis) => axis !== last);
    const total = reduce(partial, { axes: others, keep: true });
    const dropped = new Set((axes as Shape).map((axis) => (axis < 0 ? axis + rank : axis)));
    return [
      keepdims
        ? total
        : reshape(
            total,
            total.shape.filter((_, axis) => !dropped.has(axis)),
          ),
    ];
  };

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
  ReduceSum: reduction(reduceSum),
  ReduceMean: reduction(reduceMean),
};

/** The same function in operators that the WebGPU provider computes on the device. Throws as `toPortable`. */
export function toWebgpu(graph: Graph): Graph {
  return rewriteGraph(
    toPortable(graph),
    (result, { operator: { name }, attributes }, inputs) =>
      REPLACEMENTS[name]?.(inputs, attributes) ?? result.apply(name, inputs, attributes),
  );
}

/** The graph as sessions on a device take it. Throws as `toPortable`. */
export function graphForDevice(graph: Graph, device: Device): Graph {
  return device === 'webgpu' ? toWebgpu(graph) : graph;
}
