// The rules that end a run, on series of losses.
import { describe, expect, test } from 'vitest';
import { improvement, windowRuleSaysStop } from '#larmor/adaptation/rules.js';

test('the window rule waits for three windows and compares means', () => {
  expect(windowRuleSaysStop([3, 2, 1, 2, 3, 4], 2)).toBe(false);
  expect(windowRuleSaysStop([3, 2, 1, 2, 3, 4, 5], 2)).toBe(true);
  expect(windowRuleSaysStop([5, 4, 3, 2, 1, 1, 1], 2)).toBe(false);
});

describe('improvement', () => {
  test('is the paired t statistic', () => {
    // Differences 1, 2, 3: mean 2, standard deviation 1, over sqrt(3).
    expect(improvement([11, 22, 33], [10, 20, 30])).toBeCloseTo(2 * Math.sqrt(3), 12);
    expect(improvement([10, 20, 30], [11, 22, 33])).toBeCloseTo(-2 * Math.sqrt(3), 12);
    expect(improvement([1, 2], [1, 2])).toBe(0);
    expect(improvement([2, 3], [1, 2])).toBe(Number.POSITIVE_INFINITY);
    expect(improvement([2], [1])).toBe(0);
  });
});
