// The vocabulary of graphs: one function per operator, which appends it to the graph of its first input.
// What each operator means (shape rule, gradient) stands in operators/.
import type { Shape } from '../arrays/complex-array.js';
import type { Attributes, Value } from './types.js';

/** A value, or a number that becomes a constant. */
export type Operand = Value | number;

/** Appends an operator with one output. */
export function one(operator: string, inputs: readonly Value[], attributes?: Attributes): Value {
  return inputs[0].graph.apply(operator, inputs, attributes)[0];
}

function binary(operator: string, a: Operand, b: Operand): Value {
  const graph = typeof a === 'number' ? (b as Value).graph : a.graph;
  const value = (operand: Operand): Value => (typeof operand === 'number' ? graph.scalar(operand) : operand);
  return one(operator, [value(a), value(b)]);
}

// Elementwise, with NumPy's broadcasting. At least one operand is a value.
export const add = (a: Operand, b: Operand): Value => binary('Add', a, b);
export const subtract = (a: Operand, b: Operand): Value => binary('Sub', a, b);
export const multiply = (a: Operand, b: Operand): Value => binary('Mul', a, b);
export const divide = (a: Operand, b: Operand): Value => binary('Div', a, b);
/** Bool: a > b. */
export const greater = (a: Operand, b: Operand): Value => binary('Greater', a, b);
export const negate = (x: Value): Value => one('Neg', [x]);
export const abs = (x: Value): Value => one('Abs', [x]);
/** -1, 0 or 1. WebGPU sends it back to the CPU. */
export const sign = (x: Value): Value => one('Sign', [x]);
export const sqrt = (x: Value): Value => one('Sqrt', [x]);
export const exp = (x: Value): Value => one('Exp', [x]);
export const log = (x: Value): Value => one('Log', [x]);
export const relu = (x: Value): Value => one('Relu', [x]);
export const leakyRelu = (x: Value, alpha: number): Value => one('LeakyRelu', [x], { alpha });
export const sigmoid = (x: Value): Value => one('Sigmoid', [x]);
export const tanh = (x: Value): Value => one('Tanh', [x]);
/** The error function. */
export const erf = (x: Value): Value => one('Erf', [x]);

/** `condition ? a : b`, elementwise with broadcasting. */
export function where(condition: Value, a: Operand, b: Operand): Value {
  const value = (operand: Operand): Value => (typeof operand === 'number' ? condition.graph.scalar(operand) : operand);
  return one('Where', [condition, value(a), value(b)]);
}

// Reductions. Default: over all axes, which are dropped.
export interface ReduceOptions {
  axes?: readonly number[];
  /** Keep the reduced axes with length 1. */
  keep?: boolean;
}

function reduce(operator: string, x: Value, { axes = x.shape.map((_, i) => i), keep = false }: ReduceOptions): Value {
  return one(operator, [x], { axes, keepdims: keep ? 1 : 0 });
}

export const reduceSum = (x: Value, options: ReduceOptions = {}): Value => reduce('ReduceSum', x, options);
export const reduceMean = (x: Value, options: ReduceOptions = {}): Value => reduce('ReduceMean', x, options);

// Shapes.
export const reshape = (x: Value, shape: Shape): Value => one('Reshape', [x], { shape });
export const transpose = (x: Value, perm: readonly number[]): Value => one('Transpose', [x], { perm });
/** Repeats axes of length 1 up to `shape`. */
export const expand = (x: Value, shape: Shape): Value => one('Expand', [x], { shape });
export const concat = (parts: readonly Value[], axis: number): Value => one('Concat', parts, { axis });

export function split(x: Value, axis: number, sizes: readonly number[]): readonly Value[] {
  return x.graph.apply('Split', [x], { axis, split: sizes });
}

/** Python's x[start:end:step] along the given axes. */
export interface SliceRanges {
  axes: readonly number[];
  starts: readonly number[];
  ends: readonly number[];
  steps?: readonly number[];
}

