// Programs run under a capped instruction set.
import { expect } from 'vitest';
import { relativeError } from './complex.js';
import { runNode } from './run-cli.js';

const LEVELS = ['baseline', 'avx2', 'avx512'];
const PRINT = `
  for (const data of results) console.log(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'));
`;

/** Runs a program that leaves Float32Arrays in `results` at every instruction set this processor has: all agree within `tolerance`. */
export async function expectSameAtEveryIsa(program: string, tolerance: number): Promise<void> {
  const [baseline, ...wider] = await Promise.all(LEVELS.map((level) => resultsUnder(level, program + PRINT)));
  for (const results of wider)
    results.forEach((result, i) => {
      expect(relativeError(result, baseline[i])).toBeLessThan(tolerance);
    });
}

async function resultsUnder(level: string, program: string): Promise<Float32Array[]> {
  const options = { cwd: import.meta.dirname, env: { ...process.env, LARMOR_ISA: level } };
  const { exitCode, stdout, stderr } = await runNode(['--input-type=module', '-e', program], options);
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => new Float32Array(Uint8Array.from(Buffer.from(line, 'base64')).buffer));
}
