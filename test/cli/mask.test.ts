import { describe, expect, test } from 'vitest';
import { createMask } from '#larmor/sampling/mask.js';
import { runCli } from '../support/run-cli.js';

describe('larmor mask', () => {
  test('prints the mask that createMask draws', async () => {
    const args = ['--columns', '368', '--type', 'equispaced_fraction', '--acceleration', '8'];
    const { exitCode, stdout } = await runCli([
      'mask',
      ...args,
      '--center-fraction',
      '0.04',
      '--filename',
      'file1000000.h5',
      '--json',
    ]);
    const expected = createMask({
      type: 'equispaced_fraction',
      columns: 368,
      acceleration: 8,
      centerFraction: 0.04,
      filename: 'file1000000.h5',
    });
    const printed = JSON.parse(stdout);
    expect(exitCode).toBe(0);
    expect(printed.mask).toEqual(Array.from(expected.data));
    expect(printed.sampled).toBe(printed.lines.length);
    expect(printed.lowFrequencies).toBe(expected.lowFrequencies);
  });

  test('draws it for people, one mark a column', async () => {
    const { stdout } = await runCli([
      'mask',
      '--columns',
      '100',
      '--acceleration',
      '4,8',
      '--center-fraction',
      '0.1,0.05',
    ]);
    const picture = stdout.split('\n').slice(3).join('');
    expect(picture).toMatch(/^[|.]{100}$/);
    expect(stdout).toContain(`${picture.split('|').length - 1} of 100 columns`);
  });

  test.each([
    [[]],
    [['--columns', '0']],
    [['--columns', '64', '--type', 'spiral']],
    [['--columns', '64', '--acceleration', '0.5']],
    [['--columns', '64', '--acceleration', '4,']],
    [['--columns', '64', '--acceleration', '4,8']],
    [['--columns', '64', '--seed', '1', '--filename', 'a.h5']],
  ])('wrong usage %j exits 2', async (args) => {
    const { exitCode, stderr } = await runCli(['mask', ...args]);
    expect(exitCode).toBe(2);
    expect(stderr).not.toBe('');
  });
});
