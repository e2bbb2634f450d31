// The instruction set of the native kernels can be capped, and never exceeds what the processor has.
import { expect, test } from 'vitest';
import { runNode } from './support/run-cli.js';

const LEVELS = ['baseline', 'avx2', 'avx512'];
const program = `
  import { binding } from '#larmor/binding.js';
  console.log(binding.platform().isa);
`;

async function isaUnder(cap?: string): Promise<string> {
  const { LARMOR_ISA: _, ...env } = process.env;
  const options = { cwd: import.meta.dirname, env: cap === undefined ? env : { ...env, LARMOR_ISA: cap } };
  const { exitCode, stdout, stderr } = await runNode(['--input-type=module', '-e', program], options);
  expect([exitCode, stderr]).toEqual([0, '']);
  return stdout.trim();
}

test('LARMOR_ISA caps the instruction set', async () => {
  const best = LEVELS.indexOf(await isaUnder());
  expect(best).toBeGreaterThanOrEqual(0);
  for (const [level, cap] of LEVELS.entries()) expect(await isaUnder(cap)).toBe(LEVELS[Math.min(level, best)]);
});
