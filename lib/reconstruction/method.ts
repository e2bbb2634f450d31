// What a reconstruction method is: given what all slices share once, it turns the k-space of a slice into an image.

import type { AdaptationSettings } from '../adaptation/options.js';
import type { AdaptationOutcome } from '../adaptation/outcome.js';
import type { ComplexArray } from '../arrays/complex-array.js';
import type { Model } from '../networks/model.js';
import type { DeviceKind, ResolvedDevice } from '../runtime/devices.js';
import type { SamplingMask } from '../sampling/mask.js';
import type { SolverResult } from '../solvers/conjugate-gradients.js';
import type { DevicePool } from './device-pool.js';
import type { MethodSettings, SettingName } from './settings.js';

/** What a slice is being put through. */
export type Stage = 'reading' | 'calibrating' | 'reconstructing' | 'adapting' | 'measuring';

/** Measured k-space. */
export interface Samples {
  /** [coil, ky, kx], zero where the mask is. */
  readonly kspace: ComplexArray;
  /** Measured samples; columns that every scan of this size leaves at zero count as measured. */
  readonly mask: SamplingMask;
}

/** The measured k-space of one slice. */
export interface SliceData extends Samples {
  /** Position in the scan. */
  readonly index: number;
  /** Coil sensitivities [set, coil, y, x]; estimated, or read, at the first call. */
  maps(): Promise<ComplexArray>;
  /** The same slice in the other contrasts of the scan, as the coils of `maps` see it; read at every call. */
  otherContrasts(): Promise<readonly Samples[]>;
}

export interface SliceOptions {
  readonly signal?: AbortSignal | undefined;
  readonly threads?: number | undefined;
  /** Fraction of the stage done, from 0 to 1, and where it is known how many seconds the rest takes at most. */
  readonly onStage?: ((stage: Stage, fraction: number, secondsLeft?: number) => void) | undefined;
}

/** One reconstructed slice before it is finished: filtered, combined, cropped. */
export interface SliceImage {
  /** Complex images [y, x] or [component, y, x], one per coil or set of maps, in the units of k-space. */
  readonly image: ComplexArray;
  /** The network's own output before the final data consistency, of methods that have one; likewise. */
  readonly network?: ComplexArray | undefined;
  /** How the solver ended, of iterative methods. */
  readonly solver?: Omit<SolverResult, 'x'> | undefined;
  readonly adaptation?: AdaptationOutcome | undefined;
  readonly warnings?: readonly string[] | undefined;
  /** Where it was computed, of methods that run elsewhere than on the CPU. */
  readonly device?: string | undefined;
}

/** What all slices of a reconstruction share. */
export interface MethodSetup {
  readonly model?: Model | undefined;
  readonly adapt?: AdaptationSettings | undefined;
  readonly device: ResolvedDevice;
  /** For operators and solvers, where that is not the CPU. */
  readonly devices: DevicePool | undefined;
  readonly threads?: number | undefined;
  /** Those the caller named; a method has its own default for the others. */
  readonly settings: MethodSettings;
  /** Slices of the whole scan. */
  readonly scanSlices: number;
  /** Positions of the slices that will be reconstructed, in order. */
  readonly slices: readonly number[];
  /** Reads any slice, for methods that look at several before they begin. */
  readonly readSlice: (index: number, options: SliceOptions) => Promise<SliceData>;
  /** Base name of the scan: the default seed. */
  readonly name: string;
  /** What the scan says its acquisition was. */
  readonly acquisition: string | undefined;
}

/** A method at work on one scan. */
export interface SliceReconstructor extends AsyncDisposable {
  /** May be called for several slices at once. */
  reconstruct(slice: SliceData, options: SliceOptions): Promise<SliceImage>;
}

export interface Method {
  readonly name: string;
  readonly description: string;
  readonly needsModel: boolean;
  /** Whether its network can be trained further on the scan. */
  readonly adapts?: boolean;
  /** Whether it also gives the network's own output, before a final data consistency. */
  readonly givesNetworkImage?: boolean;
  /** Whether it returns an image per coil rather than per set of maps. */
  readonly coilImages?: boolean;
  /** Kinds of devices it runs on. Default: the CPU alone. */
  readonly devices?: readonly DeviceKind[];
  /** The settings it takes. */
  readonly settings: readonly SettingName[];
  /** True where slices build on each other and must be reconstructed one by one, in order. */
  sequential?(setup: Pick<MethodSetup, 'adapt' | 'settings'>): boolean;
  /** What else the image of a slice rests on than its own samples. */
  joint?(settings: MethodSettings): 'slices' | 'contrasts' | undefined;
  /** Bytes that one slice takes while it is reconstructed, beside its k-space. */
  workingBytes(
    slice: {
      readonly coils: number;
      /** Of coil maps. */
      readonly sets: number;
      /** Of the scan. */
      readonly contrasts: number;
      readonly points: number;
      /** Whether whole columns of k-space were measured. */
      readonly lines: boolean;
    },
    setup: Pick<MethodSetup, 'model' | 'adapt' | 'settings'>,
  ): number;
  start(setup: MethodSetup, options: SliceOptions): Promise<SliceReconstructor>;
}
