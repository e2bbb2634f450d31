// Paths with patterns.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { expandPaths } from '#larmor/training/file-patterns.js';
import { temporaryFolder } from '../support/hdf5-files.js';

const file = temporaryFolder();

beforeAll(async () => {
  for (const folder of ['knee_a', 'knee_b', 'brain']) await mkdir(file(folder));
  for (const name of ['knee_a/2.h5', 'knee_a/10.h5', 'knee_a/.9.h5', 'knee_a/2.txt', 'knee_b/1.h5', 'brain/1.h5'])
    await writeFile(file(name), '');
});

test('in the order of the list, and of names within a pattern', async () => {
  expect(await expandPaths([file('brain/1.h5'), file('knee_*/*.h5')])).toEqual(
    ['brain/1.h5', 'knee_a/10.h5', 'knee_a/2.h5', 'knee_b/1.h5'].map((name) => file(name)),
  );
  expect(await expandPaths([join(file('knee_a'), '..', '*', '1.h5')])).toContain(file('brain/1.h5'));
});

test('a dot and a plus are themselves, and a pattern that matches nothing is named', async () => {
  await expect(expandPaths([file('knee_a/*xh5')])).rejects.toMatchObject({
    code: 'ERR_FILE_NOT_FOUND',
    message: expect.stringMatching(/no file is called .*\*xh5/),
  });
  expect(await expandPaths(['no/such/file.h5'])).toEqual(['no/such/file.h5']);
});
