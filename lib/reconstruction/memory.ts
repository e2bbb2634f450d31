// How much memory a reconstruction takes, known before it begins.
import { totalmem } from 'node:os';
import { points } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { Scan } from '../io/scan.js';
import { finishingBytes } from './finish.js';
import { type Plan, planReconstruction, type ReconstructionOptions } from './options.js';
import { preparedCoils } from './preparation.js';

/** Memory a reconstruction will take, in bytes. */
export interface MemoryEstimate {
  /** Bytes in all. */
  readonly total: number;
  /** Bytes of the images kept until the end: reconstruction, network output, reference. */
  readonly images: number;
  /** Bytes of one slice at work. */
  readonly perSlice: number;
  /** Slices at work at once. */
  readonly parallelism: number;
}

/**
 * Upper estimate of the memory `reconstruct` will take with these options, without what Node itself takes.
 *
 * @throws as `reconstruct` does for wrong options.
 */
export async function estimateMemory(scan: Scan, options: ReconstructionOptions = {}): Promise<MemoryEstimate> {
  return memoryOf(scan, await planReconstruction(scan, options));
}

/** Copies of a slice's k-space beside the method's own: in the reader's memory, as read, masked. */
const KSPACE_COPIES = 3;

export function memoryOf(scan: Scan, plan: Plan): MemoryEstimate {
  const lines = plan.sampling.mask.shape.length === 1;
  const { coils } = scan;
  const size = { coils: preparedCoils(scan, plan.preparation), points: points(scan.matrix), lines };
  const volumes = 2 + (plan.method.needsModel ? 1 : 0);
  const images = 4 * volumes * plan.slices.length * points(plan.finishing.imageShape);
  const whitened = plan.preparation.whiten === 'none' ? 0 : coils;
  const compressed = plan.preparation.compress ? size.coils : 0;
  const moreSets = ((plan.calibration.sets ?? 1) - 1) * size.coils; // methods count one set of maps
  const copies = KSPACE_COPIES * coils + whitened + compressed + moreSets;
  const working = plan.method.workingBytes(size, plan) + finishingBytes(plan.finishing, size);
  const perSlice = 8 * copies * size.points + working;
  const { parallelism } = plan;
  return { total: images + scan.workingBytes + parallelism * perSlice, images, perSlice, parallelism };
}

/** @throws LarmorError `ERR_OUT_OF_MEMORY` when the estimate exceeds what this process may use. */
export function expectMemory({ total }: MemoryEstimate): void {
  const limit = process.constrainedMemory?.() || Number.POSITIVE_INFINITY; // 0 where nothing constrains it
  const available = Math.min(totalmem(), limit);
  if (total <= available) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;
  throw new LarmorError(
    'ERR_OUT_OF_MEMORY',
    `reconstruct: about ${gigabytes(total)} are needed and ${gigabytes(available)} exist; take fewer slices or less parallelism`,
  );
}
