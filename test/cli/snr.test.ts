import { existsSync, readdirSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { Hdf5Reader } from '#larmor/io/hdf5/reader.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runCli } from '../support/run-cli.js';
import { writeSyntheticScan } from '../support/scans.js';

const file = temporaryFolder();
const scan = file('scan.h5');
const out = file('out.h5');

beforeAll(async () => {
  await writeSyntheticScan(scan, { slices: 2, coils: 4, size: 32, noise: 1e-2 });
});

test('writes both maps with their manifest, and pictures of them', async () => {
  const folder = file('pictures');
  const flags = ['--acceleration', '2', '--center-fraction', '0.3', '--replicas', '5', '--report', folder, '--json'];
  const { exitCode, stdout } = await runCli(['snr', scan, '-o', out, '--slices', '1', ...flags]);
  expect(exitCode).toBe(0);
  const json = JSON.parse(stdout);
  expect(json).toMatchObject({ input: scan, output: out, method: 'cg-sense', replicas: 5, report: folder });
  expect(json.standardError).toBeCloseTo(1 / Math.sqrt(8), 12);
  expect(json.snr.median).toBeGreaterThan(1);
  expect(json.gFactor.median).toBeGreaterThan(0.3);
  await using stored = await Hdf5Reader.open(out);
  expect([...stored.datasets].map(([name, { shape }]) => [name, shape]).sort()).toEqual([
    ['g_factor', [1, 32, 32]],
    ['snr', [1, 32, 32]],
  ]);
  expect(JSON.parse(String(stored.attributes.manifest))).toMatchObject({ replicas: 5, noiseSeed: 0, slices: [1] });
  expect(readdirSync(folder).sort()).toEqual(['slice-001-g-factor.png', 'slice-001-snr.png']);
});

test.each([['--adapt'], ['--reference', 'sense'], ['--filter', 'hann']])('takes no %s', async (...flags) => {
  const target = file('none.h5');
  const { exitCode } = await runCli(['snr', scan, '-o', target, ...flags, '--json']);
  expect([exitCode, existsSync(target)]).toEqual([2, false]);
});
