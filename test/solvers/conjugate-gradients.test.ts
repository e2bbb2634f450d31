import { describe, expect, test } from 'vitest';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { conjugateGradient } from '#larmor/solvers/conjugate-gradients.js';
import { powerIteration } from '#larmor/solvers/power-iteration.js';

/** The Hermitian matrix V diag(values) V^H with V the unitary DFT: its eigenpairs are known. */
function circulant(values: readonly number[]): (x: ComplexArray) => ComplexArray {
  const n = values.length;
  return (x) => {
    const data = new Float32Array(2 * n);
    for (let i = 0; i < n; i += 1)
      for (let k = 0; k < n; k += 1)
        for (let j = 0; j < n; j += 1) {
          const angle = (2 * Math.PI * k * (i - j)) / n;
          const [c, s] = [(values[k] * Math.cos(angle)) / n, (values[k] * Math.sin(angle)) / n];
          data[2 * i] += c * x.data[2 * j] - s * x.data[2 * j + 1];
          data[2 * i + 1] += c * x.data[2 * j + 1] + s * x.data[2 * j];
        }
    return { data, shape: x.shape };
  };
}

const random = (n: number, seed: number): ComplexArray => {
  const source = new MT19937(seed);
  return { data: Float32Array.from({ length: 2 * n }, () => source.normal()), shape: [n] };
};

const distance = (a: ComplexArray, b: ComplexArray): number =>
  Math.hypot(...a.data.map((value, i) => value - b.data[i])) / Math.hypot(...b.data);

const VALUES = [3, 1, 0.5, 2, 1, 4, 0.25];
const A = circulant(VALUES);

describe('conjugateGradient', () => {
  const wanted = random(VALUES.length, 1);

  test('solves in as many steps as there are distinct eigenvalues', async () => {
    const { x, iterations, residual, stop } = await conjugateGradient(A, A(wanted), { maxIterations: 6, tolerance: 0 });
    expect(iterations).toBe(6);
    expect(stop).toBe('iterations');
    expect(residual).toBeLessThan(1e-5);
    expect(distance(x, wanted)).toBeLessThan(1e-5);
  });

  test('adds lambda to the operator and stops by tolerance', async () => {
    const lambda = 0.7;
    const b = A(wanted);
    for (let i = 0; i < b.data.length; i += 1) b.data[i] += lambda * wanted.data[i];
    const { x, iterations, stop } = await conjugateGradient(A, b, { lambda, tolerance: 1e-3 });
    expect(stop).toBe('tolerance');
    expect(iterations).toBeLessThan(7);
    expect(distance(x, wanted)).toBeLessThan(5e-3);
  });

  test('started at the solution there is nothing to do, started elsewhere it gets there', async () => {
    const b = A(wanted);
    const done = await conjugateGradient(A, b, { x0: wanted });
    expect(done).toMatchObject({ iterations: 0, stop: 'tolerance' });
    const { x } = await conjugateGradient(async (v) => A(v), b, { x0: random(VALUES.length, 2), tolerance: 1e-6 });
    expect(distance(x, wanted)).toBeLessThan(1e-5);
  });

  test('a right-hand side of zero has the solution zero', async () => {
    const zero = { data: new Float32Array(2 * VALUES.length), shape: [VALUES.length] };
    const result = await conjugateGradient(A, zero);
    expect(result).toMatchObject({ iterations: 0, residual: 0, stop: 'tolerance' });
    expect(result.x.data.every((value) => value === 0)).toBe(true);
  });

  test('reports progress and stops on abort', async () => {
    const seen: number[] = [];
    await conjugateGradient(A, wanted, { maxIterations: 4, tolerance: 0, onProgress: (f) => seen.push(f) });
    expect(seen).toEqual([0.25, 0.5, 0.75, 1]);
    const controller = new AbortController();
    const aborting = conjugateGradient(A, wanted, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(aborting).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('refuses what it cannot solve', async () => {
    await expect(conjugateGradient(A, wanted, { maxIterations: 0 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(conjugateGradient(A, wanted, { tolerance: 1 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(conjugateGradient(A, wanted, { lambda: -1 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(conjugateGradient(A, wanted, { x0: random(3, 1) })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    await expect(conjugateGradient(() => random(3, 1), wanted)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    const broken = (x: ComplexArray): ComplexArray => ({ data: x.data.map(() => Number.NaN), shape: x.shape });
    await expect(conjugateGradient(broken, wanted)).rejects.toMatchObject({ code: 'ERR_DIVERGED' });
  });
});

describe('powerIteration', () => {
  test('finds the largest eigenvalue and its eigenvector', async () => {
    const { value, vector, stop } = await powerIteration(A, [VALUES.length], { maxIterations: 200, tolerance: 1e-5 });
    expect(stop).toBe('tolerance');
    expect(value).toBeCloseTo(4, 5);
    expect(distance(A(vector), { data: vector.data.map((v) => value * v), shape: vector.shape })).toBeLessThan(1e-5);
  });

  test('says when it ran out of iterations, and copes with the zero operator', async () => {
    expect(await powerIteration(A, [VALUES.length], { maxIterations: 2 })).toMatchObject({
      iterations: 2,
      stop: 'iterations',
    });
    const zero = (x: ComplexArray): ComplexArray => ({ data: x.data.map(() => 0), shape: x.shape });
    expect(await powerIteration(zero, [3])).toMatchObject({ value: 0, residual: 0 });
  });

  test('refuses operators that change the shape or leave the finite numbers', async () => {
    await expect(powerIteration(() => random(3, 1), [4])).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    const broken = (x: ComplexArray): ComplexArray => ({ data: x.data.map(() => Number.NaN), shape: x.shape });
    await expect(powerIteration(broken, [4])).rejects.toMatchObject({ code: 'ERR_DIVERGED' });
  });
});
