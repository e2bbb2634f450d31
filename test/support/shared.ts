// Where the reference data lie, for tests that compare with other software. A clone without them skips, by name and aloud;
// LARMOR_REQUIRE_SHARED=1 (set by .ci/run when the folder is there) turns skipping into failure.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'vitest';

const root = resolve(import.meta.dirname, '../../../shared');
export const hasShared = existsSync(join(root, 'fixtures'));

/** Path of a file under the reference folder, e.g. shared('data/brain_pd_8ch.h5'). */
export const shared = (path: string): string => join(root, path);

/** `describe` for tests on reference data. */
export function describeShared(name: string, body: () => void): void {
  if (hasShared) describe(name, body);
  else if (process.env.LARMOR_REQUIRE_SHARED === '1')
    test(name, () => {
      throw new Error(`${name}: reference data are missing at ${root}`);
    });
  // Not describe.skip: vitest would still run the body to collect its tests, and bodies read the data.
  else test.skip(`${name} (skipped: no reference data at ${root})`);
}
