// gpu/check where there is no GPU, with checkers that this test pretends: it says what it could not do, and no wrong number gets past it.
import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/hdf5-files.js';
import { read, sourceFiles } from '../support/source-files.js';

const file = temporaryFolder();
const root = join(import.meta.dirname, '../..');

interface Outcome {
  readonly status: number;
  readonly printed: string;
  readonly markdown: string;
  readonly parts: { name: string; state: string; reason?: string }[];
}

/** Runs gpu/check with no CUDA plugin for the addon and the given program as native checker. */
async function runCheck(name: string, checker: string): Promise<Outcome> {
  const program = file(`${name}.sh`);
  await writeFile(program, `#!/bin/sh\n${checker}\n`);
  await chmod(program, 0o755);
  const folder = file(name);
  const env = { ...process.env, QUICK: '1', OUT: folder, LARMOR_CUDA_CHECKER: program, LARMOR_CUDA_PLUGIN: program };
  const [status, printed] = await new Promise<[number, string]>((resolve) => {
    execFile('sh', [join(root, 'gpu/check')], { env }, (error, stdout) => resolve([Number(error?.code ?? 0), stdout]));
  });
  const { parts } = JSON.parse(await readFile(join(folder, 'gpu-check.json'), 'utf8'));
  return { status, printed, parts, markdown: await readFile(join(folder, 'gpu-check.md'), 'utf8') };
}

const line = (fields: object): string => `echo '${JSON.stringify(fields)}'`;

test('nothing to check is told by the exit status, with a reason for every part', async () => {
  const skip = `${line({ kind: 'skip', reason: 'no driver' })}; exit 77`;
  const { status, printed, parts, markdown } = await runCheck('nothing', skip);
  expect(parts.find(({ name }) => name === 'kernels')).toMatchObject({ state: 'skipped', reason: 'no driver' });
  expect(parts.find(({ name }) => name === 'recon')).toMatchObject({ state: 'skipped' });
  for (const { reason } of parts.filter(({ state }) => state === 'skipped')) expect(reason).not.toBe('');
  if (parts.every(({ state }) => state === 'skipped')) {
    expect(status).toBe(77);
    expect(printed).toContain('nothing checked');
    expect(markdown).toContain('nothing checked');
  }
});

test('a wrong number, a crash after right ones: reported, and the other parts go on', async () => {
  const right = { kind: 'check', name: 'fft2', case: '1x2x3', error: 1e-7, limit: 1e-5, repeats: true, ok: true };
  const wrong = { ...right, name: 'adam', error: 0.5, ok: false };
  const kernels = `if [ "$2" != --bench ]; then ${line(right)}; ${line(wrong)}; exit 0; fi`;
  const { status, parts, markdown, printed } = await runCheck('wrong', `${kernels}\n${line(right)}; kill -SEGV $$`);
  expect(status).toBe(1);
  expect(parts.find(({ name }) => name === 'kernels')).toMatchObject({ state: 'wrong', reason: '1 checks failed' });
  expect(parts.find(({ name }) => name === 'speed')).toMatchObject({ state: 'failed', reason: 'ended by SIGSEGV' });
  expect(printed).toContain('not all right: kernels');
  expect(markdown).toMatch(/\| adam \| 1 \| 5\.0e-1 \| 1\.0e-5 \| 1x2x3 \| \*\*wrong\*\*/);
  expect(markdown).toMatch(/\| fft2 \| 2 \| 1\.0e-7 \|/);
});

test('every kernel of the table is checked, and its check tested with a fault', () => {
  const [, table] =
    /typedef struct LarmorCudaTable \{$(.*?)^\} LarmorCudaTable;$/ms.exec(read('native/cuda/plugin.h')) ?? [];
  const kernels = table.slice(table.indexOf('// Centred unitary transforms'));
  const names = [...kernels.matchAll(/\(\*(\w+)\)\(/g)].map(([, name]) => name);
  expect(names.length).toBeGreaterThan(20);
  const checks = sourceFiles(['gpu/checker'], /check_\w+\.cc$/).map(({ text }) => text);
  const faults = read('test/native/cuda_emulator/CMakeLists.txt');
  expect(names.filter((name) => !checks.join('\n').includes(`device->${name},`))).toEqual([]);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(faults))).toEqual([]);
});