export function slice(x: Value, { axes, starts, ends, steps = axes.map(() => 1) }: SliceRanges): Value {
  return one('Slice', [x], { starts, ends, axes, steps });
}

/**
 * Pads each axis: `pads` holds the counts before every axis, then those after. `constant` pads with zeros and crops where a
 * count is negative; `reflect` mirrors without repeating the edge.
 */
export function pad(x: Value, pads: readonly number[], mode: 'constant' | 'reflect' = 'constant'): Value {
  return pads.every((count) => count === 0) ? x : one('Pad', [x], { mode, pads });
}

/** x, available only once `event` is: an order of computation. */
export const after = (x: Value, event: Value): Value => one('After', [x, event]);

// Linear algebra.
/** a b over the last two axes; leading axes must agree. */
export const matmul = (a: Value, b: Value): Value => one('MatMul', [a, b]);

/** op(a) op(b) of two matrices, where op transposes if asked. */
export function gemm(a: Value, b: Value, { transposeA = false, transposeB = false } = {}): Value {
  return one('Gemm', [a, b], { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 });
}

/** Spatial settings of a two-dimensional convolution; `pads` are top, left, bottom, right. */
export interface ConvolutionOptions {
  bias?: Value | undefined;
  strides?: readonly number[];
  pads?: readonly number[];
  dilations?: readonly number[];
}

/**
 * Correlation, as in every deep-learning library. x [n,ci,y,x], w [co,ci/group,ky,kx], bias [co]. Of `group` parts of the channels each
 * makes its part of the result; several have no gradient.
 */
export function conv(
  x: Value,
  w: Value,
  {
    bias,
    strides = [1, 1],
    pads = [0, 0, 0, 0],
    dilations = [1, 1],
    group = 1,
  }: ConvolutionOptions & { group?: number } = {},
): Value {
  return one('Conv', bias ? [x, w, bias] : [x, w], { strides, pads, dilations, group });
}

/** The transpose of `conv`. x [n,ci,y,x], w [ci,co,ky,kx], bias [co]; `outputPadding` adds rows and columns at the end. */
export function convTranspose(
  x: Value,
  w: Value,
  {
    bias,
    strides = [1, 1],
    pads = [0, 0, 0, 0],
    dilations = [1, 1],
    outputPadding = [0, 0],
  }: ConvolutionOptions & { outputPadding?: readonly number[] } = {},
): Value {
  const attributes = { strides, pads, dilations, output_padding: outputPadding };
  return one('ConvTranspose', bias ? [x, w, bias] : [x, w], attributes);
}

export interface Conv3x3Options {
  transposed?: boolean | undefined;
  /** Further channels of x, as if concatenated with it. */
  beside?: Value | undefined;
}

/**
 * `conv` with a 3x3 kernel, stride 1 and one pixel of padding, or its transpose. x [n,ci,y,x]; w [co,ci,3,3], transposed
 * [ci,co,3,3] -> [n,co,y,x].
 */
export function conv3x3(x: Value, w: Value, options: Conv3x3Options = {}): Value {
  return conv3x3Split(x, w, 0, options)[0];
}

/** The same with the first `split` channels of the result and the others apart; 0 for all in one. */
export function conv3x3Split(
  x: Value,
  w: Value,
  split: number,
  { transposed = false, beside }: Conv3x3Options = {},
): readonly Value[] {
  const attributes = { transposed: transposed ? 1 : 0, split };
  return x.graph.apply('Conv3x3', beside ? [x, w, beside] : [x, w], attributes);
}

/** dL/dw [co,ci,3,3] of `conv3x3`. x [n,ci,y,x], dy [n,co,y,x]; `beside`: further channels of x. */
export const conv3x3WeightGradient = (x: Value, dy: Value, beside?: Value): Value =>
  one('Conv3x3WeightGradient', beside ? [x, dy, beside] : [x, dy]);

