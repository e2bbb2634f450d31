// How much memory a reconstruction takes, known before it begins.

import { points } from '../arrays/complex-array.js';
import { machineMemory } from '../arrays/machine-memory.js';
import { LarmorError } from '../errors.js';
import type { Scan } from '../io/scan.js';
import { finishingBytes } from './finish.js';
import { type Plan, planReconstruction, type ReconstructionOptions } from './options.js';
import { contrastsOf } from './other-contrasts.js';
import { preparedCoils } from './preparation.js';

/** Memory a reconstruction will take, in bytes. */
export interface MemoryEstimate {
  /** The most the process will hold at once. */
  readonly total: number;
  /** Node, larmor and the HDF5 library. */
  readonly program: number;
  /** The images kept until the end: reconstruction, network output, reference. */
  readonly images: number;
  /** One slice at work. */
  readonly perSlice: number;
  /** Slices at work at once. */
  readonly parallelism: number;
}

/**
 * The memory a process takes that opens this scan and reconstructs it with these options. Measured for `zero-filled` and `cg-sense`, it is
 * right within 20 %; models add what ONNX Runtime plans, which is estimated from above.
 *
 * @throws as `reconstruct` does for wrong options.
 */
export async function estimateMemory(scan: Scan, options: ReconstructionOptions = {}): Promise<MemoryEstimate> {
  return memoryOf(scan, await planReconstruction(scan, options));
}

/** Measured on Linux with Node 20: half of it before the scan is open, 50 MB for the thread with the HDF5 library. */
const PROGRAM_BYTES = 165e6;
/** Copies of a slice's k-space as read: the one in use, and one that waits to be used again. */
const KSPACE_COPIES = 2;

export function memoryOf(scan: Scan, plan: Plan): MemoryEstimate {
  const lines = plan.sampling.mask.shape.length === 1;
  const { coils } = scan;
  const { sets = 1 } = plan.calibration;
  const contrasts = contrastsOf(scan).length;
  const size = { coils: preparedCoils(scan, plan.preparation), sets, contrasts, points: points(scan.matrix), lines };
  const volumes = 1 + (plan.reference ? 1 : 0) + (plan.method.givesNetworkImage ? 1 : 0);
  const images = 4 * volumes * plan.slices.length * points(plan.finishing.imageShape);
  const whitened = plan.preparation.whiten === 'none' ? 0 : coils;
  const undersampled = plan.sampling.retrospective ? coils : 0;
  const compressed = plan.preparation.compress ? size.coils : 0;
  const moreSets = (sets - 1) * size.coils; // methods count one set of maps
  const copies = KSPACE_COPIES * coils + whitened + undersampled + compressed + moreSets;
  const components = plan.method.coilImages ? size.coils : (plan.calibration.sets ?? 1);
  const working = plan.method.workingBytes(size, plan) + finishingBytes(plan.finishing, components, size.points);
  const perSlice = 8 * copies * size.points + working;
  const { parallelism } = plan;
  const scans = plan.method.joint?.(plan.settings) === 'contrasts' ? contrasts : 1;
  const total = PROGRAM_BYTES + images + scans * scan.workingBytes + parallelism * perSlice;
  return { total, program: PROGRAM_BYTES, images, perSlice, parallelism };
}

/** @throws LarmorError `ERR_OUT_OF_MEMORY` when the estimate exceeds what this process may use. */
export function expectMemory({ total }: MemoryEstimate): void {
  const available = machineMemory();
  if (total <= available) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toPrecision(3)} GB`;
  throw new LarmorError(
    'ERR_OUT_OF_MEMORY',
    `reconstruct: about ${gigabytes(total)} are needed and ${gigabytes(available)} exist; take fewer slices or less parallelism`,
  );
}
