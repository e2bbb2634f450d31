// Evaluates a graph in double precision with plain loops: the independent truth for gradients and for ONNX Runtime's results.
import { liveNodes } from '#larmor/graph/traverse.js';
import type { Graph, Node, Value } from '#larmor/graph/types.js';
import { at, build, indices, offset, orZero } from './elements.js';
import { networkRules } from './interpreter-network.js';
import { physicsRules } from './interpreter-physics.js';
import { type Rule, type Tensor, tensor } from './tensor.js';

const elementwise =
  (f: (...values: number[]) => number): Rule =>
  (inputs, _, [{ shape }]) => [build(shape, (index) => f(...inputs.map((x) => at(x, index))))];

const ints = (value: unknown): readonly number[] => value as readonly number[];

function reduce(mean: boolean): Rule {
  return ([x], { axes }, [output]) => {
    const reduced = ints(axes).map((axis) => (axis < 0 ? axis + x.shape.length : axis));
    const kept = x.shape.map((n, i) => (reduced.includes(i) ? 1 : n));
    const result = tensor(kept);
    x.data.forEach((value, flat) => {
      result.data[
        offset(
          indices(flat, x.shape).map((n, i) => (kept[i] === 1 ? 0 : n)),
          kept,
        )
      ] += value;
    });
    const count = mean ? x.data.length / result.data.length : 1;
    return [
      tensor(
        output.shape,
        result.data.map((sum) => sum / count),
      ),
    ];
  };
}

/** The error function by its Taylor series: exact to double precision for the small arguments of the cases. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const rules: Readonly<Record<string, Rule>> = {
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div: elementwise((a, b) => a / b),
  Neg: elementwise((x) => -x),
  Abs: elementwise(Math.abs),
  Sign: elementwise(Math.sign),
  Sqrt: elementwise(Math.sqrt),
  Exp: elementwise(Math.exp),
  Log: elementwise(Math.log),
  Relu: elementwise((x) => Math.max(x, 0)),
  Sigmoid: elementwise((x) => 1 / (1 + Math.exp(-x))),
  Tanh: elementwise(Math.tanh),
  Erf: elementwise(erf),
  Greater: elementwise((a, b) => (a > b ? 1 : 0)),
  Where: elementwise((condition, a, b) => (condition ? a : b)),
  LeakyRelu: (inputs, attributes, outputs) =>
    elementwise((x) => (x > 0 ? x : (attributes.alpha as number) * x))(inputs, attributes, outputs),
  ReduceSum: reduce(false),
  ReduceMean: reduce(true),
  Reshape: ([x], _, [{ shape }]) => [tensor(shape, x.data)],
  Expand: elementwise((x) => x),
  After: ([x]) => [x],
  Transpose: ([x], { perm }, [{ shape }]) => [
    build(shape, (index) =>
      orZero(
        x,
        x.shape.map((_, axis) => index[ints(perm).indexOf(axis)]),
      ),
    ),
  ],
  Concat(parts, { axis }, [{ shape }]) {
    const along = (axis as number) < 0 ? (axis as number) + shape.length : (axis as number);
    return [
      build(shape, (index) => {
        let start = index[along];
        let part = 0;
        while (start >= parts[part].shape[along]) start -= parts[part++].shape[along];
        return orZero(parts[part], index.with(along, start));
      }),
    ];
  },
  Split([x], { axis, split }, outputs) {
    const along = (axis as number) < 0 ? (axis as number) + x.shape.length : (axis as number);
    return outputs.map(({ shape }, part) => {
      const start = ints(split)
        .slice(0, part)
        .reduce((sum, n) => sum + n, 0);
      return build(shape, (index) => orZero(x, index.with(along, index[along] + start)));
    });
  },
  Slice([x], { starts, axes, steps }, [{ shape }]) {
    return [
      build(shape, (index) => {
        const source = [...index];
        ints(axes).forEach((axis, i) => {
          const n = x.shape[axis];
          const start = ints(starts)[i];
          const first = start < 0 ? Math.max(start + n, 0) : Math.min(start, ints(steps)[i] < 0 ? n - 1 : n);
          source[axis] = first + index[axis] * ints(steps)[i];
        });
        return orZero(x, source);
      }),
    ];
  },
  Pad([x], { mode, pads }, [{ shape }]) {
    return [
      build(shape, (index) => {
        const source = index.map((n, axis) => n - ints(pads)[axis]);
        if (mode === 'constant') return orZero(x, source);
        return orZero(
          x,
          source.map((n, axis) => (n < 0 ? -n : n >= x.shape[axis] ? 2 * (x.shape[axis] - 1) - n : n)),
        );
      }),
    ];
  },
  MatMul: ([a, b], _, [{ shape }]) => [
    build(shape, (index) => {
      const lead = index.slice(0, -2);
      let sum = 0;
      for (let k = 0; k < a.shape[a.shape.length - 1]; k++)
        sum += orZero(a, [...lead, index.at(-2) as number, k]) * orZero(b, [...lead, k, index.at(-1) as number]);
      return sum;
    }),
  ],
  Gemm: ([a, b], { transA, transB }, [{ shape }]) => [
    build(shape, ([i, j]) => {
      let sum = 0;
      for (let k = 0; k < a.shape[transA ? 0 : 1]; k++)
        sum += orZero(a, transA ? [k, i] : [i, k]) * orZero(b, transB ? [j, k] : [k, j]);
      return sum;
    }),
  ],
  Softmax([x], { axis }, [{ shape }]) {
    const along = (axis as number) < 0 ? (axis as number) + shape.length : (axis as number);
    return [
      build(shape, (index) => {
        let sum = 0;
        for (let i = 0; i < shape[along]; i++) sum += Math.exp(orZero(x, index.with(along, i)));
        return Math.exp(orZero(x, index)) / sum;
      }),
    ];
  },
  ...networkRules,
  ...physicsRules,
};

export const interpretedOperators: readonly string[] = Object.keys(rules);

/** The values of `wanted`, given the graph's inputs by name. */
export function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, ArrayLike<number>>>,
  wanted: readonly Value[],
): Tensor[] {
  const known = new Map<Value, Tensor>();
  for (const [value, data] of graph.constants) known.set(value, tensor(value.shape, Float64Array.from(data)));
  for (const value of graph.inputs)
    if (feeds[value.name]) known.set(value, tensor(value.shape, Float64Array.from(feeds[value.name])));
  const run = ({ operator, inputs, attributes, outputs }: Node): void => {
    const results = rules[operator.name](
      inputs.map((input) => known.get(input) as Tensor),
      attributes,
      outputs,
    );
    outputs.forEach((output, i) => {
      known.set(output, results[i]);
    });
  };
  liveNodes(graph, wanted).forEach(run);
  return wanted.map((value) => known.get(value) as Tensor);
}
