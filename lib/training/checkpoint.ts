// A training run on disk: weights, optimiser, the best weights so far and how far it came.
import { LarmorError } from '../errors.js';
import { readSafetensors, type StoredTensor, type TensorFile, writeSafetensors } from '../io/safetensors.js';
import type { LearnerState } from './learner.js';

/** Figures of one validation. */
export interface Validation {
  readonly step: number;
  readonly loss: number;
  /** Of the magnitude images, as fastMRI's; mean over the slices that are fully sampled, if any is. */
  readonly ssim?: number | undefined;
  /** The same, in decibels relative to the maximum of each slice. */
  readonly psnr?: number | undefined;
}

export interface Checkpoint {
  /** Says which run this is: a run resumes only its own checkpoints. */
  readonly run: string;
  readonly state: LearnerState;
  readonly bestWeights: Float32Array;
  readonly validations: readonly Validation[];
}

const PARTS = ['weights', 'firstMoments', 'secondMoments', 'bestWeights'] as const;
type Part = (typeof PARTS)[number] | 'average';

/** Writes a checkpoint, whole or not at all. Random numbers need no saving: they follow from the seed and the step. */
export async function saveCheckpoint(
  path: string,
  { run, state, bestWeights, validations }: Checkpoint,
): Promise<void> {
  const parts = { ...state, bestWeights };
  const names: readonly Part[] = state.average ? [...PARTS, 'average'] : PARTS;
  const tensors = names.map((name): [string, StoredTensor] => {
    const data = parts[name] as Float32Array<ArrayBuffer>;
    return [name, { dtype: 'F32', shape: [data.length], data }];
  });
  const progress = JSON.stringify({ steps: state.steps, validations });
  await writeSafetensors(path, new Map(tensors), { 'larmor.run': run, 'larmor.progress': progress });
}

/**
 * Reads the checkpoint of the run `run`.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` when it is corrupt or no checkpoint; `ERR_CONFIG` when it belongs to
 *   another run.
 */
export async function loadCheckpoint(path: string, run: string): Promise<Checkpoint> {
  const file = await readSafetensors(path);
  const { 'larmor.run': owner, 'larmor.progress': progress } = file.metadata;
  if (owner === undefined || progress === undefined)
    throw new LarmorError('ERR_FILE_FORMAT', `${path} is not a training checkpoint`);
  if (owner !== run)
    throw new LarmorError(
      'ERR_CONFIG',
      `${path} belongs to a run with another configuration (network, data, loss, optimiser, steps or seed); restore that, or start anew`,
    );
  const { steps, validations } = parseProgress(path, progress);
  const part = (name: Part): Float32Array => partOf(path, file, name);
  return {
    run,
    state: {
      steps,
      weights: part('weights'),
      firstMoments: part('firstMoments'),
      secondMoments: part('secondMoments'),
      average: file.tensors.has('average') ? part('average') : undefined,
    },
    bestWeights: part('bestWeights'),
    validations,
  };
}

function parseProgress(path: string, text: string): { steps: number; validations: Validation[] } {
  try {
    return JSON.parse(text) as { steps: number; validations: Validation[] };
  } catch (cause) {
    throw new LarmorError('ERR_FILE_FORMAT', `${path}: its progress is not JSON`, { cause });
  }
}

function partOf(path: string, file: TensorFile, name: string): Float32Array {
  const tensor = file.tensors.get(name);
  if (tensor?.dtype !== 'F32') throw new LarmorError('ERR_FILE_FORMAT', `${path}: checkpoint without "${name}"`);
  return tensor.data;
}
