// Sums and means over axes.
import type { Shape } from '../../arrays/complex-array.js';
import { expand, multiply, reshape } from '../operations.js';
import type { Operator, Value } from '../types.js';
import { defineOperator, float32, normaliseAxes } from './define.js';

function reduction(name: string, kind: 'ints' | 'tensor', weight: (count: number) => number): Operator {
  /** Shape of x with the reduced axes at length 1. */
  const kept = (x: Value, axes: readonly number[]): Shape => {
    const reduced = new Set(normaliseAxes(name, axes, x.shape.length));
    return x.shape.map((n, i) => (reduced.has(i) ? 1 : n));
  };
  return defineOperator({
    name,
    inputs: ['x'],
    attributes: { axes: kind, keepdims: 'int' },
    infer([x], { axes, keepdims }) {
      const shape = kept(x, axes);
      if (keepdims) return [float32(shape)];
      const reduced = new Set(normaliseAxes(name, axes, x.shape.length));
      return [float32(x.shape.filter((_, i) => !reduced.has(i)))];
    },
    // Every element of x adds `weight` of itself to its sum.
    gradient({ inputs: [x], attributes: { axes }, dy }) {
      const shape = kept(x, axes);
      const count = x.shape.reduce((product, n, i) => (shape[i] === n ? product : product * n), 1);
      const scaled = weight(count) === 1 ? dy : multiply(dy, weight(count));
      return [expand(reshape(scaled, shape), x.shape)];
    },
  });
}

export const reductions: readonly Operator[] = [
  reduction('ReduceSum', 'tensor', () => 1),
  reduction('ReduceMean', 'ints', (count) => 1 / count),
];
