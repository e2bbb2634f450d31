// The time that steps take, and what is left of it.
import { expect, test } from 'vitest';
import { StepClock } from '#larmor/adaptation/step-clock.js';

/** A clock that ends every step at the next of some seconds. */
const clockOf = (seconds: number[], limits: { maxIterations: number; timeBudget?: number }): StepClock => {
  const ticks = [0, ...seconds];
  const clock = new StepClock(limits, () => 1000 * (ticks.length > 1 ? (ticks.shift() as number) : ticks[0]));
  for (let step = 0; step < seconds.length; step += 1) clock.stepped();
  return clock;
};

test('a step is the mean of those after the first; the estimate is of the first', () => {
  const clock = clockOf([3, 4, 5.5, 6], { maxIterations: 10 });
  expect(clock.secondsPerStep).toBe(1);
  expect(clock.secondsLeft).toBe(6);
  expect(clock.times()).toEqual({ seconds: 6, secondsPerStep: 1, estimatedSeconds: 30 });
  expect(clock.isSpent).toBe(false);
});

test('a budget bounds the estimate, and no step begins that would exceed it', () => {
  expect(clockOf([3], { maxIterations: 10, timeBudget: 5 }).times().estimatedSeconds).toBe(5);
  expect(clockOf([1, 2, 3], { maxIterations: 10, timeBudget: 3.5 }).isSpent).toBe(true);
  expect(clockOf([1, 2, 3], { maxIterations: 10, timeBudget: 4 }).isSpent).toBe(false);
  expect(clockOf([1, 2, 3], { maxIterations: 10, timeBudget: 4 }).secondsLeft).toBe(1);
});
