import { expect, test } from 'vitest';
import { runCli } from '../support/run-cli.js';

test('prints a table for people and one JSON document for programs', async () => {
  const options = ['bench', '--size', '4x48x40', '--case', 'fft2', '--case', 'cg-sense', '--rounds', '1'];
  const [people, programs] = await Promise.all([runCli(options), runCli([...options, '--json'])]);
  expect([people.exitCode, programs.exitCode]).toEqual([0, 0]);
  expect(people.stdout).toMatch(/^2-D FFT of the coils +4x48x40 /m);
  const { machine, rows } = JSON.parse(programs.stdout);
  expect(machine.threads).toBe(1);
  expect(rows.map((row: { case: string }) => row.case)).toEqual(['fft2', 'cg-sense']);
});

test.each([
  ['--size', '15x640'],
  ['--rounds', '0'],
])('wrong usage %s %s exits 2', async (flag, value) => {
  const { exitCode, stderr } = await runCli(['bench', flag, value]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(flag);
});
