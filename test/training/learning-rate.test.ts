// Learning-rate schedules against their closed forms.
import { expect, test } from 'vitest';
import { learningRateFactor, type Schedule } from '#larmor/training/learning-rate.js';

const factors = (schedule: Schedule, steps: number, losses: readonly number[] = []): number[] =>
  Array.from({ length: steps }, (_, step) =>
    learningRateFactor(
      schedule,
      step,
      steps,
      losses.map((loss) => ({ loss })),
    ),
  );

test('constant', () => {
  expect(factors({ kind: 'constant' }, 3)).toEqual([1, 1, 1]);
});

test('warm-up: linear, the first step moves, the step after it is the first at the full rate', () => {
  expect(factors({ kind: 'constant', warmUp: 3 }, 5)).toEqual([0.25, 0.5, 0.75, 1, 1]);
});

test('cosine: half a period, down to the floor where the steps end', () => {
  const falling = factors({ kind: 'cosine' }, 4);
  [1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2].forEach((want, i) => {
    expect(falling[i]).toBeCloseTo(want, 12);
  });
  const floored = factors({ kind: 'cosine', floor: 0.2, warmUp: 2 }, 6);
  expect(floored[0]).toBeCloseTo(1 / 3, 12);
  expect(floored[2]).toBeCloseTo(1, 12);
  expect(floored[4]).toBeCloseTo(0.2 + 0.8 / 2, 12); // half-way between warm-up and end
});

test('step: a factor after every so many steps', () => {
  expect(factors({ kind: 'step', every: 2, factor: 0.5 }, 6)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.25]);
});

test.each([
  [[3, 2, 1], 1],
  [[1, 2, 3], 0.5],
  [[1, 2, 0.5, 2, 3], 0.5],
  [[1, 2, 3, 4, 5], 0.25],
  [[1, 1, 1, 1, 1, 1, 1], 0.2], // 0.5 cubed, but no lower than the floor
])('plateau: after losses %j the rate is %d of the full one', (losses, factor) => {
  const schedule: Schedule = { kind: 'plateau', patience: 2, factor: 0.5, floor: 0.2 };
  expect(
    learningRateFactor(
      schedule,
      9,
      10,
      losses.map((loss) => ({ loss })),
    ),
  ).toBe(factor);
});
