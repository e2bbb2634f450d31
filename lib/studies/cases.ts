// The cases of a study: every slice of every test under every mask, and what determines them.
import type { RunOptions } from '../jobs.js';
import { softwareVersions } from '../reconstruction/manifest.js';
import { type PreparedCase, prepareCase, REFERENCE_LINES } from './case.js';
import { type StudyConfig, testUndersampling } from './config.js';
import { openTest, type StudyData } from './data.js';
import type { StudyCase } from './produce.js';

/** Every slice of every test under every mask. Slices are read when prepared; the latest stay in memory for the next producer. */
export async function openCases(
  study: StudyConfig,
  data: StudyData,
  { parallel, signal, threads }: Pick<RunOptions, 'signal' | 'threads'> & { readonly parallel: number },
): Promise<StudyCase[][]> {
  const latest = new Map<string, Promise<PreparedCase>>();
  const tests: StudyCase[][] = [];
  for (const [t, test] of study.tests.entries()) {
    const source = await data.looking(async () =>
      openTest(test, await data.resolve(test.data, { signal }), { signal, threads }),
    );
    const { reference, crop } = test;
    const how = { calibration: study.calibration, undersampling: testUndersampling(study, test), reference, crop };
    const cases: StudyCase[] = [];
    for (const mask of test.masks)
      for (let slice = 0; slice < source.length; slice += 1) {
        const key = `${t}:${slice}:${mask}`;
        const prepare: StudyCase['prepare'] = async (options) => {
          const kept = latest.get(key);
          // Another task may have been stopped while it prepared this case; then it is prepared anew.
          const found = await kept?.catch(() => undefined);
          if (found) return found;
          const seed = test.maskPerSlice ? [mask, slice] : mask;
          const made = source.read(slice, options).then((full) => prepareCase(full, seed, how, options));
          latest.set(key, made);
          for (const old of [...latest.keys()].slice(0, -2 * parallel)) latest.delete(old);
          return made;
        };
        cases.push({ test: t, slice, mask, prepare });
      }
    tests.push(cases);
  }
  return tests;
}

/** What determines the cases of each test, beside slice and mask. */
export async function caseIdentities(
  study: StudyConfig,
  data: StudyData,
  signal: AbortSignal | undefined,
): Promise<object[]> {
  const identities: object[] = [];
  for (const test of study.tests) {
    const { transpose, centre, reference, crop, maskPerSlice } = test;
    const { type, acceleration, centerFraction } = testUndersampling(study, test);
    const undersampling = { type, acceleration, centerFraction };
    const { calibration, consistency } = study;
    const source = await data.identity(test.data, { signal });
    const { larmor } = softwareVersions();
    const lines = REFERENCE_LINES;
    identities.push({
      source,
      transpose,
      centre,
      reference,
      lines,
      crop,
      maskPerSlice,
      undersampling,
      calibration,
      consistency,
      larmor,
    });
  }
  return identities;
}
