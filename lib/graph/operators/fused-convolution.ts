// Convolutions that larmor computes itself because ONNX Runtime is slow at them: 3x3 with few channels, doubling by 2x2.
import { type Shape, sameShape } from '../../arrays/complex-array.js';
import {
  concat,
  conv,
  conv3x3Split,
  conv3x3WeightGradient,
  convTranspose,
  convTranspose2x2InputGradient,
  convTranspose2x2WeightGradient,
  expand,
  gemm,
  pad,
  reduceSum,
  reshape,
  split,
  transpose,
} from '../operations.js';
import type { Operator, Value } from '../types.js';
import { flip, joined, rows, tiles } from './convolution-forms.js';
import { attributeError, defineOperator, expectRank, expectShape, float32, shapeError } from './define.js';

const SAME = [1, 1, 1, 1];
const DOUBLING = { strides: [2, 2] };

function expectImagesOfOneSize(operator: string, x: Value, dy: Value): void {
  expectRank(operator, 'x', 4, x);
  expectRank(operator, 'dy', 4, dy);
  expectShape(operator, 'dy', x.shape.with(1, dy.shape[1]), dy);
}

/** The shape of x with the channels of `beside`. */
function joinedShape(operator: string, x: Value, beside: Value | undefined): Shape {
  expectRank(operator, 'x', 4, x);
  if (!beside) return x.shape;
  expectRank(operator, 'beside', 4, beside);
  expectShape(operator, 'beside', x.shape.with(1, beside.shape[1]), beside);
  return x.shape.with(1, x.shape[1] + beside.shape[1]);
}

const zeros = ({ graph, shape }: Value): Value => expand(graph.constant(new Float32Array(1), [1, 1, 1, 1]), shape);

