// Which acquisitions of an ISMRMRD file make up its k-space, by their flags and counters, and where each of them goes.
import { LarmorError } from '../errors.js';
import { HEADER_FIELDS, type HeaderField, type Line } from './hdf5/protocol.js';
import type { MatrixSize, ScanHeader } from './ismrmrd-header.js';

/** Counters that tell images of one file apart; one value of each is read. */
export const SELECTORS = ['contrast', 'repetition', 'phase', 'set'] as const;

/** One value of each counter. */
export type Selection = Readonly<Record<(typeof SELECTORS)[number], number>>;

/** Values chosen of some counters. */
export type Choice = { readonly [name in keyof Selection]?: number | undefined };

/** A line of k-space, to be completed with the column and weight its slice gives it. */
export interface PlacedLine extends Omit<Line, 'column' | 'weight'> {
  readonly slice: number;
  /** Along the first and the second phase encoding, from 0. */
  readonly ky: number;
  readonly kz: number;
}

/** The acquisitions of a file, sorted. */
export interface SortedAcquisitions {
  readonly coils: number;
  /** Lines of k-space, of the selected images, in the order of the file. */
  readonly lines: readonly PlacedLine[];
  /** Positions of noise acquisitions, and their samples in all. */
  readonly noise: readonly { readonly acquisition: number; readonly samples: number }[];
  /** What noise samples are multiplied by to have the deviation of the lines' noise. */
  readonly noiseScale: number;
  readonly selected: Selection;
  readonly contents: ScanContents;
}

/** What an ISMRMRD file holds, in numbers of acquisitions. */
export interface ScanContents {
  /** Name of the group that was read. */
  readonly dataset: string;
  readonly acquisitions: number;
  /** Lines of the selected image; averages count singly. */
  readonly lines: number;
  readonly noise: number;
  /** Left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Most lines measured at one position. */
  readonly averages: number;
  /** Values of the counters; of each the selected one was read. */
  readonly available: Readonly<Record<keyof Selection, readonly number[]>>;
  readonly selected: Selection;
}

// Flags of ISMRMRD 1, counted from 1 as its header file does.
const NOISE = 19;
const CALIBRATION = 20;
const CALIBRATION_AND_IMAGING = 21;
const REVERSED = 22;
const SKIPPED: readonly [flag: number, reason: string][] = [
  [23, 'navigation'],
  [24, 'phase correction'],
  [26, 'feedback'],
  [27, 'dummy'],
  [28, 'feedback'],
  [29, 'surface coil correction'],
  [30, 'phase stabilisation'],
  [31, 'phase stabilisation'],
];
const COMPRESSED = [53, 54, 55, 56];

/** Modes in which calibration lines belong to the image: the same contrast and geometry, between or among its lines. */
const SHARED_CALIBRATION = ['embedded', 'interleaved'];

/** The headers of all acquisitions, field by field. */
class Headers {
  readonly count: number;

  constructor(readonly table: Float64Array) {
    this.count = table.length / HEADER_FIELDS.length;
  }

  field(acquisition: number, name: HeaderField): number {
    return this.table[acquisition * HEADER_FIELDS.length + HEADER_FIELDS.indexOf(name)];
  }

  flagged(acquisition: number, flag: number): boolean {
    const bits = this.field(acquisition, flag > 32 ? 'flags_high' : 'flags');
    return ((bits >>> ((flag - 1) & 31)) & 1) === 1;
  }
}

/**
 * Sorts the acquisitions of a file.
 *
 * @param table As `Hdf5Reader.readAcquisitions` gives it. @param wanted Chosen counters; the lowest value of the others is read.
 * @throws LarmorError `ERR_FILE_FORMAT` when headers contradict each other or nothing is left; `ERR_ARGUMENT` for a counter
 *   value the file does not have.
 */
