import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runtimeLibrary, runtimeVersion } from '#larmor/runtime/library.js';

test('loads the library of onnxruntime-node', async () => {
  expect(runtimeLibrary()).toContain('onnxruntime-node');
  expect(await runtimeVersion()).toMatch(/^1\.\d+\.\d+/);
});

test.each([
  ['a missing file', '/nonexistent/libonnxruntime.so', 'cannot load'],
  ['a library of another kind', 'libm.so.6', 'does not export OrtGetApiBase'],
])('rejects %s with ERR_RUNTIME_MISSING', async (_, path, reason) => {
  const script = `import { runtimeVersion } from '#larmor/runtime/library.js';
    await runtimeVersion().catch(({ code, message }) => console.log(code, message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, LARMOR_ONNXRUNTIME: path },
  });
  expect(stdout).toContain('ERR_RUNTIME_MISSING');
  expect(stdout).toContain(reason);
});
