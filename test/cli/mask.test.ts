import { describe, expect, test } from 'vitest';
import { createMask } from '#larmor/sampling/mask.js';
import { createPointMask } from '#larmor/sampling/point-mask.js';
import { runCli } from '../support/run-cli.js';

describe('larmor mask', () => {
  test('prints points for two phase encodes, and draws them', async () => {
    const args = ['mask', '--rows', '30', '--columns', '40', '--type', 'poisson', '--acceleration', '5', '--seed', '2'];
    const printed = JSON.parse((await runCli([...args, '--json'])).stdout);
    const expected = createPointMask({ type: 'poisson', shape: [30, 40], acceleration: 5, center: [4, 6], seed: 2 });
    expect(printed).toMatchObject({ center: [4, 6], sampled: 240, effectiveAcceleration: 5 });
    expect(printed.mask).toEqual(Array.from(expected.data));
    const { stdout } = await runCli([...args, '--center-fraction', '0']);
    expect(stdout.match(/^[#.]{40}$/gm)).toHaveLength(30);
  });

  test.each([
    [['--columns', '40', '--type', 'poisson'], 'wants --rows'],
    [['--columns', '40', '--rows', '8'], '--rows goes with'],
    [['--columns', '40', '--rows', '8', '--type', 'grid', '--acceleration', '2,4'], 'one acceleration'],
  ])('%j is refused', async (args, message) => {
    const { exitCode, stderr } = await runCli(['mask', ...args]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(message);
  });

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
