// Targets as configurations write them: lists and stars stand for a target each.
import { describe, expect, test } from 'vitest';
import { parseStudyConfig } from '#larmor/studies/config.js';
import { spellOut } from '#larmor/studies/target-rules.js';
import type { TargetRule } from '#larmor/studies/target-schema.js';

const rows = ['CG-SENSE', 'P', 'P, consistent', 'P + fast', 'P + fast, consistent', 'Q (a.b)', 'Q (a.b) + fast'];
const out = (...rules: TargetRule[]): unknown[] => spellOut(rules, rows, 'here');
const figure = { metric: 'ssim', statistic: 'mean' } as const;

describe('targets', () => {
  test('of one row each stay as they are', () => {
    const target = { of: 'P + fast', over: 'P', metric: 'psnr', statistic: 'worst', atLeast: -0.1 } as const;
    const share = { shareOfGap: 'fast', shift: undefined, consistent: false, metric: 'ssim', atLeast: 1 } as const;
    expect(out(target, share)).toEqual([target, share]);
  });

  test('of lists are one for every row, compared row and metric; twice the same counts once', () => {
    expect(
      out(
        { ...figure, of: ['P + fast', 'P'], over: ['CG-SENSE', 'l1'], metric: ['ssim', 'psnr'], atLeast: 0 },
        { ...figure, of: 'P', over: 'l1', atLeast: 0 },
        { shareOfGap: 'fast', shift: ['a', 'b'], consistent: true, metric: 'ssim', atMost: 2 },
      ),
    ).toEqual([
      ...['P + fast', 'P'].flatMap((of) =>
        ['CG-SENSE', 'l1'].flatMap((over) =>
          ['ssim', 'psnr'].map((metric) => ({ ...figure, of, over, metric, atLeast: 0 })),
        ),
      ),
      ...['a', 'b'].map((shift) => ({ shareOfGap: 'fast', shift, consistent: true, metric: 'ssim', atMost: 2 })),
    ]);
  });

  test('stars fit rows whole, and fill those of the compared row in order', () => {
    expect(out({ ...figure, of: '* + fast', over: '*', atLeast: 0 })).toEqual([
      { ...figure, of: 'P + fast', over: 'P', atLeast: 0 },
      { ...figure, of: 'Q (a.b) + fast', over: 'Q (a.b)', atLeast: 0 },
    ]);
    expect(out({ ...figure, of: '* + *, consistent', over: '*, *', atMost: 1 })).toEqual([
      { ...figure, of: 'P + fast, consistent', over: 'P, fast', atMost: 1 },
    ]);
    expect(out({ race: 'Q* + fast', against: ['P', 'P*'], atLeast: 3 })).toEqual([
      { race: 'Q (a.b) + fast', against: 'P', atLeast: 3 },
      { race: 'Q (a.b) + fast', against: 'P (a.b)', atLeast: 3 },
    ]);
  });

  test('that fit nothing, or cannot be filled, are refused', () => {
    const refused = (rule: TargetRule, message: RegExp): void => {
      expect(() => out(rule)).toThrow(
        expect.objectContaining({ code: 'ERR_CONFIG', message: expect.stringMatching(message) }),
      );
    };
    refused({ ...figure, of: 'P + slow*', atLeast: 0 }, /^here: no row fits "P \+ slow\*"; there are CG-SENSE; P; /);
    refused({ ...figure, of: 'P', over: '*', atLeast: 0 }, /^here: "\*" has more \* than the pattern of "P"/);
  });

  test('of a whole study are asked of every test, after its own', () => {
    const phantom = { source: 'phantom', families: ['limb'], subjects: 1 };
    const own = { of: 'unet-small', atLeast: 0.5 };
    const study = {
      title: 'a study',
      models: { 'unet-small': { file: 'unet-small' } },
      recipes: { quick: {} },
      targets: [{ of: '* + quick', over: ['*', 'CG-SENSE'], atLeast: 0 }],
      tests: [
        { name: 'one', data: phantom, targets: [own] },
        { name: 'two', data: phantom },
      ],
    };
    const common = ['unet-small', 'CG-SENSE'].map((over) => ({
      ...figure,
      of: 'unet-small + quick',
      over,
      atLeast: 0,
    }));
    const { tests } = parseStudyConfig(study);
    expect(tests.map(({ targets }) => targets)).toEqual([[{ ...figure, ...own }, ...common], common]);
    const wrong = { ...study, targets: [{ of: 'none', atLeast: 0 }] };
    expect(() => parseStudyConfig(wrong, 'study.json')).toThrow(/targets of one: there is no row called "none"/);
  });
});
