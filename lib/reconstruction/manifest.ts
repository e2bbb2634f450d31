// Where an image comes from: everything needed to make it again, and what it took.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { AdaptationOutcome } from '../adaptation/outcome.js';
import { binding } from '../binding.js';
import type { CalibrationDiagnostics } from '../calibration/diagnostics.js';
import { withInput } from '../io/input-file.js';
import type { Selection } from '../io/ismrmrd-acquisitions.js';
import type { Model } from '../networks/model.js';
import { packageRoot } from '../package-root.js';
import type { SliceImage } from './method.js';
import type { Plan } from './options.js';
import type { CompressionRecord, NoiseRecord } from './preparation.js';

/** Provenance of a reconstruction, written beside its image. */
export interface Manifest {
  /** Version of this package. */
  readonly larmor: string;
  readonly node: string;
  /** Instruction set the native code ran with. */
  readonly isa: string;
  readonly input: {
    readonly name: string;
    readonly sha256: string;
    /** Of ISMRMRD files: which of its images was read. */
    readonly selected?: Selection | undefined;
  };
  readonly method: string;
  readonly model: { readonly digest: string; readonly kind: string; readonly notes: Model['notes'] } | undefined;
  readonly options: {
    readonly slices: readonly [first: number, end: number];
    readonly adapt: Plan['adapt'];
    readonly calibration: Plan['calibration'];
    /** Name of the file that the coil maps came from. */
    readonly maps: string | undefined;
    readonly settings: Plan['settings'];
    readonly preparation: Plan['preparation'];
    readonly finishing: Plan['finishing'];
  };
  /** What coils were whitened by; undefined where they were not. */
  readonly noise: NoiseRecord | undefined;
  readonly sampling: Plan['sampling']['description'];
  /** What metrics compare with. */
  readonly reference: Plan['reference'];
  /** Where it was computed, such as `cpu` or `cuda:1`, and why there. */
  readonly device: string;
  readonly deviceReason: string;
  readonly threads: number;
  readonly parallelism: number;
  /** ISO 8601. */
  readonly started: string;
  readonly seconds: number;
  readonly slices: readonly SliceRecord[];
}

/** What became of one slice. */
export interface SliceRecord {
  /** Position in the scan. */
  readonly index: number;
  readonly seconds: number;
  /** Where it was computed, of methods that run elsewhere than on the CPU. */
  readonly device?: string | undefined;
  readonly solver?: SliceImage['solver'];
  readonly adaptation?: Omit<AdaptationOutcome, 'curve'> | undefined;
  readonly calibration: CalibrationDiagnostics;
  /** How coils were compressed; undefined where they were not. */
  readonly compression?: CompressionRecord | undefined;
  readonly warnings: readonly string[];
}

/** What adaptation did, without its curve of losses, which is long. */
export function withoutCurve(outcome: AdaptationOutcome | undefined): Omit<AdaptationOutcome, 'curve'> | undefined {
  if (!outcome) return undefined;
  const { curve: _, ...rest } = outcome;
  return rest;
}

/** Hashed in one go: under a millisecond. */
const HASHED_BYTES = 2 ** 19;

/** SHA-256 of a file in hexadecimal, read through one block of memory. @throws LarmorError as `withInput`; `signal.reason`. */
export async function fileDigest(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const block = new Uint8Array(HASHED_BYTES);
  await withInput(path, async (file) => {
    for (let read = -1; read !== 0 && !signal?.aborted; ) {
      read = (await file.read(block, 0, block.length)).bytesRead;
      hash.update(block.subarray(0, read));
    }
  });
  signal?.throwIfAborted();
  return hash.digest('hex');
}

/** SHA-256 of a model's network and weights: equal for equal models, wherever they were loaded from. */
export function modelDigest({ network, weights }: Model): string {
  const hash = createHash('sha256').update(JSON.stringify([network.kind, network.config]));
  for (const { name, shape } of weights.specs) hash.update(JSON.stringify([name, shape])).update(weights.get(name));
  return hash.digest('hex');
}

/** Versions of what computes. */
export function softwareVersions(): Pick<Manifest, 'larmor' | 'node' | 'isa'> {
  return {
    larmor: JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).version,
    node: process.versions.node,
    isa: binding.platform().isa,
  };
}

/** The manifest of a finished run. */
export function createManifest(
  plan: Plan,
  run: {
    readonly name: string;
    readonly sha256: string;
    readonly selected: Selection | undefined;
    readonly started: Date;
    readonly seconds: number;
    readonly noise: NoiseRecord | undefined;
    readonly slices: readonly (SliceRecord & { readonly adaptation?: AdaptationOutcome | undefined })[];
  },
): Manifest {
  const { method, model, adapt, calibration, maps, settings, preparation, finishing, sampling, slices } = plan;
  return {
    ...softwareVersions(),
    input: { name: run.name, sha256: run.sha256, selected: run.selected },
    method: method.name,
    model: model && { digest: modelDigest(model), kind: model.network.kind, notes: model.notes },
    options: {
      slices: [slices[0], slices[0] + slices.length],
      adapt,
      calibration,
      maps: maps && basename(maps),
      settings,
      preparation,
      finishing,
    },
    noise: run.noise,
    sampling: sampling.description,
    reference: plan.reference,
    device: plan.device.name,
    deviceReason: plan.device.reason,
    threads: plan.threads,
    parallelism: plan.parallelism,
    started: run.started.toISOString(),
    seconds: run.seconds,
    slices: run.slices.map((slice) => ({ ...slice, adaptation: withoutCurve(slice.adaptation) })),
  };
}
