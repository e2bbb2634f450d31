// Picks scans out of a folder by what they hold: the acquisition, the size, and which of their slices.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LarmorError } from '../errors.js';
import { outlineScan, type ScanOutline } from '../io/scan.js';
import type { RunOptions } from '../jobs.js';
import { matches } from './file-patterns.js';

/** Which scans of a folder are taken, and which of their slices. Rules left out let every scan through. */
export interface ScanSelection {
  readonly folder: string;
  /** File names, `*` standing for any characters. Default `*.h5`. */
  readonly name?: string | undefined;
  /** The `acquisition` attribute of fastMRI files; others have none. */
  readonly acquisition?: string | undefined;
  readonly coils?: number | undefined;
  /** Of k-space: along the readout, and the phase encode. */
  readonly rows?: number | undefined;
  readonly columns?: number | undefined;
  /** Of the scans that fit, in the order of their names: leave out so many, */
  readonly skip?: number | undefined;
  /** and take so many, no fewer; */
  readonly files?: number | undefined;
  /** or so many, or as many as there are. Default: the rest. */
  readonly atMost?: number | undefined;
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
 * @throws LarmorError `ERR_FILE_NOT_FOUND` when the folder is missing or holds too few such scans, naming what is wanted, what is there
 *   instead and where it can be had; as `outlineScan`.
 */
export async function selectScans(
  selection: ScanSelection,
  { signal }: Pick<RunOptions, 'signal'> = {},
): Promise<SelectedScan[]> {
  const { folder, name = '*.h5', skip = 0, files, atMost } = selection;
  const end = skip + (files ?? atMost ?? Number.POSITIVE_INFINITY);
  const entries = await readdir(folder).catch(() => undefined);
  const candidates = (entries ?? []).filter((entry) => matches(entry, name)).sort();
  const fitting: SelectedScan[] = [];
  const others = new Map<string, number>();
  for (const entry of candidates) {
    if (fitting.length >= end) break;
    signal?.throwIfAborted();
    const path = join(folder, entry);
    const scan = await outlineScan(path, { signal });
    if (fits(scan, selection)) fitting.push({ path, slices: chosenSlices(scan, selection) });
    else others.set(describe(scan), (others.get(describe(scan)) ?? 0) + 1);
  }
  const taken = fitting.slice(skip);
  if (taken.length < (files ?? 1))
    throw new LarmorError(
      'ERR_FILE_NOT_FOUND',
      `${folder}: wants ${wanted(selection)}; ${found(entries && candidates.length, fitting.length, others)}` +
        (selection.origin === undefined ? '' : `. They are part of ${selection.origin}`),
    );
  return taken;
}

function fits(scan: ScanOutline, { acquisition, coils, rows, columns }: ScanSelection): boolean {
  const pairs = [
    [acquisition, scan.acquisition],
    [coils, scan.coils],
    [rows, scan.matrix[0]],
    [columns, scan.matrix[1]],
  ];
  return pairs.every(([rule, got]) => rule === undefined || rule === got);
}

function chosenSlices({ slices }: ScanOutline, { middle = slices }: ScanSelection): SelectedScan['slices'] {
  const count = Math.min(middle, slices);
  const first = Math.floor(slices / 2) - Math.floor(count / 2);
  return [first, first + count];
}

function wanted({ name = '*.h5', acquisition, coils, rows, columns, skip = 0, files }: ScanSelection): string {
  const rules = [
    ...(acquisition === undefined ? [] : [`acquisition ${acquisition}`]),
    ...(coils === undefined ? [] : [`${coils} coils`]),
    ...(rows === undefined ? [] : [`${rows} rows`]),
    ...(columns === undefined ? [] : [`${columns} columns`]),
  ];
  const least = files === undefined && skip === 0 ? 'at least one' : skip + (files ?? 1);
  return `${least} ${name}${rules.length > 0 ? ` of ${rules.join(', ')}` : ''}`;
}

/** Kinds of other scans that a message names. */
const NAMED = 5;

const describe = ({ acquisition, coils, matrix: [rows, columns] }: ScanOutline): string =>
  `${acquisition === undefined ? '' : `${acquisition}, `}${rows} x ${columns}, ${coils} coils`;

function found(candidates: number | undefined, fitting: number, others: ReadonlyMap<string, number>): string {
  if (candidates === undefined) return 'there is no such folder';
  const kinds = [...others].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${count} of ${kind}`);
  const named = kinds.slice(0, NAMED).join('; ') + (kinds.length > NAMED ? '; and others' : '');
  return `${fitting} of the ${candidates} files of that name fit${named === '' ? '' : ` (the others: ${named})`}`;
}
