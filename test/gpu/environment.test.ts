// What gpu/check gives its parts as environment, unpacked from an archive on a machine that this test pretends.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/hdf5-files.js';

const file = temporaryFolder();
const source = join(import.meta.dirname, '../../gpu');

function write(path: string, text = '', mode = 0o644): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** An unpacked archive whose Node prints the environment it was started with, and the one library that every machine lacks. */
function unpacked(folders = ['models', 'bench']): string {
  const root = mkdtempSync(file('archive-'));
  for (const folder of ['gpu', ...folders]) mkdirSync(join(root, folder));
  for (const name of ['check', 'environment.sh']) copyFileSync(join(source, name), join(root, 'gpu', name));
  write(join(root, 'bin/node'), '#!/bin/sh\nenv\n', 0o755);
  for (const name of ['liblarmor-nowhere.so.1', 'libc.so.6']) write(join(root, 'libraries', name, name));
  return root;
}

/** A program in the place of `name` that prints `text`. */
function pretended(name: string, text: string): string {
  return dirname(write(join(mkdtempSync(file('bin-')), name), `#!/bin/sh\necho '${text}'\n`, 0o755));
}

const LISTED = 'libc.so.6 (libc6,x86-64) => /lib/libc.so.6';

/** The environment of the check's parts where ldconfig lists `libraries`. */
function environment(root: string, given: NodeJS.ProcessEnv = {}, libraries = LISTED): NodeJS.ProcessEnv {
  const env = {
    ...given,
    PATH: [pretended('ldconfig', libraries), given.PATH, '/usr/bin:/bin'].filter(Boolean).join(':'),
  };
  const printed = execFileSync('/bin/sh', [join(root, 'gpu/check')], { env, encoding: 'utf8' });
  return Object.fromEntries(printed.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

test('the libraries of the archive stand in for those that the machine lacks, behind its own', () => {
  const root = unpacked();
  const carried = join(root, 'libraries/liblarmor-nowhere.so.1');
  expect(environment(root).LD_LIBRARY_PATH).toBe(carried);
  expect(environment(root, { LD_LIBRARY_PATH: '/own' }).LD_LIBRARY_PATH).toBe(`/own:${carried}`);
  const own = dirname(write(file('own/liblarmor-nowhere.so.1')));
  expect(environment(root, { LD_LIBRARY_PATH: own }).LD_LIBRARY_PATH).toBe(own);
});

test('cuFFT is found in the toolkit, else in a package of Python, where the loader does not find it', () => {
  const root = unpacked();
  const cufft = write(file('toolkit/lib64/libcufft.so.11'));
  const python = pretended('python3', '/site-packages/nvidia/cu13/lib/libcufft.so.12');
  const toolkit = { CUDA_HOME: file('toolkit'), PATH: python };
  expect(environment(root, { ...toolkit, LARMOR_CUFFT: '/mine.so' }).LARMOR_CUFFT).toBe('/mine.so');
  expect(environment(root, toolkit, `${LISTED}\nlibcufft.so.12 (libc6,x86-64) => /x`).LARMOR_CUFFT).toBeUndefined();
  if (existsSync('/usr/local/cuda')) return;
  expect(environment(root, toolkit).LARMOR_CUFFT).toBe(cufft);
  expect(environment(root, { PATH: python }).LARMOR_CUFFT).toBe('/site-packages/nvidia/cu13/lib/libcufft.so.12');
});

test('what the environment says of drivers stands; a runtime folder is always named', () => {
  const root = unpacked();
  expect(environment(root, { VK_DRIVER_FILES: '/mine.json' }).VK_DRIVER_FILES).toBe('/mine.json');
  expect(environment(root, { VK_ICD_FILENAMES: '/mine.json' }).VK_DRIVER_FILES).toBeUndefined();
  expect(environment(root).XDG_RUNTIME_DIR).toBe('/tmp');
  expect(environment(root, { XDG_RUNTIME_DIR: '/run/me' }).XDG_RUNTIME_DIR).toBe('/run/me');
});

test('what was left out is taken from the checkout that is named, or asked for', () => {
  const checkout = dirname(dirname(write(file('checkout/models/small.json'))));
  mkdirSync(join(checkout, 'bench'));
  const root = unpacked([]);
  const { status, stderr } = spawnSync('/bin/sh', [join(root, 'gpu/check')], {
    env: { PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  expect(stderr).toContain('packed without models/, and CHECKOUT is not set');
  environment(root, { CHECKOUT: checkout });
  expect(existsSync(join(root, 'models/small.json'))).toBe(true);
});
