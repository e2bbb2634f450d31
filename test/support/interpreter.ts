// Evaluates a graph in double precision with plain loops: the independent truth for gradients and for ONNX Runtime's results.

import { liveNodes } from '#larmor/graph/traverse.js';
import type { Attributes, Graph, Node, Value } from '#larmor/graph/types.js';
import { physicsRules } from './interpreter-physics.js';
import { type Rule, size, type Tensor, tensor } from './tensor.js';

const stridesOf = (shape: readonly number[]): number[] => shape.map((_, i) => size(shape.slice(i + 1)));

/** Index vector of element `flat`. */
export function indices(flat: number, shape: readonly number[]): number[] {
  return stridesOf(shape).map((stride, i) => Math.floor(flat / stride) % shape[i]);
}

function offset(index: readonly number[], shape: readonly number[]): number {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) flat = flat * shape[axis] + index[axis];
  return flat;
}

/** A tensor whose element at each index is `element(index)`. */
function build(shape: readonly number[], element: (index: number[]) => number): Tensor {
  const index = shape.map(() => 0);
  const data = new Float64Array(size(shape));
  for (let flat = 0; flat < data.length; flat++) {
    data[flat] = element(index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return tensor(shape, data);
}

/** Element of x at `index` of a shape that x broadcasts to. */
function at({ shape, data }: Tensor, index: readonly number[]): number {
  const lead = index.length - shape.length;
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++)
    flat = flat * shape[axis] + (shape[axis] === 1 ? 0 : index[axis + lead]);
  return data[flat];
}

/** Element at an index that may lie outside, where x is zero. */
function orZero({ shape, data }: Tensor, index: readonly number[]): number {
  return index.every((n, i) => n >= 0 && n < shape[i]) ? data[offset(index, shape)] : 0;
}

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

/** Every product that a convolution sums, as (image index, kernel index, result index) of shapes [n,ci,..], [co,ci/group,..], [n,co,..]. */
function convolve(
  [, channels, height, width]: readonly number[],
  [co, ci, ky, kx]: readonly number[],
  [batch, , rows, columns]: readonly number[],
  { strides, pads, dilations, group = 1 }: Attributes,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [s, p, d] = [ints(strides), ints(pads), ints(dilations)];
  for (let w = 0; w < co * ci * ky * kx; w++) {
    const [o, input, u, v] = indices(w, [co, ci, ky, kx]);
    const i = input + ci * Math.floor((o * (group as number)) / co);
    for (let n = 0; n < batch; n++)
      for (let row = 0; row < rows; row++) {
        const y = row * s[0] + u * d[0] - p[0];
        if (y < 0 || y >= height) continue;
        for (let column = 0; column < columns; column++) {
          const x = column * s[1] + v * d[1] - p[1];
          if (x < 0 || x >= width) continue;
          visit(((n * channels + i) * height + y) * width + x, w, ((n * co + o) * rows + row) * columns + column);
        }
      }
  }
}

type Shape = readonly number[];

function convolveForward(x: Tensor, w: Tensor, shape: Shape, attributes: Attributes): Tensor {
  const y = tensor(shape);
  convolve(x.shape, w.shape, shape, attributes, (i, j, k) => {
    y.data[k] += x.data[i] * w.data[j];
  });
  return y;
}

function convolveTransposed(x: Tensor, w: Tensor, shape: Shape, attributes: Attributes): Tensor {
  const y = tensor(shape);
  convolve(shape, w.shape, x.shape, attributes, (i, j, k) => {
    y.data[i] += x.data[k] * w.data[j];
  });
  return y;
}

function convolveWeights(x: Tensor, dy: Tensor, shape: Shape, attributes: Attributes): Tensor {
  const dw = tensor(shape);
  convolve(x.shape, shape, dy.shape, attributes, (i, j, k) => {
    dw.data[j] += x.data[i] * dy.data[k];
  });
  return dw;
}

const DOUBLING: Attributes = { strides: [2, 2], pads: [0, 0, 0, 0], dilations: [1, 1] };
const POINTWISE: Attributes = { strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] };
const THREE_BY_THREE: Attributes = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] };

const addBias = (y: Tensor, bias?: Tensor): Tensor =>
  bias ? build(y.shape, (index) => orZero(y, index) + bias.data[index[1]]) : y;