export const fusedConvolution: readonly Operator[] = [
  // The skip connections of a U-Net come beside x, so that no copy of both is made and kept.
  defineOperator({
    name: 'Conv3x3',
    domain: 'larmor',
    inputs: ['x', 'w', 'beside?'],
    attributes: { transposed: 'int', split: 'int' },
    infer([x, w, beside], { transposed, split }) {
      const shape = joinedShape('Conv3x3', x, beside);
      const [from, to] = transposed ? [0, 1] : [1, 0];
      if (w.shape.length !== 4 || w.shape[from] !== shape[1] || !sameShape(w.shape.slice(2), [3, 3])) {
        const want = transposed ? `[${shape[1]},any,3,3]` : `[any,${shape[1]},3,3]`;
        shapeError('Conv3x3', 'w', `shape ${want}`, w.shape);
      }
      const out = w.shape[to];
      if (split < 0 || split >= out) attributeError('Conv3x3', 'split', `from 0 to ${out - 1}`, split);
      return split === 0 ? [float32(shape.with(1, out))] : [split, out - split].map((n) => float32(shape.with(1, n)));
    },
    // Transposition exchanges the roles of image and result.
    gradient({ inputs: [x, w, beside], outputs, attributes: { transposed }, upstream }) {
      const [dy, rest] = outputs.map((output, i) => upstream[i] ?? zeros(output));
      const options = { transposed: !transposed, beside: rest };
      const [dx, dbeside] = conv3x3Split(dy, w, beside ? x.shape[1] : 0, options);
      const dw = transposed
        ? conv3x3WeightGradient(dy, joined(x, beside), rest)
        : conv3x3WeightGradient(x, joined(dy, rest), beside);
      return [dx, dw, dbeside];
    },
    portable([x, w, beside], { transposed, split: first }) {
      const y = conv(joined(x, beside), transposed ? flip(w) : w, { pads: SAME });
      return first === 0 ? [y] : split(y, 1, [first, y.shape[1] - first]);
    },
  }),

  defineOperator({
    name: 'Conv3x3WeightGradient',
    domain: 'larmor',
    inputs: ['x', 'dy', 'beside?'],
    infer([x, dy, beside]) {
      expectImagesOfOneSize('Conv3x3WeightGradient', x, dy);
      return [float32([dy.shape[1], joinedShape('Conv3x3WeightGradient', x, beside)[1], 3, 3])];
    },
    // Three shifts of dy along y and three of x along x give all nine taps in one matrix product, with a third of the copies
    // that nine shifted images would need.
    portable([part, dy, beside]) {
      const x = joined(part, beside);
      const shifted = (image: Value, axis: 2 | 3, by: number): Value => {
        const pads = [0, 0, 0, 0, 0, 0, 0, 0];
        pads[axis] = by;
        pads[axis + 4] = -by;
        return rows(pad(image, pads));
      };
      const rowShifts = concat(
        [-1, 0, 1].map((u) => shifted(dy, 2, u)),
        0,
      );
      const columnShifts = concat(
        [-1, 0, 1].map((v) => shifted(x, 3, -v)),
        0,
      );
      const product = gemm(rowShifts, columnShifts, { transposeB: true });
      return [transpose(reshape(product, [3, dy.shape[1], 3, x.shape[1]]), [1, 3, 0, 2])];
    },
  }),

  // Fused for its fixed order of sums more than for speed: the standard product depends on the number of threads.
  defineOperator({
    name: 'Conv1x1WeightGradient',
    domain: 'larmor',
    inputs: ['x', 'dy'],
    infer([x, dy]) {
      expectImagesOfOneSize('Conv1x1WeightGradient', x, dy);
      return [float32([dy.shape[1], x.shape[1], 1, 1]), float32([dy.shape[1]])];
    },
    portable([x, dy]) {
      const product = gemm(rows(dy), rows(x), { transposeB: true });
      return [reshape(product, [dy.shape[1], x.shape[1], 1, 1]), reduceSum(dy, { axes: [0, 2, 3] })];
    },
  }),

  // y[2p+u, 2q+v] = w[u, v] x[p, q]
  defineOperator({
    name: 'ConvTranspose2x2',
    domain: 'larmor',
    inputs: ['x', 'w'],
    infer([x, w]) {
      expectRank('ConvTranspose2x2', 'x', 4, x);
      const [n, ci, height, width] = x.shape;
      expectRank('ConvTranspose2x2', 'w', 4, w);
      expectShape('ConvTranspose2x2', 'w', [ci, w.shape[1], 2, 2], w);
      return [float32([n, w.shape[1], 2 * height, 2 * width])];
    },
    gradient: ({ inputs: [x, w], dy }) => [convTranspose2x2InputGradient(dy, w), convTranspose2x2WeightGradient(x, dy)],
    portable: ([x, w]) => [convTranspose(x, w, DOUBLING)],
  }),

  // dx[p, q] = sum over u, v of w[u, v] dy[2p+u, 2q+v]
  defineOperator({
    name: 'ConvTranspose2x2InputGradient',
    domain: 'larmor',
    inputs: ['dy', 'w'],
    infer([dy, w]) {
      const name = 'ConvTranspose2x2InputGradient';
      expectRank(name, 'dy', 4, dy);
      expectRank(name, 'w', 4, w);
      const [n, co, height, width] = dy.shape;
      if (height % 2 !== 0 || width % 2 !== 0) shapeError(name, 'dy', 'even sides', dy.shape);
      expectShape(name, 'w', [w.shape[0], co, 2, 2], w);
      return [float32([n, w.shape[0], height / 2, width / 2])];
    },
    portable: ([dy, w]) => [conv(dy, w, DOUBLING)],
  }),

  // dw[i, o, u, v] = sum over p, q of x[i, p, q] dy[o, 2p+u, 2q+v]
  defineOperator({
    name: 'ConvTranspose2x2WeightGradient',
    domain: 'larmor',
    inputs: ['x', 'dy'],
    infer([x, dy]) {
      const name = 'ConvTranspose2x2WeightGradient';
      expectRank(name, 'x', 4, x);
      expectRank(name, 'dy', 4, dy);
      const [n, ci, height, width] = x.shape;
      expectShape(name, 'dy', [n, dy.shape[1], 2 * height, 2 * width], dy);
      return [float32([ci, dy.shape[1], 2, 2])];
    },
    portable([x, dy]) {
      const product = gemm(rows(x), tiles(dy, [2, 2], x.shape.slice(2)), { transposeB: true });
      return [reshape(product, [x.shape[1], dy.shape[1], 2, 2])];
    },
  }),
];
