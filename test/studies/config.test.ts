// Study configurations: what is filled in, what is refused and how, and the configurations that come with larmor.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { modelTraining, parseStudyConfig, readStudyConfig, testUndersampling } from '#larmor/studies/config.js';
import { rowNames } from '#larmor/studies/rows.js';

const phantom = { source: 'phantom', families: ['limb'], subjects: 2 };
const study = {
  title: 'a study',
  undersampling: { acceleration: 4, seed: 7 },
  training: { epochs: 3, undersampling: { noise: [0.01, 0.02] } },
  domains: { P: { training: phantom }, Q: { training: phantom, undersampling: { acceleration: 2 } } },
  models: {
    'P-joint': { domain: 'P' },
    'Q-joint': { domain: 'Q', training: { loss: 'supervised', batch: 2 } },
    shipped: { file: 'unet-small' },
  },
  recipes: { quick: { adapt: { maxIterations: 3 }, models: ['P-joint'], oracle: { every: 1 } } },
  tests: [{ name: 'limbs', data: phantom, undersampling: { acceleration: 3 } }],
};

describe('a study configuration', () => {
  test('hands each model its own training, and each test its own undersampling', () => {
    const parsed = parseStudyConfig(study);
    expect(modelTraining(parsed, 'P-joint', 12)).toMatchObject({
      steps: 12,
      loss: 'joint',
      undersampling: { acceleration: 4, seed: 7, noise: [0.01, 0.02] },
    });
    expect(modelTraining(parsed, 'Q-joint', 12)).toMatchObject({
      batch: 2,
      loss: 'supervised',
      undersampling: { acceleration: 2, seed: 7, noise: [0.01, 0.02] },
    });
    expect(testUndersampling(parsed, parsed.tests[0])).toMatchObject({ acceleration: 3, type: 'random' });
  });

  test('names its rows', () => {
    expect(rowNames(parseStudyConfig(study))).toEqual([
      'zero-filled',
      'CG-SENSE',
      'l1-wavelet',
      'P-joint',
      'P-joint, consistent',
      'P-joint + quick',
      'P-joint + quick, consistent',
      'P-joint + quick, oracle',
      'Q-joint',
      'Q-joint, consistent',
      'shipped',
      'shipped, consistent',
    ]);
  });

  const withTargets = (...targets: object[]): object => ({ ...study, tests: [{ ...study.tests[0], targets }] });
  const models = (changes: object): object => ({ ...study, models: { ...study.models, ...changes } });
  test.each([
    [{ ...study, tests: [] }, /tests/],
    [{ ...study, titel: 'x' }, /titel/],
    [models({ 'R-joint': { domain: 'R' } }), /models\.R-joint: there is no domain called R/],
    [models({ bad: { domain: 'P', training: { stepz: 3 } } }), /models\.bad.*stepz/],
    [models({ bad: { domain: 'P', training: { steps: 3 } } }), /models\.bad: epochs must .* instead of steps/],
    [models({ 'a + b': { domain: 'P' } }), /must not hold \+ or ,/],
    [{ ...study, recipes: { slow: { adapt: { learningRate: 2 } } } }, /recipes\.slow: adapt\.learningRate/],
    [{ ...study, recipes: { slow: { models: ['none'] } } }, /recipes\.slow: there is no model called none/],
    [{ ...study, undersampling: { acceleration: 0 } }, /undersampling/],
    [withTargets({ of: 'P-joint' }), /atLeast or atMost/],
    [
      withTargets({ of: 'P-joint + slow', atLeast: 0 }),
      /no row called "P-joint \+ slow"; there are zero-filled; .*quick/,
    ],
    [withTargets({ shareOfGap: 'slow', atLeast: 1 }), /no recipe called slow/],
    [withTargets({ shareOfGap: 'quick', shift: 'other', atLeast: 1 }), /no shift called other/],
  ])('names what is wrong (%#)', (config, message) => {
    expect(() => parseStudyConfig(config, 'study.json')).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message: expect.stringMatching(message) }),
    );
  });
});

const examples = resolve(import.meta.dirname, '../../examples/studies');
const files = ['.', 'fastmri'].flatMap((folder) =>
  readdirSync(join(examples, folder))
    .filter((file) => file.endsWith('.json'))
    .map((file) => join(folder, file)),
);

test.each(files)('the example %s is valid', async (file) => {
  const { tests } = await readStudyConfig(join(examples, file));
  expect(tests.length).toBeGreaterThan(0);
});
