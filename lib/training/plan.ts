// What defines a training run, what it takes and what comes of it.
import type { RealArray } from '../arrays/complex-array.js';
import type { Network } from '../networks/network.js';
import type { ParameterStore } from '../networks/parameters.js';
import type { Device } from '../runtime/devices.js';
import type { AdamOptions } from './adam.js';
import type { Validation } from './checkpoint.js';
import type { Dataset } from './dataset.js';
import type { LearnerOptions } from './learner.js';
import type { Schedule } from './learning-rate.js';
import type { LossDescription } from './losses.js';
import type { MetaOptions } from './objective.js';

/** What defines a run; two runs with equal plans and data give equal weights. */
export interface TrainingPlan extends LearnerOptions {
  readonly loss: LossDescription;
  readonly steps: number;
  /** Slices per batch; a step takes `accumulate` batches. */
  readonly batch: number;
  /** Less memory for unrolled networks: see `TrainingGraphOptions`. Default: false. */
  readonly recompute?: boolean | undefined;
  readonly optimiser: AdamOptions;
  /** `cosine`: the learning rate falls to zero along half a cosine over all steps. */
  readonly schedule: 'constant' | 'cosine' | Schedule;
  /** Order of the slices and their masks; initial weights. */
  readonly seed: number;
  /** Steps between validations. */
  readonly validateEvery: number;
  /** Train starting weights that adapt well, and judge them once adapted. Default: weights that are used as they are. */
  readonly meta?: MetaOptions | undefined;
  /** Validations without a lower loss after which training stops. Default: never. */
  readonly patience?: number | undefined;
}

/** Where a training run stands. */
export interface TrainingProgress {
  readonly step: number;
  readonly steps: number;
  /** Mean over the last steps. */
  readonly loss: number;
  readonly validation: Validation | undefined;
  readonly secondsLeft: number;
}

/** Where and how often a run is saved. */
export interface CheckpointOptions {
  readonly path: string;
  /** Steps between checkpoints; 0: only when the run is stopped. Default: as many as a minute takes. */
  readonly every?: number | undefined;
  /** Go on from the file, bit for bit. */
  readonly resume: boolean;
  /** Says which run this is: a run resumes only its own checkpoints. */
  readonly run: string;
}

/** A validation slice as a picture: magnitudes [y, x] at one scale. */
export interface ValidationPicture {
  /** Slice of the validation data. */
  readonly index: number;
  readonly zeroFilled: RealArray;
  readonly network: RealArray;
  readonly target: RealArray;
}

/** What `train` needs. */
export interface TrainOptions {
  readonly network: Network;
  readonly plan: TrainingPlan;
  readonly training: Dataset;
  /** Without it the last weights are the result. */
  readonly validation?: Dataset | undefined;
  /** Where training starts. Default: drawn from the plan's seed. */
  readonly weights?: ParameterStore | undefined;
  readonly checkpoint?: CheckpointOptions | undefined;
  /** File of one JSON line per step and per validation; a resumed run goes on with it. */
  readonly metrics?: string | undefined;
  /** Steps whose data are prepared ahead, while others run: as far as the memory of the training data holds them, see `DatasetOptions`. Default 1. */
  readonly prefetch?: number | undefined;
  /** How many validation slices `onValidation` gets to see. Default 0. */
  readonly pictures?: number | undefined;
  readonly threads?: number | undefined;
  /** Where the network is trained. Default: cpu. */
  readonly device?: Device | 'auto' | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  readonly onValidation?:
    | ((validation: Validation, pictures: readonly ValidationPicture[]) => Promise<void>)
    | undefined;
  /** Gets the best weights so far when training diverges, before `train` rejects. */
  readonly onDiverged?: ((best: TrainingResult) => Promise<void>) | undefined;
}

/** What came of a training run. */
export interface TrainingResult {
  /** Those of the lowest validation loss, or the last; running averages where the plan has them. */
  readonly weights: ParameterStore;
  readonly steps: number;
  readonly stop: 'steps' | 'patience' | 'diverged';
  readonly validations: readonly Validation[];
}
