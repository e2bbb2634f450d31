// The models of a study: read, or trained unless the same training has been done.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { machineMemory } from '../arrays/machine-memory.js';
import type { RunOptions } from '../jobs.js';
import { loadModel, type Model, saveModel } from '../networks/model.js';
import { modelDigest, softwareVersions } from '../reconstruction/manifest.js';
import { examplesAhead, memoryBudget, prepareDataset, startingPoint, trainingPlan } from '../training/config.js';
import type { Dataset } from '../training/dataset.js';
import type { TrainingProgress } from '../training/plan.js';
import { openSource } from '../training/source-config.js';
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

/** How a model is trained, beside what decides its weights. */
export interface ModelTrainingOptions extends Pick<RunOptions, 'signal' | 'threads'> {
  /** Models at training at the same time, which share half of the machine's memory for their slices. */
  readonly atOnce: number;
  readonly onStep?: ((progress: TrainingProgress) => void) | undefined;
  /** Fraction of the slices that are prepared. */
  readonly onPreparing?: ((fraction: number) => void) | undefined;
}

/** Where each model of a study comes from; `steps` is 0 where it has been trained before. @throws as the sources and `loadModel` do. */
export async function planModels(
  study: StudyConfig,
  data: StudyData,
  folder: string,
  options: Pick<RunOptions, 'signal'>,
): Promise<StudyModel[]> {
  const planned: StudyModel[] = [];
  for (const [name, given] of Object.entries(study.models)) {
    if ('file' in given) {
      // A missing file is told before hours of training.
      await loadModel(given.file);
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
    const slices = epochs === undefined ? 0 : (await openSource(await data.resolve(training, options), options)).length;
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
  options: ModelTrainingOptions,
): Promise<void> {
  if (!planned || planned.steps === 0) return;
  const { signal, threads, atOnce, onStep, onPreparing } = options;
  const { path, digest, steps } = planned;
  await makeFolder(join(path, '..'));
  const config = modelTraining(study, name, steps);
  const { memoryMiB = machineMemory() / 2 / 2 ** 20 / atOnce } = config;
  const memory = memoryBudget({ memoryMiB });
  const prepare = async (part: typeof config.training): Promise<Dataset> => {
    const resolved = await data.resolve(part, { signal });
    const waiting = part === config.training ? examplesAhead(config) : 0;
    return prepareDataset(config, resolved, { signal, threads, memory, waiting, onProgress: onPreparing });
  };
  // Validation slices come back at every validation: they should be the ones that stay in memory.
  const validation = config.validation && (await prepare(config.validation));
  const training = await prepare(config.training);
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
      every: config.checkpointEvery,
      resume: existsSync(checkpoint),
      run: digest,
    },
    metrics: `${path}.metrics.jsonl`,
    prefetch: config.prefetch,
    threads,
    signal,
    onProgress: onStep,
  });
  const { fields, epochs } = rawTraining(study, name);
  const notes = { 'study.title': study.title, 'training.config': JSON.stringify({ ...fields, epochs }) };
  await saveModel(path, { network, weights, input: config.input, notes });
  await rm(checkpoint, { force: true });
}

/** A model, and the digest of its network and weights. */
export interface LoadedModel {
  readonly model: Model;
  readonly digest: string;
}

/** Loads all models, which are at hand by now, by their names. @throws as `loadModel`. */
export async function loadStudyModels(
  study: StudyConfig,
  planned: readonly StudyModel[],
): Promise<Map<string, LoadedModel>> {
  const models = new Map<string, LoadedModel>();
  for (const { name, training } of planned) {
    const given = study.models[name];
    const model = await loadModel('file' in given ? given.file : (training as NonNullable<typeof training>).path);
    models.set(name, { model, digest: modelDigest(model) });
  }
  return models;
}
