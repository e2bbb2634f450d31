// `larmor info FILE`: what a file holds.
import { stat } from 'node:fs/promises';
import { points } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { isCflPath } from '../io/cfl.js';
import { Hdf5Reader, isHdf5 } from '../io/hdf5/reader.js';
import { type ScanContents, SELECTORS } from '../io/ismrmrd-acquisitions.js';
import { readSafetensors } from '../io/safetensors.js';
import { openScan, type Scan, type ScanOptions, scanFormat } from '../io/scan.js';
import { type SampledCentre, sampledCentre } from '../sampling/centre.js';
import { sampledCount } from '../sampling/mask.js';
import { addScanFlags } from './scan-flags.js';
import type { Outcome, Register } from './shell.js';
import { count, table } from './text.js';

export const register: Register = (program, shell) => {
  const command = program
    .command('info')
    .description('what a file holds: scan, reconstruction, maps or model')
    .argument('<file>', 'an HDF5 or safetensors file');
  addScanFlags(command).action((file: string, flags: ScanOptions) =>
    shell.run(({ signal }) => describe(file, { ...flags, signal })),
  );
};

async function describe(path: string, options: ScanOptions): Promise<Outcome> {
  if (isCflPath(path)) {
    await using scan = await openScan(path, options);
    return describeScan(scan);
  }
  if (!(await isHdf5(path))) return describeTensors(path);
  const file = await Hdf5Reader.open(path, options);
  await file.close();
  if (scanFormat(file) === undefined) return describeHdf5(path, file);
  await using scan = await openScan(path, options);
  return describeScan(scan);
}

async function describeScan(scan: Scan): Promise<Outcome> {
  const { name, path, format, slices, coils, matrix, imageShape, acquiredColumns } = scan;
  const { acquisition, header, attributes, fullySampled, hasReference, phaseEncodes, contents } = scan;
  const { size: bytes } = await stat(path);
  const mask = sampling(scan);
  const json = {
    kind: 'scan',
    ...{ path, bytes, format, slices, coils, phaseEncodes, matrix, imageShape, acquiredColumns },
    ...{ acquisition, fullySampled, mask, hasReference, header, contents, attributes },
  };
  const [first, end] = acquiredColumns;
  const rows = [
    ['scan', `${name}, ${format} layout, ${megabytes(bytes)}`],
    ['acquisition', acquisition ?? 'not stated'],
    ['k-space', kspace(scan)],
    ...(contents ? acquisitions(contents) : []),
    ...(end - first < matrix[1] ? [['acquired', `columns ${first} to ${end - 1}; the others are padding`]] : []),
    ['image', `${imageShape.join(' x ')} after the centre crop`],
    [
      'sampling',
      mask ? `${mask.sampled} of ${mask.total} ${mask.kind}, ${mask.acceleration.toFixed(2)}x` : 'fully sampled',
    ],
    ...(mask ? [['centre', centreText(mask.centre)]] : []),
    ['reference', hasReference ? 'yes' : 'none'],
    ...(header?.system ? [['scanner', header.system]] : []),
    ...(header?.fieldStrength ? [['field strength', `${header.fieldStrength} T`]] : []),
  ];
  return { json, text: table(rows) };
}

function kspace({ slices, coils, matrix, phaseEncodes }: Scan): string {
  const [rows, columns] = matrix;
  return phaseEncodes === 1
    ? `${count(slices, 'slice')}, ${count(coils, 'coil')}, ${rows} x ${columns} (readout x phase encode)`
    : `3-D, ${count(coils, 'coil')}, ${slices} x ${columns} x ${rows} (readout x first x second phase encode)`;
}

/** What an ISMRMRD file holds, and what of it is read. */
function acquisitions(contents: ScanContents): string[][] {
  const { lines, averages, noise, skipped, available, selected } = contents;
  const others = Object.entries(skipped).map(([reason, n]) => `${n} ${reason}`);
  const choices = SELECTORS.filter((name) => available[name].length > 1).map(
    (name) => `${name} ${selected[name]} of ${available[name].join(', ')}`,
  );
  return [
    ['lines', `${lines}${averages > 1 ? `, up to ${averages} averages` : ''}`],
    ['noise', noise > 0 ? count(noise, 'line') : 'none'],
    ...(others.length > 0 ? [['skipped', others.join(', ')]] : []),
    ...(choices.length > 0 ? [['read', choices.join('; ')]] : []),
  ];
}

interface Sampling {
  readonly kind: 'lines' | 'points';
  readonly sampled: number;
  /** Lines or points that were acquired, had all been measured. */
  readonly total: number;
  readonly acceleration: number;
  /** The fully sampled centre, which coil maps are estimated from. */
  readonly centre: SampledCentre;
}

function sampling({ mask, acquiredColumns: [first, end], matrix }: Scan): Sampling | undefined {
  if (!mask) return undefined;
  const lines = mask.shape.length === 1;
  const sampled = sampledCount(mask);
  const total = (end - first) * (lines ? 1 : matrix[0]);
  const centre = sampledCentre(mask, matrix[0]);
  return { kind: lines ? 'lines' : 'points', sampled, total, acceleration: total / sampled, centre };
}

function centreText({ rows, columns }: SampledCentre): string {
  return columns > 0 ? `${rows} x ${columns} fully sampled` : 'not sampled';
}

/** Reconstructions and maps carry the manifest of the run that made them. */
function describeHdf5(path: string, { datasets, attributes }: Hdf5Reader): Outcome {
  const { manifest: text, ...others } = attributes;
  const manifest = parseManifest(text);
  const listed = [...datasets.values()];
  const rows = listed.map(({ name, elements, shape }) => [name, elements, `[${shape.join(', ')}]`]);
  const made = manifest ? [`made by larmor ${manifest.larmor ?? ''} with method ${manifest.method ?? 'unknown'}`] : [];
  return {
    json: { kind: 'hdf5', path, datasets: listed, attributes: others, manifest },
    text: [rows.length > 0 ? table(rows) : 'no datasets', ...made].join('\n'),
  };
}

function parseManifest(text: unknown): Record<string, unknown> | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // another program's attribute of the same name
  }
}

async function describeTensors(path: string): Promise<Outcome> {
  const { tensors, metadata } = await readSafetensors(path).catch((error) => {
    const known = error instanceof LarmorError && error.code !== 'ERR_FILE_FORMAT';
    throw known ? error : new LarmorError('ERR_FILE_FORMAT', `${path} is neither an HDF5 nor a safetensors file`);
  });
  const listed = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const values = listed.reduce((sum, { shape }) => sum + points(shape), 0);
  const rows = Object.entries(metadata).map(([name, value]) => [name, value]);
  return {
    json: { kind: 'safetensors', path, metadata, tensors: listed },
    text: [`${count(listed.length, 'tensor')}, ${values} values`, table(rows)].join('\n').trimEnd(),
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toPrecision(3)} MB`;
}
