// The suite of kernels is complete: CMake runs every native test once per LARMOR_ISA, and here none may have been forgotten.
import { expect, test } from 'vitest';
import { read, sourceFiles } from '../support/source-files.js';

/** Names of the functions in the kernel table. */
function kernels(): string[] {
  const [, table] = /^struct Kernels \{$(.*?)^\};$/ms.exec(read('native/core/kernels.h')) ?? [];
  return [...table.matchAll(/^ {2}\S.*?\(\*(\w+)\)\(/gm)].map(([, name]) => name);
}

const tests = sourceFiles(['test/native'], /_test\.cc$/);

test('every kernel is called by a native test', () => {
  const called = tests.map(({ text }) => text).join('\n');
  const untested = kernels().filter((name) => !new RegExp(`\\b(?:k|kernels\\(\\))\\.${name}\\b`).test(called));
  expect(kernels().length).toBeGreaterThan(40);
  expect(untested, 'compare them with the plain loop in test/native/*_test.cc').toEqual([]);
});

test('every native test is built and runs at every instruction set', () => {
  const listed = read('native/sources.gypi');
  expect(tests.map(({ path }) => path).filter((path) => !listed.includes(`"${path}"`))).toEqual([]);
  expect(read('CMakeLists.txt')).toContain('foreach(isa baseline avx2 avx512)');
});

test('every instruction set fills the whole table', () => {
  const filled = [...read('native/core/kernels.inl').matchAll(/^ {4}\.(\w+) = /gm)].map(([, name]) => name);
  expect(filled).toEqual(expect.arrayContaining(kernels()));
});
