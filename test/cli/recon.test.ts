import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Hdf5Reader } from '#larmor/io/hdf5/reader.js';
import { readImages } from '#larmor/io/image-file.js';
import { saveModel } from '#larmor/networks/model.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createUnet } from '#larmor/networks/unet.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { kspaceDataset, type TestDataset, temporaryFolder, writeHdf5 } from '../support/hdf5-files.js';
import { type CliResult, runCli, runNode } from '../support/run-cli.js';
import { writeSyntheticScan } from '../support/scans.js';

const file = temporaryFolder();
const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
const scan = file('scan.h5');
const out = file('out.h5');
const model = file('model.safetensors');
const accelerated = ['--acceleration', '2', '--center-fraction', '0.3'];
const undersample = { acceleration: 2, centerFraction: 0.3 };

const recon = (input: string, ...flags: string[]): Promise<CliResult> => runCli(['recon', input, '-o', out, ...flags]);
/** Temporary files beside the outputs. */
const leftBehind = (): string[] => readdirSync(file('.')).filter((name) => name.endsWith('.tmp'));

beforeAll(async () => {
  await writeSyntheticScan(scan, { slices: 3, coils: 4, size: 32, noise: 1e-3 });
  const network = createUnet({ channels: 4, pools: 2, residual: true });
  const weights = ParameterStore.initialise(network.parameters, 1);
  await saveModel(model, { network, weights, input: 'sense', notes: { trained: 'not at all' } });
});

