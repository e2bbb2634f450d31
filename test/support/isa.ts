// Programs run under a capped instruction set.
import { expect } from 'vitest';
import { runNode } from './run-cli.js';

export const ISA_LEVELS = ['baseline', 'avx2', 'avx512'] as const;

/**
 * What a program prints under LARMOR_ISA: arrays, one a line, in base64. It may end in
 * `for (const data of results) console.log(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'))`.
 */
export async function resultsUnder(level: string, program: string): Promise<Float32Array[]> {
  const options = { cwd: import.meta.dirname, env: { ...process.env, LARMOR_ISA: level } };
  const { exitCode, stdout, stderr } = await runNode(['--input-type=module', '-e', program], options);
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => new Float32Array(Uint8Array.from(Buffer.from(line, 'base64')).buffer));
}
