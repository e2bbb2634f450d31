// The models of a study: read, or trained unless the same training has been done.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunOptions } from '../jobs.js';
import { loadModel, type Model, saveModel } from '../networks/model.js';
import { modelDigest, softwareVersions } from '../reconstruction/manifest.js';
import { openSource, prepareDataset, startingPoint, trainingPlan } from '../training/config.js';
import type { Dataset } from '../training/dataset.js';
import type { TrainingProgress } from '../training/plan.js';
import { train } from '../training/trainer.js';
import { modelTraining, rawTraining, type StudyConfig } from './config.js';
import type { StudyData } from './data.js';
import { digestOf } from './digest.js';
import { makeFolder } from './store.js';

/** A model at hand, or how to come by it. */
export interface StudyModel {
  readonly name: string;
  /** Trained models: the file that keeps it, and training steps to make. */
  readonly training?: { readonly path: string; readonly digest: string; readonly steps: number } | undefined;
}

/** Steps between the checkpoints of a training run: what an abrupt end can cost. */
const CHECKPOINT_EVERY = 200;

/** Where each model of a study comes from; `steps` is 0 where it has been trained before. @throws as the sources do. */
export async function planModels(
  study: StudyConfig,
  data: StudyData,
  folder: string,
  options: Pick<RunOptions, 'signal'>,
): Promise<StudyModel[]> {
  const planned: StudyModel[] = [];
  for (const [name, given] of Object.entries(study.models)) {
    if ('file' in given) {
      planned.push({ name });
      continue;
    }
    const { fields, epochs } = rawTraining(study, name);
    const { training, validation } = modelTraining(study, name, 1);
    const { start } = fields;
    const digest = digestOf({
      fields,
      epochs,
      training: await data.identity(training, options),
      ...(validation && { validation: await data.identity(validation, options) }),
      ...(typeof start === 'string' && { start: modelDigest(await loadModel(start)) }),
      larmor: softwareVersions().larmor,
    });
    const path = join(folder, `${name.replace(/[^\w-]+/g, '-')}-${digest.slice(0, 12)}.safetensors`);
    const slices = epochs === undefined ? 0 : (await openSource(data.resolve(training), options)).length;
    const batch = typeof fields.batch === 'number' ? fields.batch : 1;
    const steps = epochs === undefined ? Number(fields.steps) : Math.ceil((epochs * slices) / batch);
    planned.push({ name, training: { path, digest, steps: existsSync(path) ? 0 : steps } });
  }
  return planned;
}

/**
 * Trains a model and keeps it, going on from where an earlier run was stopped.
 *
 * @throws as `prepareDataset` and `train`; signal.reason when aborted, after a checkpoint was written.
 */
export async function trainStudyModel(
  study: StudyConfig,
  data: StudyData,
  { name, training: planned }: StudyModel,
  options: Pick<RunOptions, 'signal' | 'threads'> & {
    readonly onStep?: ((progress: TrainingProgress) => void) | undefined;
  },
): Promise<void> {
  if (!planned || planned.steps === 0) return;
  const { signal, threads, onStep } = options;
  const { path, digest, steps } = planned;
  await makeFolder(join(path, '..'));
  const config = modelTraining(study, name, steps);
  const prepare = (part: typeof config.training): Promise<Dataset> =>
    prepareDataset(config, data.resolve(part), { signal, threads });
  const training = await prepare(config.training);
  const validation = config.validation && (await prepare(config.validation));
  const { network, weights: start } = await startingPoint(config);
  const checkpoint = `${path}.checkpoint`;
  const { weights } = await train({
    network,
    weights: start,
    plan: trainingPlan(config),
    training,
    validation,
    checkpoint: {
      path: checkpoint,
      every: config.checkpointEvery || CHECKPOINT_EVERY,
      resume: existsSync(checkpoint),
      run: digest,
    },
    threads,
    signal,
    onProgress: onStep,
  });
  const { fields, epochs } = rawTraining(study, name);
  const notes = { 'study.title': study.title, 'training.config': JSON.stringify({ ...fields, epochs }) };
  await saveModel(path, { network, weights, input: config.input, notes });
  await rm(checkpoint, { force: true });
}

/** Loads a model that is at hand. @throws as `loadModel`. */
export function loadStudyModel(study: StudyConfig, { name, training }: StudyModel): Promise<Model> {
  const given = study.models[name];
  return loadModel('file' in given ? given.file : (training as NonNullable<typeof training>).path);
}