export function sortAcquisitions(
  path: string,
  dataset: string,
  table: Float64Array,
  header: ScanHeader,
  matrix: MatrixSize,
  wanted: Choice,
): SortedAcquisitions {
  const headers = new Headers(table);
  const skipped: Record<string, number> = {};
  const noise: { acquisition: number; samples: number }[] = [];
  const imaging: number[] = [];
  const shared = header.calibrationMode === undefined || SHARED_CALIBRATION.includes(header.calibrationMode);
  for (let i = 0; i < headers.count; i += 1) {
    if (COMPRESSED.some((flag) => headers.flagged(i, flag)))
      throw wrong(path, i, 'its samples are compressed; store them uncompressed');
    const reason = headers.flagged(i, NOISE) ? undefined : reasonToSkip(headers, i, shared);
    if (headers.flagged(i, NOISE)) noise.push({ acquisition: i, samples: headers.field(i, 'number_of_samples') });
    else if (reason === undefined) imaging.push(i);
    else skipped[reason] = (skipped[reason] ?? 0) + 1;
  }
  const values = (name: keyof Selection): number[] => distinct(imaging.map((i) => headers.field(i, name)));
  const available = forEachSelector(values);
  if (imaging.length === 0)
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path}: none of its ${headers.count} acquisitions is a line of an image`,
    );
  const selected = select(path, available, wanted);
  const chosen = imaging.filter((i) => SELECTORS.every((name) => headers.field(i, name) === selected[name]));
  if (chosen.length === 0)
    throw new LarmorError('ERR_ARGUMENT', `${path} has no lines of ${describe(selected)}; choose other counters`);
  const coils = headers.field(chosen[0], 'active_channels');
  for (const i of [...chosen, ...noise.map(({ acquisition }) => acquisition)])
    if (headers.field(i, 'active_channels') !== coils || coils === 0)
      throw wrong(path, i, `it has ${headers.field(i, 'active_channels')} channels, others have ${coils}`);
  const lines = chosen.map((i) => placed(path, headers, i, header, matrix));
  return {
    coils,
    lines,
    noise,
    noiseScale: noise.length > 0 ? noiseScale(headers, noise[0].acquisition, chosen[0], header) : 1,
    selected,
    contents: {
      dataset,
      acquisitions: headers.count,
      lines: lines.length,
      noise: noise.length,
      skipped,
      averages: mostAtOnePosition(lines),
      available,
      selected,
    },
  };
}

function wrong(path: string, acquisition: number, what: string): LarmorError {
  return new LarmorError('ERR_FILE_FORMAT', `${path}: acquisition ${acquisition} cannot be used: ${what}`);
}

function reasonToSkip(headers: Headers, i: number, sharedCalibration: boolean): string | undefined {
  const skip = SKIPPED.find(([flag]) => headers.flagged(i, flag));
  if (skip) return skip[1];
  if (headers.field(i, 'encoding_space_ref') !== 0) return 'another encoding space';
  const calibrationOnly = headers.flagged(i, CALIBRATION) && !headers.flagged(i, CALIBRATION_AND_IMAGING);
  return calibrationOnly && !sharedCalibration ? 'separate calibration' : undefined;
}

function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

function select(path: string, available: ScanContents['available'], wanted: Choice): Selection {
  return forEachSelector((name) => {
    const value = wanted[name] ?? available[name][0];
    if (available[name].includes(value)) return value;
    throw new LarmorError(
      'ERR_ARGUMENT',
      `${path}: ${name} must be one of ${available[name].join(', ')}, got ${value}`,
    );
  });
}

function forEachSelector<T>(value: (name: keyof Selection) => T): Record<keyof Selection, T> {
  return { contrast: value('contrast'), repetition: value('repetition'), phase: value('phase'), set: value('set') };
}

function describe(selection: Selection): string {
  return SELECTORS.map((name) => `${name} ${selection[name]}`).join(', ');
}

/** Where a line lies: by its encoding counters, and along the readout by its centre sample. */
function placed(path: string, headers: Headers, i: number, header: ScanHeader, matrix: MatrixSize): PlacedLine {
  const get = (name: HeaderField): number => headers.field(i, name);
  const along = (step: HeaderField, size: number, center: number | undefined): number => {
    const at = get(step) + (size >> 1) - (center ?? size >> 1);
    if (at >= 0 && at < size) return at;
    throw wrong(path, i, `${step} ${get(step)} lies outside the ${size} steps that its header states`);
  };
  const ky = along('kspace_encode_step_1', matrix.y, header.phaseEncoding?.center);
  const kz = along('kspace_encode_step_2', matrix.z, matrix.z > 1 ? header.secondPhaseEncoding?.center : undefined);

  const reversed = headers.flagged(i, REVERSED);
  const samples = get('number_of_samples');
  const [before, after] = [get('discard_pre'), get('discard_post')];
  const from = reversed ? after : before;
  const count = samples - before - after;
  // A readout as long as the matrix fits in one way only, whatever its writer put down as its centre.
  const to = count === matrix.x ? 0 : from + (matrix.x >> 1) - get('center_sample');
  if (count < 1 || to < 0 || to + count > matrix.x)
    throw wrong(
      path,
      i,
      `${count} samples with the centre at ${get('center_sample')} do not fit into a readout of ${matrix.x}`,
    );
  return { acquisition: i, slice: get('slice'), ky, kz, from, count, to, reversed };
}

function mostAtOnePosition(lines: readonly PlacedLine[]): number {
  const counts = new Map<string, number>();
  let most = 0;
  for (const { slice, ky, kz } of lines) {
    const key = `${slice} ${kz} ${ky}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    most = Math.max(most, count);
  }
  return most;
}

/**
 * The noise's power goes with the bandwidth, hence with 1 / sample time; the receiver's filter takes a part of it from noise
 * scans, but not from the middle of an oversampled readout.
 *
 * @see Kellman and McVeigh, Magn Reson Med 2005;54:1439-1447.
 */
function noiseScale(headers: Headers, noise: number, line: number, header: ScanHeader): number {
  const [noiseTime, lineTime] = [noise, line].map((i) => headers.field(i, 'sample_time_us'));
  const ratio = noiseTime > 0 && lineTime > 0 ? noiseTime / lineTime : 1;
  return Math.sqrt(ratio / (header.noiseBandwidth ?? 1));
}
