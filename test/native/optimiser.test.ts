// The addon's Adam step: frozen ranges, the refusal of gradients that are not finite, and argument checks; and its other passes over parameters.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { binding, type JobControl } from '#larmor/binding.js';
import { runJob } from '#larmor/jobs.js';

const LENGTH = 10;
const RATE = 0.1;

function state() {
  return {
    parameters: new Float32Array(LENGTH).fill(1),
    gradients: Float32Array.from({ length: LENGTH }, (_, i) => (i % 2 === 0 ? i + 1 : -i - 1)),
    first: new Float32Array(LENGTH),
    second: new Float32Array(LENGTH),
  };
}

function step({ parameters, gradients, first, second }: ReturnType<typeof state>, ranges: number[], count = 1) {
  return runJob(1, {}, (control) =>
    binding.adamStep(
      control,
      parameters,
      gradients,
      first,
      second,
      Uint32Array.from(ranges),
      count,
      RATE,
      0.9,
      0.999,
      1e-8,
      2,
    ),
  );
}

describe('adamStep', () => {
  test('the first step moves every parameter by the learning rate against its gradient', async () => {
    const s = state();
    await step(s, [0, LENGTH]);
    for (let i = 0; i < LENGTH; i++) expect(s.parameters[i]).toBeCloseTo(1 - RATE * Math.sign(s.gradients[i]!), 6);
  });

  test('elements outside the ranges keep value and moments', async () => {
    const s = state();
    await step(s, [1, 3, 7, 8]);
    const moved = [1, 2, 7];
    for (let i = 0; i < LENGTH; i++) {
      expect(s.parameters[i] !== 1, `parameter ${i}`).toBe(moved.includes(i));
      expect(s.first[i] !== 0 && s.second[i] !== 0, `moments ${i}`).toBe(moved.includes(i));
    }
  });

  test('a gradient that is not finite rejects with the step and changes nothing', async () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const s = state();
      s.gradients[4] = bad;
      await expect(step(s, [0, LENGTH], 17)).rejects.toMatchObject({
        code: 'ERR_DIVERGED',
        message: expect.stringContaining('step 17'),
      });
      expect([...s.parameters]).toEqual(new Array(LENGTH).fill(1));
      expect([...s.first]).toEqual(new Array(LENGTH).fill(0));
    }
  });

  test('a frozen gradient that is not finite does not matter', async () => {
    const s = state();
    s.gradients[4] = Number.NaN;
    await step(s, [0, 4, 5, LENGTH]);
    expect(s.parameters.every(Number.isFinite)).toBe(true);
  });

  test('ranges outside the parameters and arrays of other lengths are refused', async () => {
    await expect(step(state(), [0, LENGTH + 1])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(step(state(), [4, 6, 5, 7])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(step(state(), [0, LENGTH], 0)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(step({ ...state(), gradients: new Float32Array(3) }, [0, LENGTH])).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    });
  });
});

describe('passes over parameters', () => {
  // Longer than a block, so that threads share the work.
  const length = 40_003;
  const random = new MT19937(5);
  const vector = (): Float32Array => Float32Array.from({ length }, () => random.normal());
  const pass = <T>(start: (control: JobControl) => Promise<T>): Promise<T> => runJob(1, {}, start);

  test('parameterNorm: the root of the sum of squares, for any number of threads', async () => {
    const x = vector();
    const expected = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
    const [one, two] = await Promise.all(
      [1, 2].map((threads) => pass((control) => binding.parameterNorm(control, x, threads))),
    );
    expect(Math.abs(one / expected - 1)).toBeLessThan(1e-12);
    expect(two).toBe(one);
    x[length - 1] = Number.NaN;
    expect(await pass((control) => binding.parameterNorm(control, x, 2))).toBeNaN();
  });

  test('blendParameters: keep y + add x', async () => {
    const [x, y] = [vector(), vector()];
    const expected = y.map((value, i) => 0.25 * value + 0.5 * x[i]); // products with powers of two are exact
    await pass((control) => binding.blendParameters(control, 0.25, y, 0.5, x, 2));
    expect(y).toEqual(expected);
    y.fill(Number.NaN);
    await pass((control) => binding.blendParameters(control, 0, y, 1, x, 2));
    expect(y).toEqual(x);
  });

  test('approachParameters: y + rate (x - y)', async () => {
    const [x, y] = [vector(), vector()];
    y[7] = x[7];
    const expected = y.map((value, i) => value + 0.125 * Math.fround(x[i] - value));
    await pass((control) => binding.approachParameters(control, 0.125, y, x, 2));
    expect(y).toEqual(expected);
    expect(y[7]).toBe(x[7]);
  });

  test('arrays of other lengths are refused', async () => {
    const three = new Float32Array(3);
    await expect(pass((control) => binding.blendParameters(control, 1, vector(), 1, three, 1))).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    });
    await expect(pass((control) => binding.approachParameters(control, 1, three, vector(), 1))).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    });
  });
});
