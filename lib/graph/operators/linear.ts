// Matrix products.
import { gemm, matmul, transpose } from '../operations.js';
import type { Operator, Value } from '../types.js';
import { defineOperator, expectRank, float32, shapeError } from './define.js';

function transposeLast(x: Value): Value {
  const perm = x.shape.map((_, i) => i);
  perm.push(...perm.splice(-2).reverse());
  return transpose(x, perm);
}

/** a^T b: of all products of matrices only this one gives the same bits for any number of threads. */
const ofTransposed = (a: Value, b: Value): Value => gemm(a, b, { transposeA: true });

export const linear: readonly Operator[] = [
  defineOperator({
    name: 'MatMul',
    inputs: ['a', 'b'],
    infer([a, b]) {
      const rank = a.shape.length;
      if (rank < 2) shapeError('MatMul', 'a', 'rank 2 or more', a.shape);
      if (
        b.shape.length !== rank ||
        b.shape.some((n, i) => i < rank - 1 && n !== (i < rank - 2 ? a.shape[i] : a.shape[rank - 1]))
      )
        shapeError('MatMul', 'b', `shape [${[...a.shape.slice(0, -2), a.shape[rank - 1]]},any]`, b.shape);
      return [float32(a.shape.with(-1, b.shape[rank - 1]))];
    },
    // d(ab) = da b + a db
    gradient: ({ inputs: [a, b], dy }) => [matmul(dy, transposeLast(b)), matmul(transposeLast(a), dy)],
  }),

  defineOperator({
    name: 'Gemm',
    inputs: ['a', 'b'],
    attributes: { transA: 'int', transB: 'int' },
    infer([a, b], { transA, transB }) {
      expectRank('Gemm', 'a', 2, a);
      expectRank('Gemm', 'b', 2, b);
      const [m, k] = transA ? [a.shape[1], a.shape[0]] : a.shape;
      const [l, n] = transB ? [b.shape[1], b.shape[0]] : b.shape;
      if (k !== l) shapeError('Gemm', 'b', `${k} ${transB ? 'columns' : 'rows'}`, b.shape);
      return [float32([m, n])];
    },
    // With C = op(A) op(B): d op(A) = dC op(B)^T, d op(B) = op(A)^T dC, each transposed back where op transposes.
    gradient({ inputs: [a, b], attributes: { transA, transB }, dy }) {
      const left = transA === 1 ? transposeLast(a) : a;
      const right = transB === 1 ? b : transposeLast(b);
      const dyT = transposeLast(dy);
      return [
        transA === 1 ? ofTransposed(right, dyT) : ofTransposed(dyT, right),
        transB === 1 ? ofTransposed(dy, left) : ofTransposed(left, dy),
      ];
    },
  }),
];
