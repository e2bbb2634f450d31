// Which samples a reconstruction works from: those the scan measured, or a mask drawn for a fully sampled one.

import { seedFromName } from '../arrays/mt19937.js';
import { LarmorError } from '../errors.js';
import type { Scan } from '../io/scan.js';
import { createMask, MASK_TYPES, type MaskType, type SamplingMask, sampledCount } from '../sampling/mask.js';
import { createPointMask, defaultCenter, POINT_MASK_TYPES, type PointMaskType } from '../sampling/point-mask.js';

/** Retrospective undersampling of a fully sampled scan. */
export interface Undersampling {
  /** Columns (`MaskType`) or, for scans with two phase encodes, points. Default: random columns; of 3-D scans poisson. */
  readonly type?: MaskType | PointMaskType | undefined;
  readonly acceleration: number;
  /**
   * Fraction of columns at the centre that are always sampled; of points, fraction of both axes. Default: 0.32 / acceleration,
   * as fastMRI pairs them; of points as `defaultCenter`.
   */
  readonly centerFraction?: number | undefined;
  /** Default: drawn from the file's name, as fastMRI does, so that all slices share one mask. */
  readonly seed?: number | undefined;
}

/** The samples to reconstruct from, and how they came about. */
export interface Sampling {
  /** Columns outside the scan's acquired ones count as measured: they are zero in its reference too. */
  readonly mask: SamplingMask;
  /** K-space must be multiplied by the mask before use. */
  readonly retrospective: boolean;
  readonly description: {
    readonly source: 'scan' | 'drawn' | 'full';
    /** Acquired positions over sampled ones. */
    readonly acceleration: number;
    readonly type?: MaskType | PointMaskType;
    /** Of columns. */
    readonly centerFraction?: number;
    /** Of points: sides of the central block. */
    readonly center?: readonly [number, number];
    readonly seed?: number | string;
  };
}

/** fastMRI pairs 4x with 0.08 and 8x with 0.04. */
const CENTER_FRACTION_TIMES_ACCELERATION = 0.32;

/**
 * The sampling of `scan`, undersampled if asked for.
 *
 * @throws LarmorError `ERR_ARGUMENT` for undersampling of a scan that is undersampled already, or options out of range.
 */
export function planSampling(scan: Scan, undersample: Undersampling | undefined): Sampling {
  const [, kx] = scan.matrix;
  if (!undersample) {
    const mask = scan.mask ?? { data: new Uint8Array(kx).fill(1), shape: [kx] };
    const source = scan.mask ? 'scan' : 'full';
    // Also with a mask of its own a file may hold values between its samples: none of them counts.
    const description = { source, acceleration: accelerationOf(mask, scan) } as const;
    return { mask: withPadding(mask, scan), retrospective: scan.mask !== undefined, description };
  }
  if (!scan.fullySampled)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `undersample: ${scan.name} is undersampled already; leave the option out, or give a fully sampled scan`,
    );
  const { type = scan.phaseEncodes === 2 ? 'poisson' : 'random', seed } = undersample;
  const types: readonly string[] = [...MASK_TYPES, ...POINT_MASK_TYPES];
  if (!types.includes(type))
    throw new LarmorError('ERR_ARGUMENT', `undersample.type must be one of ${types.join(', ')}, got ${type}`);
  const drawn = isPointType(type) ? drawPoints(scan, type, undersample) : drawColumns(scan, type, undersample);
  const { mask } = drawn;
  const description = {
    ...drawn.description,
    source: 'drawn',
    acceleration: accelerationOf(mask, scan),
    type,
  } as const;
  return {
    mask: withPadding(mask, scan),
    retrospective: true,
    description: { ...description, seed: seed ?? scan.name },
  };
}

interface Drawn {
  readonly mask: SamplingMask;
  readonly description: Pick<Sampling['description'], 'center' | 'centerFraction'>;
}

function drawColumns(scan: Scan, type: MaskType, { acceleration, seed, ...given }: Undersampling): Drawn {
  const [, columns] = scan.matrix;
  const { centerFraction = CENTER_FRACTION_TIMES_ACCELERATION / acceleration } = given;
  const source = seed === undefined ? { filename: scan.name } : { seed };
  return {
    mask: createMask({ type, columns, acceleration, centerFraction, ...source }),
    description: { centerFraction },
  };
}

function drawPoints(scan: Scan, type: PointMaskType, { acceleration, centerFraction, seed }: Undersampling): Drawn {
  const { matrix: shape, name } = scan;
  const center =
    centerFraction === undefined ? defaultCenter(shape, acceleration) : centralPoints(shape, centerFraction);
  return {
    mask: createPointMask({ type, shape, acceleration, center, seed: seed ?? seedFromName(name) }),
    description: { center },
  };
}

/** Whether masks of this type select points, not columns. */
export function isPointType(type: string): type is PointMaskType {
  return POINT_MASK_TYPES.some((known) => known === type);
}

/** Sides of the central block that is this fraction of both axes. @throws LarmorError `ERR_ARGUMENT` unless it is in [0, 1]. */
export function centralPoints([rows, columns]: readonly [number, number], fraction: number): readonly [number, number] {
  if (!(fraction >= 0 && fraction <= 1))
    throw new LarmorError('ERR_ARGUMENT', `centerFraction must be in [0, 1], got ${fraction}`);
  return [Math.round(rows * fraction), Math.round(columns * fraction)];
}

function accelerationOf(mask: SamplingMask, { acquiredColumns: [first, end], matrix: [ky, kx] }: Scan): number {
  const acquired = mask.data.filter((_, i) => i % kx >= first && i % kx < end);
  const rows = mask.shape.length === 1 ? 1 : ky;
  return (rows * (end - first)) / Math.max(1, sampledCount({ data: acquired, shape: [acquired.length] }));
}

function withPadding(
  { data, shape }: SamplingMask,
  { acquiredColumns: [first, end], matrix: [, kx] }: Scan,
): SamplingMask {
  if (first === 0 && end === kx) return { data, shape };
  return { data: data.map((bit, i) => (i % kx < first || i % kx >= end ? 1 : bit)), shape };
}
