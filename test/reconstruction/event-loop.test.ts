import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import { saveModel } from '#larmor/networks/model.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createUnet } from '#larmor/networks/unet.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runNode } from '../support/run-cli.js';
import { writeSyntheticScan } from '../support/scans.js';

const file = temporaryFolder();
const program = resolve(import.meta.dirname, '../support/event-loop-program.mjs');
const scan = file('scan.h5');
const model = file('model.safetensors');
const undersample = { acceleration: 4 };

/** A 10 ms timer may be this much late. */
const LATE_MS = 50;

beforeAll(async () => {
  await writeSyntheticScan(scan, { slices: 4, coils: 8, size: 192, noise: 1e-3 });
  const network = createUnet({ channels: 8, pools: 3, residual: true });
  const weights = ParameterStore.initialise(network.parameters, 1);
  await saveModel(model, { network, weights, input: 'sense', notes: {} });
});

/** Lateness of a process at work, and of one beside it that does nothing: the machine's own share. */
async function lateness(...work: readonly string[]): Promise<{ ticks: number; p99: number; idle: number }> {
  const control = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const idle = text(control.stdout);
  const { stdout, stderr } = await runNode([program, ...work]);
  control.stdin.end();
  expect(stderr).toBe('');
  return { ...JSON.parse(stdout), idle: JSON.parse(await idle).p99 };
}

function expectPunctual({ ticks, p99, idle }: Awaited<ReturnType<typeof lateness>>): void {
  expect(ticks).toBeGreaterThan(50);
  expect(p99 - Math.max(0, idle)).toBeLessThan(LATE_MS);
}

// What other programs take of the machine is subtracted only roughly, hence the further attempts.
describe('the event loop stays free while', { retry: 2 }, () => {
  test.each([
    ['CG-SENSE runs', { method: 'cg-sense', undersample, iterations: 60 }],
    ['a network adapts', { model, undersample, adapt: { maxIterations: 8 }, slices: { end: 2 } }],
  ])('%s', async (_, options) => {
    expectPunctual(await lateness('recon', scan, JSON.stringify(options)));
  });

  test('a network trains', async () => {
    const training = { source: 'phantom', families: ['limb'], subjects: 2, size: 128 };
    const network = { kind: 'unet', channels: 8, pools: 3 };
    expectPunctual(await lateness('train', JSON.stringify({ network, training, steps: 30 })));
  });
});
