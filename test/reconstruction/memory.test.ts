import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runNode } from '../support/run-cli.js';
import { writeSyntheticScan } from '../support/scans.js';

const file = temporaryFolder();
const program = resolve(import.meta.dirname, '../support/memory-program.mjs');

test('memory does not grow with the slices', async () => {
  const [slices, coils, size] = [48, 8, 128];
  const scan = await writeSyntheticScan(file('scan.h5'), { slices, coils, size });
  const { stdout, stderr } = await runNode(['--expose-gc', program, scan]);
  expect(stderr).toBe('');
  const resident: number[] = JSON.parse(stdout);
  expect(resident).toHaveLength(slices);
  const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];
  const growth = median(resident.slice(-12)) - median(resident.slice(12, 24));
  // Were the k-space of these 24 slices kept but once, it would take 50 MB.
  expect(growth).toBeLessThan(0.5 * 24 * 8 * coils * size * size);
});
