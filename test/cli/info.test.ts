import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { writeImages } from '#larmor/io/image-file.js';
import { writeSafetensors } from '#larmor/io/safetensors.js';
import { kspaceDataset, temporaryFolder, writeH5pyFile, writeHdf5 } from '../support/hdf5-files.js';
import { runCli } from '../support/run-cli.js';

const file = temporaryFolder();

describe('larmor info', () => {
  test('a scan', async () => {
    const { exitCode, stdout } = await runCli(['info', writeH5pyFile(file('scan.h5')), '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'scan',
      format: 'fastmri',
      slices: 2,
      coils: 3,
      matrix: [4, 6],
      imageShape: [2, 4],
      acquisition: 'CORPD_FBK',
      fullySampled: false,
      mask: { kind: 'lines', sampled: 4, total: 5, acceleration: 1.25, centre: { columns: 0 } },
      hasReference: true,
    });
  });

  test('a scan, for people', async () => {
    const { stdout } = await runCli(['info', writeH5pyFile(file('scan.h5'))]);
    expect(stdout).toMatch(/^k-space +2 slices, 3 coils, 4 x 6 \(readout x phase encode\)$/m);
    expect(stdout).toMatch(/^acquired +columns 1 to 5; the others are padding$/m);
    expect(stdout).toMatch(/^sampling +4 of 5 lines, 1\.25x$/m);
    expect(stdout).toMatch(/^centre +not sampled$/m);
  });

  test('a reconstruction', async () => {
    const images = { shape: [1, 2, 3], data: new Float32Array(6) };
    await writeImages(file('out.h5'), { reconstruction: images }, { larmor: '0.1.0', method: 'cg-sense' });
    const { stdout } = await runCli(['info', file('out.h5')]);
    expect(stdout).toBe('reconstruction  float32  [1, 2, 3]\nmade by larmor 0.1.0 with method cg-sense\n');
  });

  test('a model', async () => {
    const weights = { dtype: 'F32', shape: [2, 3], data: new Float32Array(6) } as const;
    await writeSafetensors(file('model.safetensors'), new Map([['w', weights]]), { kind: 'unet' });
    const { stdout } = await runCli(['info', file('model.safetensors'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'safetensors',
      metadata: { kind: 'unet' },
      tensors: [{ name: 'w', dtype: 'F32', shape: [2, 3] }],
    });
  });

  test.each<[string, () => string | Promise<string>, string]>([
    ['a missing file', () => file('none.h5'), 'ERR_FILE_NOT_FOUND'],
    ['an empty file', () => textFile('empty.h5', ''), 'ERR_FILE_FORMAT'],
    ['a file of another kind', () => textFile('text.h5', 'text'.repeat(1000)), 'ERR_FILE_FORMAT'],
    ['a scan of wrong rank', () => writeHdf5(file('rank.h5'), { kspace: kspaceDataset([4, 4]) }), 'ERR_FILE_FORMAT'],
  ])('%s exits 1 and names the cause', async (_, make, code) => {
    const path = await make();
    const { exitCode, stdout } = await runCli(['info', path, '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).error).toMatchObject({ code, message: expect.stringContaining(path) });
  });
});

function textFile(name: string, text: string): string {
  writeFileSync(file(name), text);
  return file(name);
}
