// `larmor info FILE`: what a file holds.
import { stat } from 'node:fs/promises';
import { points } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { Hdf5Reader, isHdf5 } from '../io/hdf5/reader.js';
import { readSafetensors } from '../io/safetensors.js';
import { openScan, type Scan } from '../io/scan.js';
import { sampledCount } from '../sampling/mask.js';
import type { Outcome, Register } from './shell.js';
import { count, table } from './text.js';

export const register: Register = (program, shell) => {
  program
    .command('info')
    .description('what a file holds: scan, reconstruction, maps or model')
    .argument('<file>', 'an HDF5 or safetensors file')
    .action((file: string) => shell.run(({ signal }) => describe(file, signal)));
};

async function describe(path: string, signal: AbortSignal): Promise<Outcome> {
  if (!(await isHdf5(path))) return describeTensors(path);
  const file = await Hdf5Reader.open(path, { signal });
  await file.close();
  if (!file.datasets.has('kspace')) return describeHdf5(path, file);
  await using scan = await openScan(path, { signal });
  return describeScan(scan);
}

async function describeScan(scan: Scan): Promise<Outcome> {
  const { name, path, format, slices, coils, matrix, imageShape, acquiredColumns } = scan;
  const { acquisition, header, attributes, fullySampled, hasReference } = scan;
  const { size: bytes } = await stat(path);
  const mask = sampling(scan);
  const json = {
    kind: 'scan',
    ...{ path, bytes, format, slices, coils, matrix, imageShape, acquiredColumns },
    ...{ acquisition, fullySampled, mask, hasReference, header, attributes },
  };
  const [first, end] = acquiredColumns;
  const rows = [
    ['scan', `${name}, ${format} layout, ${megabytes(bytes)}`],
    ['acquisition', acquisition ?? 'not stated'],
    ['k-space', `${count(slices, 'slice')}, ${count(coils, 'coil')}, ${matrix.join(' x ')} (readout x phase encode)`],
    ...(end - first < matrix[1] ? [['acquired', `columns ${first} to ${end - 1}; the others are padding`]] : []),
    ['image', `${imageShape.join(' x ')} after the centre crop`],
    [
      'sampling',
      mask ? `${mask.sampled} of ${mask.total} ${mask.kind}, ${mask.acceleration.toFixed(2)}x` : 'fully sampled',
    ],
    ['reference', hasReference ? 'yes' : 'none'],
    ...(header?.system ? [['scanner', header.system]] : []),
    ...(header?.fieldStrength ? [['field strength', `${header.fieldStrength} T`]] : []),
  ];
  return { json, text: table(rows) };
}

interface Sampling {
  readonly kind: 'lines' | 'points';
  readonly sampled: number;
  /** Lines or points that were acquired, had all been measured. */
  readonly total: number;
  readonly acceleration: number;
}

function sampling({ mask, acquiredColumns: [first, end], matrix }: Scan): Sampling | undefined {
  if (!mask) return undefined;
  const lines = mask.shape.length === 1;
  const sampled = sampledCount(mask);
  const total = (end - first) * (lines ? 1 : matrix[0]);
  return { kind: lines ? 'lines' : 'points', sampled, total, acceleration: total / sampled };
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