/** Mean and inverse deviation of each image. */
function statistics(x: Tensor, epsilon: number): { mean: Tensor; inverse: Tensor } {
  const [n, c, height, width] = x.shape;
  const count = height * width;
  const mean = tensor([n, c]);
  const inverse = tensor([n, c]);
  for (let i = 0; i < n * c; i++) {
    const pixels = x.data.subarray(i * count, (i + 1) * count);
    mean.data[i] = pixels.reduce((sum, value) => sum + value, 0) / count;
    inverse.data[i] =
      1 / Math.sqrt(pixels.reduce((sum, value) => sum + (value - mean.data[i]) ** 2, 0) / count + epsilon);
  }
  return { mean, inverse };
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

/** The channels of x, then those of `beside`. */
function sideBySide(x: Tensor, beside: Tensor | undefined): Tensor {
  if (!beside) return x;
  const channels = x.shape[1];
  return build(x.shape.with(1, channels + beside.shape[1]), (index) =>
    index[1] < channels ? orZero(x, index) : orZero(beside, index.with(1, index[1] - channels)),
  );
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
  Conv: ([x, w, bias], attributes, [{ shape }]) => [addBias(convolveForward(x, w, shape, attributes), bias)],
  ConvTranspose: ([x, w, bias], attributes, [{ shape }]) => [
    addBias(convolveTransposed(x, w, shape, attributes), bias),
  ],
  Conv3x3([x, w, beside], { transposed, split }, outputs) {
    const channels = outputs.reduce((sum, { shape }) => sum + shape[1], 0);
    const convolve = transposed ? convolveTransposed : convolveForward;
    const y = convolve(sideBySide(x, beside), w, outputs[0].shape.with(1, channels), THREE_BY_THREE);
    return outputs.map(({ shape }, part) =>
      build(shape, (index) => orZero(y, index.with(1, index[1] + (part === 0 ? 0 : (split as number))))),
    );
  },
  Conv3x3WeightGradient: ([x, dy, beside], _, [{ shape }]) => [
    convolveWeights(sideBySide(x, beside), dy, shape, THREE_BY_THREE),
  ],
  Conv1x1WeightGradient: ([x, dy], _, [{ shape }, { shape: channels }]) => [
    convolveWeights(x, dy, shape, POINTWISE),
    build(channels, ([o]) => {
      let sum = 0;
      dy.data.forEach((value, flat) => {
        if (indices(flat, dy.shape)[1] === o) sum += value;
      });
      return sum;
    }),
  ],
  ConvTranspose2x2: ([x, w], _, [{ shape }]) => [convolveTransposed(x, w, shape, DOUBLING)],
  ConvTranspose2x2InputGradient: ([dy, w], _, [{ shape }]) => [convolveForward(dy, w, shape, DOUBLING)],
  ConvTranspose2x2WeightGradient: ([x, dy], _, [{ shape }]) => [convolveWeights(dy, x, shape, DOUBLING)],
  AveragePool2x2Gradient: ([dy], _, [{ shape }]) => [
    build(shape, ([n, c, row, column]) => orZero(dy, [n, c, Math.floor(row / 2), Math.floor(column / 2)]) / 4),
  ],
  AveragePool([x], { kernel_shape }, [{ shape }]) {
    const [ky, kx] = ints(kernel_shape);
    const y = tensor(shape);
    x.data.forEach((value, flat) => {
      const [n, c, row, column] = indices(flat, x.shape);
      const index = [n, c, Math.floor(row / ky), Math.floor(column / kx)];
      if (index[2] < shape[2] && index[3] < shape[3]) y.data[offset(index, shape)] += value / (ky * kx);
    });
    return [y];
  },
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
  InstanceNormalization([x, scale, bias], { epsilon }) {
    const { mean, inverse } = statistics(x, epsilon as number);
    return [
      build(x.shape, (index) => {
        const [n, c] = index;
        return scale.data[c] * (orZero(x, index) - orZero(mean, [n, c])) * orZero(inverse, [n, c]) + bias.data[c];
      }),
    ];
  },
  InstanceNormLeakyRelu([x, scale, bias], { epsilon, slope }) {
    const { mean, inverse } = statistics(x, epsilon as number);
    const y = build(x.shape, (index) => {
      const [n, c] = index;
      const h = (orZero(x, index) - orZero(mean, [n, c])) * orZero(inverse, [n, c]);
      const z = scale && bias ? scale.data[c] * h + bias.data[c] : h;
      return z > 0 ? z : (slope as number) * z;
    });
    return [y, mean, inverse];
  },
  InstanceNormLeakyReluGradient([dy, x, mean, inverse, scale, bias], { slope }) {
    const [n, c, height, width] = x.shape;
    const count = height * width;
    const dx = tensor(x.shape);
    const dscale = tensor([c]);
    const dbias = tensor([c]);
    for (let i = 0; i < n * c; i++) {
      const [m, r, s, b] = [mean.data[i], inverse.data[i], scale?.data[i % c] ?? 1, bias?.data[i % c] ?? 0];
      const normal = (k: number): number => (x.data[k] - m) * r;
      const dz = (k: number): number => dy.data[k] * (s * normal(k) + b > 0 ? 1 : (slope as number));
      let [sum, product] = [0, 0];
      for (let k = i * count; k < (i + 1) * count; k++) {
        sum += dz(k);
        product += dz(k) * normal(k);
      }
      dbias.data[i % c] += sum;
      dscale.data[i % c] += product;
      for (let k = i * count; k < (i + 1) * count; k++)
        dx.data[k] = r * s * (dz(k) - sum / count - (normal(k) * product) / count);
    }
    return scale ? [dx, dscale, dbias] : [dx];
  },
  InstanceNormLeakyReluOutputGradient([dy, y, inverse], { slope }) {
    const [n, c, height, width] = y.shape;
    const count = height * width;
    const normal = (k: number): number => (y.data[k] > 0 ? y.data[k] : y.data[k] / (slope as number));
    const dz = (k: number): number => dy.data[k] * (y.data[k] > 0 ? 1 : (slope as number));
    const dx = tensor(y.shape);
    for (let i = 0; i < n * c; i++) {
      const plane = Array.from({ length: count }, (_, k) => i * count + k);
      const sum = plane.reduce((total, k) => total + dz(k), 0);
      const product = plane.reduce((total, k) => total + dz(k) * normal(k), 0);
      for (const k of plane) dx.data[k] = inverse.data[i] * (dz(k) - sum / count - (normal(k) * product) / count);
    }
    return [dx];
  },
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
