// What is told of a configuration that is wrong.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { configIssue } from '#larmor/io/config-issue.js';
import { nearestName } from '#larmor/io/nearest-name.js';

const source = z.discriminatedUnion('source', [
  z.strictObject({ source: z.literal('phantom'), size: z.int() }),
  z.strictObject({ source: z.literal('scans'), folder: z.string() }),
]);
const schema = z.strictObject({
  steps: z.int(),
  training: source,
  optimiser: z.strictObject({ learningRate: z.number().default(1) }).prefault({}),
  schedule: z.union([z.enum(['cosine']), z.strictObject({ kind: z.literal('step'), every: z.int() })]).optional(),
  tests: z.array(z.strictObject({ name: z.string() })).optional(),
  models: z.record(z.string(), z.strictObject({ domain: z.string() })).optional(),
});
const good = { steps: 1, training: { source: 'phantom', size: 8 } };

const issueOf = (value: unknown): { field: string; message: string } => {
  const parsed = schema.safeParse(value);
  if (parsed.success) throw new Error('nothing is wrong');
  return configIssue(schema, parsed.error);
};

test.each([
  ['a required field', { ...good, steps: undefined, step: 1 }, '', 'unknown field "step"; did you mean "steps"?'],
  ['an optional one', { ...good, Schedul: 'cosine' }, '', 'unknown field "Schedul"; did you mean "schedule"?'],
  [
    'a required field of one of several forms',
    { ...good, training: { source: 'scans', foldr: '.' } },
    'training',
    'unknown field "foldr"; did you mean "folder"?',
  ],
  [
    'a field with a default, further in',
    { ...good, optimiser: { learningrate: 1 } },
    'optimiser',
    'unknown field "learningrate"; did you mean "learningRate"?',
  ],
  [
    'one of a union',
    { ...good, schedule: { kind: 'step', evry: 2 } },
    'schedule',
    'unknown field "evry"; did you mean "every"?',
  ],
  ['one in a list', { ...good, tests: [{ nam: 'a' }] }, 'tests.0', 'unknown field "nam"; did you mean "name"?'],
  [
    'one under a name of its own',
    { ...good, models: { mine: { domian: 'P' } } },
    'models.mine',
    'unknown field "domian"; did you mean "domain"?',
  ],
  [
    'nothing like any',
    { ...good, optimiser: { momentum: 1 } },
    'optimiser',
    'unknown field "momentum"; known are learningRate',
  ],
])('a misspelt field is told before the one that is missing: %s', (_, value, field, message) => {
  expect(issueOf(value)).toEqual({ field, message });
});

test('without unknown fields the first thing that is wrong', () => {
  expect(issueOf({ training: good.training })).toMatchObject({
    field: 'steps',
    message: expect.stringContaining('number'),
  });
});

describe('the nearest name', () => {
  test('differs by the fewest letters, in either case', () => {
    expect(nearestName('Stepps', ['step', 'steps', 'seed'])).toEqual({ name: 'steps', distance: 1 });
    expect(nearestName('SEED', ['step', 'seed'])).toEqual({ name: 'seed', distance: 0 });
    expect(nearestName('x', [])).toBeUndefined();
  });
});
