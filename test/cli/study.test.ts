// `larmor study` from a configuration to its tables: the smallest of the examples.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StudySummary } from '#larmor/studies/summary.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runCli } from '../support/run-cli.js';

const file = temporaryFolder();
const smoke = resolve(import.meta.dirname, '../../examples/studies/smoke.json');

type Document = StudySummary & { work: { trained: number; made: number; known: number } };

async function study(...flags: string[]): Promise<{ document: Document; exitCode: number | null }> {
  const { stdout, exitCode } = await runCli(['study', smoke, '-o', file('out'), '--json', ...flags]);
  return { document: JSON.parse(stdout), exitCode };
}

/** Scores of every row and slice, without times. */
const scores = ({ tests }: Document): unknown =>
  tests.map(({ rows }) => rows.map(({ name, slices }) => [name, slices.map(({ ssim, psnr }) => [ssim, psnr])]));

describe('larmor study', () => {
  test('trains, adapts, scores and judges; what is known is not done again; parallel runs agree', async () => {
    const first = (await study('--parallel', '2')).document;
    expect(first.work).toEqual({ trained: 4, made: 24, known: 0 });
    expect(first.tests[0].n).toBe(2);
    const names = first.tests[0].rows.map(({ name }) => name);
    expect(names).toContain('l1-wavelet');
    expect(names).toContain('Q-joint + default, consistent');
    expect(names.filter((name) => name.endsWith('oracle'))).toEqual(['P-joint + default, oracle']);
    for (const { name, slices, ssim } of first.tests[0].rows) {
      expect([name, slices.length]).toEqual([name, 2]);
      expect(ssim.mean).toBeCloseTo((slices[0].ssim + slices[1].ssim) / 2, 12);
      expect(ssim.worst).toBe(Math.min(slices[0].ssim, slices[1].ssim));
    }
    expect(JSON.parse(readFileSync(file('out/smoke/study.json'), 'utf8')).tests).toEqual(first.tests);
    expect(readFileSync(file('out/smoke/study.md'), 'utf8')).toMatch(/^# A study in seconds.*\n\n## heads, n = 2\n/);

    // One slice is pictured, by every row but the oracle and by the reference, with the error of each but the reference's.
    const page = readFileSync(file('out/smoke/report.html'), 'utf8');
    expect(page.match(/<img src="data:image\/png/g)?.length).toBe(2 * (names.length - 1) + 1);
    expect(page.match(/class="strip-dot"/g)?.length).toBe(2 * names.length);
    expect(page.match(/<h3>P-joint \+ default<\/h3><svg/g)?.length).toBe(1);
    expect(page).toContain('<td class="met">met</td>');

    const again = (await study()).document;
    expect(again.work).toEqual({ trained: 0, made: 0, known: 24 });
    expect(again.tests).toEqual(first.tests);

    // One result lost, as by a stop half way: that one is made anew, to the same numbers.
    const results = file('out/results');
    const [lost] = readdirSync(results).filter((name) => name.endsWith('.json'));
    rmSync(join(results, lost));
    const mended = (await study()).document;
    expect(mended.work).toEqual({ trained: 0, made: 1, known: 23 });
    expect(scores(mended)).toEqual(scores(first));
  });

  test('tells what it would do, and keeps nothing of it', async () => {
    const { stdout, exitCode } = await runCli(['study', smoke, '-o', file('dry'), '--dry-run']);
    expect(exitCode).toBe(0);
    expect(existsSync(file('dry'))).toBe(false);
    expect(stdout).toMatch(/^P, training: 6 slices; 32 x 32, 4 coils, 11 of 32 lines$/m);
    expect(stdout).toMatch(/^Q-joint +Q +unet +7530 +joint +30 +\S/m);
    expect(stdout).toMatch(/^heads +2 cases +24 images +\S/m);
  });
});