/** `convTranspose` with a 2x2 kernel and stride 2. x [n,ci,y,x], w [ci,co,2,2] -> [n,co,2y,2x]. */
export const convTranspose2x2 = (x: Value, w: Value): Value => one('ConvTranspose2x2', [x, w]);
export const convTranspose2x2InputGradient = (dy: Value, w: Value): Value =>
  one('ConvTranspose2x2InputGradient', [dy, w]);
export const convTranspose2x2WeightGradient = (x: Value, dy: Value): Value =>
  one('ConvTranspose2x2WeightGradient', [x, dy]);

/** Outputs dL/dw [co,ci,1,1] and dL/dbias [co] of `conv` with a 1x1 kernel. x [n,ci,y,x], dy [n,co,y,x]. */
export const conv1x1WeightGradient = (x: Value, dy: Value): readonly Value[] =>
  x.graph.apply('Conv1x1WeightGradient', [x, dy]);

/** Mean over disjoint windows; rows and columns that do not fill one are dropped. */
export function averagePool(x: Value, window: readonly number[] = [2, 2]): Value {
  return one('AveragePool', [x], { kernel_shape: window, strides: window });
}

/** dL/dx of the mean over 2x2 windows of an image [height, width]. */
export function averagePool2x2Gradient(dy: Value, [height, width]: Shape): Value {
  return one('AveragePool2x2Gradient', [dy], { height, width });
}

// Normalisation.
export interface InstanceNormOptions {
  /** Both or neither, shape [c]. */
  affine?: { scale: Value; bias: Value } | undefined;
  epsilon?: number;
}

const affineInputs = (affine: InstanceNormOptions['affine']): Value[] => (affine ? [affine.scale, affine.bias] : []);

/** exp(x) over its sum along one axis. */
export const softmax = (x: Value, axis: number): Value => one('Softmax', [x], { axis });

/** Outputs scale (x - mean) inverseDeviation, mean and inverseDeviation over the axes from `axis` on, whose shape `scale` has. No gradient. */
export function layerNormalization(x: Value, scale: Value, axis: number, epsilon = 1e-5): readonly Value[] {
  return x.graph.apply('LayerNormalization', [x, scale], { axis, epsilon });
}

/** x normalised over each image's pixels, then scaled and shifted. `instanceNormLeakyRelu` with slope 1 is faster on the CPU. */
export function instanceNormalization(
  x: Value,
  { affine, epsilon = 1e-5 }: InstanceNormOptions & { affine: NonNullable<InstanceNormOptions['affine']> },
): Value {
  return one('InstanceNormalization', [x, ...affineInputs(affine)], { epsilon });
}

/** leaky ReLU of x normalised over each image's pixels, in one pass. Outputs y, mean [n,c], inverseDeviation [n,c]. */
export function instanceNormLeakyRelu(
  x: Value,
  { affine, epsilon = 1e-5, slope }: InstanceNormOptions & { slope: number },
): readonly Value[] {
  return x.graph.apply('InstanceNormLeakyRelu', [x, ...affineInputs(affine)], { epsilon, slope });
}

/** Outputs dx, and with `affine` dscale and dbias. */
export function instanceNormLeakyReluGradient(
  dy: Value,
  x: Value,
  mean: Value,
  inverseDeviation: Value,
  { affine, slope }: { affine?: InstanceNormOptions['affine']; slope: number },
): readonly Value[] {
  const inputs = [dy, x, mean, inverseDeviation, ...affineInputs(affine)];
  return x.graph.apply('InstanceNormLeakyReluGradient', inputs, { slope });
}

/** The same dx without `affine`, from the result y instead of x: for slopes above 0, which can be undone. */
export function instanceNormLeakyReluOutputGradient(
  dy: Value,
  y: Value,
  inverseDeviation: Value,
  slope: number,
): Value {
  return one('InstanceNormLeakyReluOutputGradient', [dy, y, inverseDeviation], { slope });
}
