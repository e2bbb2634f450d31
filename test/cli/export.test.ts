// `larmor export` as a user runs it.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeOnnx } from '#larmor/graph/onnx.js';
import { loadModel } from '#larmor/networks/model.js';
import { sameBits } from '../support/bits.js';
import { runCli } from '../support/run-cli.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larmor-export-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('a bundled model as ONNX and as safetensors', async () => {
  const onnx = join(folder, 'unet.onnx');
  const { exitCode, stdout } = await runCli(['export', 'unet-small', '-o', onnx, '--size', '51x46', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ network: 'unet', parameters: 482722, size: [51, 46] });
  expect(decodeOnnx(await readFile(onnx)).inputs[0].shape).toEqual(['batch', 2, 51, 46]);
  const copy = join(folder, 'unet.safetensors');
  expect((await runCli(['export', 'unet-small', '-o', copy])).exitCode).toBe(0);
  const [original, copied] = [await loadModel('unet-small'), await loadModel(copy)];
  expect(sameBits(copied.weights.data, original.weights.data)).toBe(true);
});

test.each([
  [['-o', 'out.txt'], /must end in \.onnx or \.safetensors/],
  [['-o', 'out.safetensors', '--size', '8x8'], /--size goes with an \.onnx file/],
  [['-o', 'out.onnx', '--size', '8'], /It must be HEIGHTxWIDTH/],
])('wrong usage: %s', async (flags, message) => {
  const { exitCode, stderr } = await runCli(['export', 'unet-small', ...flags], { cwd: folder });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
