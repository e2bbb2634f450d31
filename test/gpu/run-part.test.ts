// How gpu/check ends a part that takes too long.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const { runPart } = await import(pathToFileURL(join(import.meta.dirname, '../../gpu/run-part.mjs')).href);

test('a part that takes too long ends with all that it started, and what it printed is kept', async () => {
  const command = ['/bin/sh', '-c', `echo '{"kind":"note","text":"begun"}'; sleep 600 & setsid sleep 5 & sleep 600`];
  const done = await runPart({ name: 'slow', title: 'Slow', command }, 1);
  expect(done).toMatchObject({ state: 'failed', reason: 'stopped after 1 s', lines: [{ text: 'begun' }] });
});

test('a program that is not there is a failed part', async () => {
  const done = await runPart({ name: 'none', title: 'None', command: ['/nowhere/program'] }, 1);
  expect(done).toMatchObject({ state: 'failed', reason: expect.stringContaining('ENOENT'), lines: [] });
});
