// Convolutions of U-Nets and their gradients as matrix products, for ONNX Runtime's WebGPU provider: it convolves images whose channels come
// first element by element, a division for the place of each, and multiplies matrices four elements at a time.
import { conv, expand, gemm, matmul, reshape, split, transpose } from './operations.js';
import { joined, rows, tiles } from './operators/convolution-forms.js';
import type { PortableForms } from './portable.js';
import type { Attributes, Graph, Value } from './types.js';

type Form = (inputs: readonly Value[], attributes: Attributes) => readonly Value[];

/** Along which axis of [n,c,y,x] and which way a shift goes. */
const DIRECTIONS = {
  alongY: { axis: 2, sign: 1 },
  alongX: { axis: 3, sign: 1 },
  backAlongY: { axis: 2, sign: -1 },
  backAlongX: { axis: 3, sign: -1 },
  // With kernels of its own: ONNX Runtime would keep the shifted images of the way forth for the way back, three times the memory.
  alongXAgain: { axis: 3, sign: 1 },
} as const;
type Direction = keyof typeof DIRECTIONS;

/** Kernels that a graph holds already. */
const kernels = new WeakMap<Graph, Map<string, Value>>();

/** Kernels of three taps, `channels` times one for each neighbour: the one before, the pixel and the one after it; apart or of one result. */
function oneHot(graph: Graph, channels: number, kind: 'apart' | 'together', direction: Direction): Value {
  const known = kernels.get(graph) ?? new Map<string, Value>();
  kernels.set(graph, known);
  const key = `${direction} ${kind} ${channels}`;
  const { axis, sign } = DIRECTIONS[direction];
  const data = new Float32Array(9 * channels);
  for (let i = 0; i < 3 * channels; i++) data[3 * i + (sign > 0 ? i % 3 : 2 - (i % 3))] = 1;
  const lead = kind === 'apart' ? [3 * channels, 1] : [channels, 3];
  const kernel = known.get(key) ?? graph.constant(data, [...lead, ...(axis === 2 ? [3, 1] : [1, 3])]);
  known.set(key, kernel);
  return kernel;
}

const around = (direction: Direction): number[] => (DIRECTIONS[direction].axis === 2 ? [1, 0, 1, 0] : [0, 1, 0, 1]);

/** [n,c,y,x] -> [n,3c,y,x]: the neighbour before every pixel, the pixel and the neighbour after it; zeros outside. One kernel does all. */
function neighbours(x: Value, direction: Direction): Value {
  const group = x.shape[1];
  return conv(x, oneHot(x.graph, group, 'apart', direction), { pads: around(direction), group });
}

/** [n,3c,y,x] -> [n,c,y,x]: the first of three channels at the pixel before, the second here and the third at the pixel after, added. */
function addNeighbours(x: Value, direction: Direction): Value {
  const group = x.shape[1] / 3;
  return conv(x, oneHot(x.graph, group, 'together', direction), { pads: around(direction), group });
}

/** A matrix [to,from], or the transpose of one [from,to], applied to the channels of [n,from,y,x]. */
function mixChannels(matrix: Value, x: Value, transposed: boolean): Value {
  const [n, from, height, width] = x.shape;
  const to = matrix.shape[transposed ? 1 : 0];
  if (n === 1) {
    const mixed = gemm(matrix, reshape(x, [from, height * width]), { transposeA: transposed });
    return reshape(mixed, [1, to, height, width]);
  }
  const plain = transposed ? transpose(matrix, [1, 0]) : matrix;
  const mixed = matmul(expand(reshape(plain, [1, to, from]), [n, to, from]), reshape(x, [n, from, height * width]));
  return reshape(mixed, [n, to, height, width]);
}

/**
 * y[o,p,q] = sum over u of z[o,u,p+u,q], with z[o,u] = sum over i, v of w[o,i,u,v] x[i,p,q+v]: a product for every u and v at once, of three
 * times the image's size where patches would take nine. Its transpose, by the transpose of the same matrix:
 * x[i,p,q] = sum over v of z[i,v,p,q-v], with z[i,v] = sum over o, u of w[o,i,u,v] y[o,p-u,q].
 */
const conv3x3: Form = ([part, w, beside], { transposed, split: first }) => {
  const matrix = reshape(transpose(w, [0, 2, 1, 3]), [3 * w.shape[0], 3 * w.shape[1]]);
  const [before, after]: Direction[] = transposed ? ['backAlongY', 'backAlongX'] : ['alongX', 'alongY'];
  const y = addNeighbours(mixChannels(matrix, neighbours(joined(part, beside), before), transposed === 1), after);
  return first === 0 ? [y] : split(y, 1, [first as number, y.shape[1] - (first as number)]);
};

/** dw[o,i,u,v] = sum over p, q of dy[o,p-u,q] x[i,p,q+v] */
const conv3x3WeightGradient: Form = ([part, dy, beside]) => {
  const x = joined(part, beside);
  const [left, right] = [neighbours(dy, 'backAlongY'), neighbours(x, 'alongXAgain')];
  const product = gemm(rows(left), rows(right), { transposeB: true });
  return [transpose(reshape(product, [dy.shape[1], 3, x.shape[1], 3]), [0, 2, 1, 3])];
};

/** [ci,co,2,2] -> [ci,4co] */
const flat = (w: Value): Value => reshape(w, [w.shape[0], 4 * w.shape[1]]);

const convTranspose2x2: Form = ([x, w]) => {
  const [n, , height, width] = x.shape;
  const co = w.shape[1];
  const quarters = mixChannels(flat(w), x, true);
  const apart = transpose(reshape(quarters, [n, co, 2, 2, height, width]), [0, 1, 4, 2, 5, 3]);
  return [reshape(apart, [n, co, 2 * height, 2 * width])];
};

const convTranspose2x2InputGradient: Form = ([dy, w]) => {
  const [n, , height, width] = dy.shape;
  const [ci, p, q] = [w.shape[0], height / 2, width / 2];
  const dx = reshape(gemm(flat(w), tiles(dy, [2, 2], [p, q])), [ci, n, p, q]);
  return [n === 1 ? reshape(dx, [1, ci, p, q]) : transpose(dx, [1, 0, 2, 3])];
};

/** Forms by operator, in place of their portable ones. */
export const WEBGPU_CONVOLUTIONS: PortableForms = {
  Conv3x3: conv3x3,
  Conv3x3WeightGradient: conv3x3WeightGradient,
  ConvTranspose2x2: convTranspose2x2,
  ConvTranspose2x2InputGradient: convTranspose2x2InputGradient,
};
