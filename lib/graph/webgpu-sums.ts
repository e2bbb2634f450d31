// Sums of many terms as ONNX Runtime's WebGPU provider computes them fast: it gives a result, or a block of 32 x 32 results of a product, to
// one group of 64 threads, however many terms each has.
import { points, type Shape } from '../arrays/complex-array.js';
import { gemm, matmul, type reduceMean, reduceSum, reshape, transpose } from './operations.js';
import type { Value } from './types.js';

/** A thread of its own computes each sum of fewer terms, wherever they lie. */
const FEW = 32;
/** More terms than this go into a sum in two steps. */
const TERMS = 4096;

/** Groups that keep a large device busy, and the terms below which a part of a product is not worth a group of its own. */
const [GROUPS, PART] = [1024, 256];
const BLOCK = 32;

/** In ascending order. */
function divisors(n: number): number[] {
  const small: number[] = [];
  for (let divisor = 1; divisor ** 2 <= n; divisor++) if (n % divisor === 0) small.push(divisor);
  const large = small.map((divisor) => n / divisor).filter((divisor) => divisor ** 2 > n);
  return [...small, ...large.reverse()];
}

/** [rows, terms] -> [rows], where terms are many by way of equal parts. */
function reduceRows(reduce: typeof reduceSum | typeof reduceMean, x: Value): Value {
  const [rows, terms] = x.shape;
  if (terms <= TERMS) return reduce(x, { axes: [1] });
  const length = divisors(terms).find((divisor) => divisor ** 2 >= terms) as number;
  return reduce(reduce(reshape(x, [rows, terms / length, length]), { axes: [2] }), { axes: [1] });
}

/** A sum or mean over axes; those that end the shape as rows of a matrix, as the provider transposes what does not end it. */
export function reduceAxes(
  reduce: typeof reduceSum | typeof reduceMean,
  x: Value,
  axes: readonly number[],
  keep: boolean,
): Value {
  const reduced = new Set(axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)));
  const kept: Shape = x.shape.map((n, axis) => (reduced.has(axis) ? 1 : n));
  if (points(x.shape) < FEW * points(kept)) return reduce(x, { axes, keep });
  const last = kept.findLastIndex((n) => n > 1);
  const lead = x.shape.slice(0, last + 1);
  const ends = reduceRows(reduce, reshape(x, [points(lead), points(x.shape.slice(last + 1))]));
  const others = [...reduced].filter((axis) => axis < last && x.shape[axis] > 1);
  const result = others.length === 0 ? ends : reduce(reshape(ends, lead), { axes: others });
  return reshape(result, keep ? kept : kept.filter((_, axis) => !reduced.has(axis)));
}

/** a b^T of [m, k] and [n, k]; where k is large and m n small, as a sum over parts of k. */
export function productOfRows(a: Value, b: Value): Value {
  const [[m, terms], [n]] = [a.shape, b.shape];
  const most = GROUPS / (Math.ceil(m / BLOCK) * Math.ceil(n / BLOCK));
  const parts = divisors(terms).findLast((divisor) => divisor <= most && terms / divisor >= PART) ?? 1;
  if (parts === 1) return gemm(a, b, { transposeB: true });
  const left = transpose(reshape(a, [m, parts, terms / parts]), [1, 0, 2]);
  const right = reshape(transpose(b, [1, 0]), [parts, terms / parts, n]);
  return reduceSum(matmul(left, right), { axes: [0] });
}
