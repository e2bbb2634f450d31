// `larmor import` as a user runs it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadModel } from '#larmor/networks/model.js';
import { call, checkpoint, PROTO2, pickle, text } from '../support/pickles.js';
import { runCli } from '../support/run-cli.js';
import { describeShared, shared } from '../support/shared.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larmor-import-'));
});
afterEach(() => rm(folder, { recursive: true }));

describeShared('larmor import', () => {
  test('a Lightning checkpoint becomes a model', async () => {
    const output = join(folder, 'unet.safetensors');
    const file = shared('fixtures/unet_c4_p2.lightning.ckpt');
    const { exitCode, stdout } = await runCli(['import', file, '-o', output, '--input', 'split-rss', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ network: { kind: 'unet', channels: 4, pools: 2 }, parameters: 7346 });
    expect((await loadModel(output)).input).toBe('split-rss');
  });
});

test('a hostile file is refused with the name of what it calls, and nothing is written', async () => {
  const file = join(folder, 'bad.pt');
  const output = join(folder, 'out.safetensors');
  await writeFile(file, checkpoint(pickle(PROTO2, call('os', 'system', text(`touch ${join(folder, 'owned')}`)), '.')));
  const { exitCode, stderr } = await runCli(['import', file, '-o', output]);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/error ERR_FILE_FORMAT: .*wants to call os\.system/);
  await expect(loadModel(output)).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
  await expect(loadModel(join(folder, 'owned'))).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
});