describe('larmor recon', () => {
  test('writes the image that the library gives, with its manifest, and reports as JSON', async () => {
    const { exitCode, stdout } = await recon(scan, '--method', 'cg-sense', ...accelerated, '--slices', '1:', '--json');
    expect(exitCode).toBe(0);
    const expected = await reconstruct(scan, { method: 'cg-sense', undersample, slices: { first: 1 } });
    expect(await readImages(out)).toEqual({ ...expected.image, dataset: 'reconstruction' });
    const json = JSON.parse(stdout);
    expect(json).toMatchObject({ input: scan, output: out, method: 'cg-sense', device: 'cpu' });
    expect(json.metrics).toEqual(expected.metrics);
    expect(json.slices).toMatchObject([
      { index: 1, metrics: expected.slices[0].metrics, warnings: [] },
      { index: 2, metrics: expected.slices[1].metrics, warnings: [] },
    ]);
    await using stored = await Hdf5Reader.open(out);
    const { started: _, seconds: __, slices: ___, ...manifest } = expected.manifest;
    expect(JSON.parse(String(stored.attributes.manifest))).toMatchObject(JSON.parse(JSON.stringify(manifest)));
  });

  test('adapts a network and keeps its own output beside the final one', async () => {
    const adapt = ['--adapt', '--adapt-iterations', '5', '--slices', '0', '--json'];
    const { exitCode, stdout } = await recon(scan, '--model', model, ...accelerated, ...adapt);
    expect(exitCode).toBe(0);
    const [slice] = JSON.parse(stdout).slices;
    expect(slice.adaptation).toMatchObject({ verdict: 'adapted', iterations: 5, stop: 'iterations' });
    expect(Object.keys(slice.adaptation.validation)).toEqual(['first', 'best', 'last']);
    expect(slice.adaptation).not.toHaveProperty('curve');
    await using stored = await Hdf5Reader.open(out);
    expect([...stored.datasets.keys()].sort()).toEqual(['reconstruction', 'reconstruction_network']);
  });

  test('writes a report that compares with the simpler methods', async () => {
    const folder = file('report');
    const flags = [...accelerated, '--slices', '0', '--iterations', '9']; // the simpler methods take no iterations
    const { exitCode, stdout } = await recon(scan, ...flags, '--report', folder, '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).report).toBe(`${folder}/report.html`);
    const page = readFileSync(`${folder}/report.html`, 'utf8');
    for (const name of ['Zero-filled', 'CG-SENSE', 'Reference', 'scan.h5']) expect(page).toContain(name);
    expect(readdirSync(folder)).toContain('slice-000.png');
  });

  test('keeps the images when the report cannot be written', async () => {
    const target = file('kept.h5');
    const flags = [...accelerated, '--slices', '0', '--whiten', 'background', '--report', scan]; // a file, not a folder
    const { exitCode, stdout } = await runCli(['recon', scan, '-o', target, ...flags, '--json']);
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([1, 'ERR_FILE_WRITE']);
    expect((await readImages(target)).shape).toEqual([1, 32, 32]);
  });

  test('tells in JSON how the noise was made white', async () => {
    const { stdout } = await recon(scan, '--method', 'zero-filled', '--whiten', 'background', '--json');
    expect(JSON.parse(stdout).noise).toMatchObject({ source: 'background', samples: expect.any(Number) });
  });
});

describe('larmor maps', () => {
  test('writes maps of unit norm inside the object', async () => {
    const { exitCode, stdout } = await runCli(['maps', scan, '-o', out, '--slices', '0:2', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ input: scan, output: out, shape: [2, 1, 4, 32, 32] });
    await using stored = await Hdf5Reader.open(out);
    const maps = await stored.readComplex('maps', { start: [1, 0, 0, 0, 0], count: [1, 1, 4, 32, 32] });
    const centre = 2 * (16 * 32 + 16);
    const energy = [0, 1, 2, 3].reduce((sum, coil) => {
      const at = 2 * coil * 32 * 32 + centre;
      return sum + maps[at] ** 2 + maps[at + 1] ** 2;
    }, 0);
    expect(energy).toBeCloseTo(1, 5);
  });

  test('more sets than coils is wrong usage', async () => {
    const { exitCode } = await runCli(['maps', scan, '-o', file('none.h5'), '--sets', '9']);
    expect([exitCode, existsSync(file('none.h5'))]).toEqual([2, false]);
  });
});

describe('bad input exits 1 with a coded error and writes nothing', () => {
  const target = file('unwritten.h5');
  const failing = async (
    input: string,
    ...flags: string[]
  ): Promise<{ exitCode: number | null; code: string; message: string }> => {
    const { exitCode, stdout } = await runCli(['recon', input, '-o', target, '--json', ...flags]);
    expect(existsSync(target)).toBe(false);
    expect(leftBehind()).toEqual([]);
    return { exitCode, ...JSON.parse(stdout).error };
  };
  const nan = kspaceDataset([1, 2, 8, 8], (i) => (i === 40 ? Number.NaN : i));
  const ones = kspaceDataset([1, 2, 8, 8], (i) => Math.sin(i + 1));

  test.each<[string, Record<string, TestDataset>, string]>([
    ['missing dataset', { image: kspaceDataset([1, 2]) }, 'ERR_FILE_FORMAT'],
    ['wrong rank', { kspace: kspaceDataset([8, 8]) }, 'ERR_FILE_FORMAT'],
    ['wrong dtype', { kspace: { shape: [1, 8, 8], data: new Float32Array(64) } }, 'ERR_FILE_FORMAT'],
    ['NaN in k-space', { kspace: nan, mask: { shape: [8], data: new Uint8Array(8).fill(1) } }, 'ERR_NOT_FINITE'],
    ['all-zero mask', { kspace: ones, mask: { shape: [8], data: new Uint8Array(8) } }, 'ERR_MASK'],
    ['mask of another length', { kspace: ones, mask: { shape: [9], data: new Uint8Array(9).fill(1) } }, 'ERR_MASK'],
    [
      'no centre to calibrate on',
      { kspace: ones, mask: { shape: [8], data: Uint8Array.of(1, 1, 0, 0, 0, 0, 1, 1) } },
      'ERR_CALIBRATION',
    ],
  ])('%s', async (_, datasets, code) => {
    const path = await writeHdf5(file('bad.h5'), datasets);
    const failure = await failing(path);
    expect(failure).toMatchObject({ exitCode: 1, code });
    expect(failure.message).not.toBe('');
  });

  test('a missing, an empty, a truncated and a foreign file', async () => {
    expect(await failing(file('none.h5'))).toMatchObject({ exitCode: 1, code: 'ERR_FILE_NOT_FOUND' });
    writeFileSync(file('empty.h5'), '');
    expect(await failing(file('empty.h5'))).toMatchObject({ exitCode: 1, code: 'ERR_FILE_FORMAT' });
    writeFileSync(file('cut.h5'), readFileSync(scan));
    truncateSync(file('cut.h5'), 5000);
    expect(await failing(file('cut.h5'))).toMatchObject({ exitCode: 1, code: 'ERR_FILE_FORMAT' });
    expect(await failing(model)).toMatchObject({ exitCode: 1, code: 'ERR_FILE_FORMAT' });
  });

  test('a corrupt model and one of another kind', async () => {
    writeFileSync(file('cut.safetensors'), readFileSync(model).subarray(0, 3000));
    expect(await failing(scan, '--model', file('cut.safetensors'))).toMatchObject({
      exitCode: 1,
      code: 'ERR_FILE_FORMAT',
    });
    const network = createUnet({ channels: 2, pools: 1, inChannels: 1, outChannels: 1 });
    const weights = new ParameterStore(network.parameters);
    await saveModel(file('other.safetensors'), { network, weights, input: 'sense', notes: {} });
    expect(await failing(scan, '--model', file('other.safetensors'))).toMatchObject({ exitCode: 1, code: 'ERR_MODEL' });
  });

  test('wrong usage exits 2', async () => {
    for (const flags of [
      ['--method', 'unet'],
      ['--slices', '3:9'],
      ['--seed', '1'],
      ['--adapt-iterations', '5'],
    ])
      expect((await failing(scan, ...flags)).exitCode).toBe(2);
    const withoutOutput = await runCli(['recon', scan]);
    expect(withoutOutput.exitCode).toBe(2);
    expect((await runCli(['recon', scan, '-o', scan])).exitCode).toBe(2);
  });
});

describe('outputs that cannot be written', () => {
  test('fail before any work, with exit 1', async () => {
    mkdirSync(file('folder'), { recursive: true });
    for (const target of [file('folder'), file('no/such/out.h5'), '/dev/full', '/proc/out.h5']) {
      const { exitCode, stdout } = await runCli(['recon', scan, '-o', target, '--json']);
      expect([exitCode, JSON.parse(stdout).error.code]).toEqual([1, 'ERR_FILE_WRITE']);
    }
  });

  test('a disk that fills up leaves the old file alone', () => {
    const target = file('old.h5');
    writeFileSync(target, 'old');
    const command = 'trap "" XFSZ; ulimit -f 2; exec "$0" "$1" recon "$2" -o "$3" --method zero-filled --json';
    const run = spawnSync('sh', ['-c', command, process.execPath, main, scan, target], { encoding: 'utf8' });
    expect(run.status).toBe(1);
    expect(JSON.parse(run.stdout).error).toMatchObject({ code: 'ERR_FILE_WRITE' });
    expect(readFileSync(target, 'utf8')).toBe('old');
    expect(leftBehind()).toEqual([]);
  });
});

describe('Ctrl-C', () => {
  test('stops a reconstruction cleanly with exit 130 and leaves nothing', async () => {
    const target = file('interrupted.h5');
    const large = await writeSyntheticScan(file('large.h5'), { slices: 6, coils: 8, size: 128, noise: 1e-3 });
    const flags = ['--model', model, ...accelerated, '--adapt', '--adapt-iterations', '100000'];
    const { exitCode, stderr } = await runNode([main, 'recon', large, '-o', target, ...flags], {}, (message, kill) => {
      if (/adapting/.test(message)) kill('SIGINT');
    });
    expect(exitCode).toBe(130);
    expect(stderr).toMatch(/slice \d+, adapting, at most [\w .]+ more\nstopping/);
    expect([existsSync(target), leftBehind()]).toEqual([false, []]);
  });
});
