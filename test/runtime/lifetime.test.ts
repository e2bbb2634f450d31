import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { longModel, onnxModel } from '../support/onnx.js';

const support = join(import.meta.dirname, '../support');
const folder = mkdtempSync(join(tmpdir(), 'larmor-lifetime-'));
const long = join(folder, 'long.onnx');
const medium = join(folder, 'medium.onnx');
const small = join(folder, 'small.onnx');

beforeAll(() => {
  writeFileSync(long, longModel(1500));
  writeFileSync(medium, longModel(20));
  const shape = [1, 8, 32, 32];
  const convolutions = ['a', 'b', 'c'].map((name, i, names) => ({
    op: 'Conv',
    inputs: [i === 0 ? 'x' : names[i - 1], 'w'],
    outputs: [name],
    attributes: { pads: [1, 1, 1, 1] },
  }));
  const weights = { op: 'ConstantOfShape', inputs: ['s'], outputs: ['w'] };
  const size = { op: 'Constant', inputs: [], outputs: ['s'], attributes: { value_ints: [8, 8, 3, 3] } };
  writeFileSync(small, onnxModel([size, weights, ...convolutions], [{ name: 'x', shape }], [{ name: 'c', shape }]));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function node(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
  return stdout;
}

describe('a process may end', () => {
  test.each([
    'creating',
    'created',
    'bound',
    'running',
    'closed while running',
    'aborting',
    'aborted',
    'closed',
    'at the end of the program',
  ])('%s', async (stage) => {
    await node('--expose-gc', join(support, 'session-life.mjs'), stage, long);
  });
});

test('the first sessions of a process may be created at once', async () => {
  const script = `import { readFileSync } from 'node:fs';
    import { createSession } from '#larmor/runtime/session.js';
    const model = readFileSync(${JSON.stringify(small)});
    const sessions = await Promise.all(Array.from({ length: 8 }, () => createSession(model, { threads: 1 })));
    console.log(sessions.length);`;
  expect(await node('--input-type=module', '--eval', script)).toBe('8\n');
});

test('worker threads terminated in the middle of runs leave the process alive', async () => {
  for (let round = 0; round < 5; ++round)
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        const worker = new Worker(join(support, 'session-life.mjs'), {
          workerData: ['terminated from outside', medium],
        });
        await new Promise((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
        });
        await worker.terminate();
      }),
    );
});

test('creating, running and closing sessions leaves the memory as it was', async () => {
  const { start, end } = JSON.parse(await node('--expose-gc', join(support, 'session-leak.mjs'), small, '200'));
  expect(end / start).toBeLessThan(1.05);
});
