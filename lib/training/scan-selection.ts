// Picks scans out of a folder by what they hold: the acquisition, the size, and which of their slices.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LarmorError } from '../errors.js';
import { openScan } from '../io/scan.js';
import type { RunOptions } from '../jobs.js';
import { matches } from './file-patterns.js';

/** Which scans of a folder are taken, and which of their slices. Rules left out let every scan through. */
export interface ScanSelection {
  readonly folder: string;
  /** File names, `*` standing for any characters. Default `*.h5`. */
  readonly name?: string | undefined;
  /** The `acquisition` attribute of fastMRI files, or the protocol of others. */
  readonly acquisition?: string | undefined;
  readonly coils?: number | undefined;
  /** Of k-space: along the readout, and the phase encode. */
  readonly rows?: number | undefined;
  readonly columns?: number | undefined;
  /** Of the scans that fit, in the order of their names: leave out so many, */
  readonly skip?: number | undefined;
  /** and take so many. Default: the rest. */
  readonly files?: number | undefined;
  /** So many slices about the middle one, n/2, of each. Default: all. */
  readonly middle?: number | undefined;
  /** Where the files can be had, for the message when they are missing. */
  readonly origin?: string | undefined;
}

/** Slices [first, end) of a scan. */
export interface SelectedScan {
  readonly path: string;
  readonly slices: readonly [first: number, end: number];
}

/**
 * The scans that fit, in the order of their names.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND` when the folder is missing or holds too few such scans, naming what is wanted and where it can
 *   be had; as `openScan`.
 */
export async function selectScans(
  selection: ScanSelection,
  { signal }: Pick<RunOptions, 'signal'> = {},
): Promise<SelectedScan[]> {
  const { folder, name = '*.h5', skip = 0, files = Number.POSITIVE_INFINITY } = selection;
  const entries = await readdir(folder).catch(() => undefined);
  const candidates = (entries ?? []).filter((entry) => matches(entry, name)).sort();
  const fitting: SelectedScan[] = [];
  for (const entry of candidates) {
    if (fitting.length >= skip + files) break;
    const slices = await slicesIfFitting(join(folder, entry), selection, signal);
    if (slices) fitting.push({ path: join(folder, entry), slices });
  }
  const taken = fitting.slice(skip);
  if (taken.length === 0 || (Number.isFinite(files) && taken.length < files))
    throw new LarmorError('ERR_FILE_NOT_FOUND', missing(selection, entries && candidates.length, fitting.length));
  return taken;
}

async function slicesIfFitting(
  path: string,
  { acquisition, coils, rows, columns, middle }: ScanSelection,
  signal: AbortSignal | undefined,
): Promise<SelectedScan['slices'] | undefined> {
  await using scan = await openScan(path, { signal });
  const pairs = [
    [acquisition, scan.acquisition],
    [coils, scan.coils],
    [rows, scan.matrix[0]],
    [columns, scan.matrix[1]],
  ];
  if (pairs.some(([wanted, got]) => wanted !== undefined && wanted !== got)) return undefined;
  const count = Math.min(middle ?? scan.slices, scan.slices);
  const first = Math.floor(scan.slices / 2) - Math.floor(count / 2);
  return [first, first + count];
}

function missing(selection: ScanSelection, candidates: number | undefined, fitting: number): string {
  const { folder, name = '*.h5', acquisition, coils, rows, columns, skip = 0, files, origin } = selection;
  const rules = [
    ...(acquisition === undefined ? [] : [`acquisition ${acquisition}`]),
    ...(coils === undefined ? [] : [`${coils} coils`]),
    ...(rows === undefined ? [] : [`${rows} rows`]),
    ...(columns === undefined ? [] : [`${columns} columns`]),
  ];
  const wanted = `${files === undefined ? 'at least one' : skip + files} ${name}${rules.length > 0 ? ` of ${rules.join(', ')}` : ''}`;
  const found =
    candidates === undefined ? 'there is no such folder' : `${fitting} of the ${candidates} files of that name fit`;
  return `${folder}: wants ${wanted}; ${found}${origin === undefined ? '' : `. They are part of ${origin}`}`;
}
