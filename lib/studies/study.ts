// Runs a study: trains what is missing, makes and scores every image that is not known yet, several at a time.
import { join } from 'node:path';
import type { RealArray } from '../arrays/complex-array.js';
import type { RunOptions } from '../jobs.js';
import { type Batch, batchesOf, costOf } from './batches.js';
import { caseIdentities, openCases } from './cases.js';
import { recipeSettings, type StudyConfig } from './config.js';
import { StudyData } from './data.js';
import { Meter } from './meter.js';
import { type LoadedModel, loadStudyModels, planModels, trainStudyModel } from './models.js';
import { isPictured } from './pictures.js';
import { runPool } from './pool.js';
import { type CaseResult, type NetworkChoice, produceClassical, produceNetwork, type StudyCase } from './produce.js';
import { oracleEvery, type Producer, producerName, producersOf, type Variant } from './rows.js';
import { ResultStore } from './store.js';

/** What `runStudy` needs beside the configuration. */
export interface StudyOptions extends Pick<RunOptions, 'signal' | 'threads'> {
  /** Where the paths of the configuration begin. */
  readonly data: string;
  /** Where models and results are kept: studies that share it share them. */
  readonly folder: string;
  /** Tasks at work at the same time, each with `threads`. Default 1. */
  readonly parallel?: number | undefined;
  /** Score images anew even where they are known. Models are kept. */
  readonly fresh?: boolean | undefined;
  /** Fraction of the work done, and a word on where it stands. */
  readonly onProgress?: ((fraction: number, detail: string) => void) | undefined;
}

/** What a producer made of one case, and where its images are kept, if they are. */
export interface StudyResult {
  readonly producer: Producer;
  readonly case: Pick<StudyCase, 'test' | 'slice' | 'mask'>;
  readonly result: CaseResult;
  /** Under this digest in the store. */
  readonly digest: string;
}

/** Everything that a study made or knew. */
export interface StudyRun {
  readonly results: readonly StudyResult[];
  readonly cases: readonly (readonly StudyCase[])[];
  readonly store: ResultStore;
  /** Digest of each model by its name. */
  readonly models: Readonly<Record<string, string>>;
  /** Models trained, images made, and images known before. */
  readonly work: { readonly trained: number; readonly made: number; readonly known: number };
}

/**
 * Runs a study.
 *
 * Whatever is finished is kept below `folder`, by the digest of everything that determines it, and not done again. Deterministic for a given
 * number of threads, times aside; `parallel` changes nothing but times.
 *
 * @throws as `prepareDataset`, `train`, `SliceAdapter.adapt` and the solvers; signal.reason when aborted.
 */
export async function runStudy(study: StudyConfig, options: StudyOptions): Promise<StudyRun> {
  const { data: dataFolder, folder, parallel = 1, signal, threads, onProgress } = options;
  const data = new StudyData(dataFolder);
  const store = await ResultStore.open(join(folder, 'results'));
  onProgress?.(0, 'reading');
  const cases = await openCases(study, data, { parallel, signal, threads });
  const planned = await planModels(study, data, join(folder, 'models'), { signal });
  const producers = producersOf(study);

  const missing = planned.filter(({ training }) => training !== undefined && training.steps > 0);
  const trainingCost = missing.reduce((sum, { training }) => sum + (training?.steps ?? 0), 0);
  // Before models are known, nobody knows which images are: suppose none.
  const imagesCost = producers.reduce((sum, producer) => sum + costOf(study, producer), 0) * cases.flat().length;
  const meter = new Meter(trainingCost + (missing.length > 0 ? imagesCost : 0), onProgress);
  await runPool(
    missing.map((model) => (stop: AbortSignal): Promise<void> => {
      const task = meter.task(`training ${model.name}`, model.training?.steps ?? 0);
      const onStep = ({ step, steps, loss }: { step: number; steps: number; loss: number }): void =>
        task(step / steps, `step ${step} of ${steps}, loss ${loss.toFixed(4)}`);
      const onPreparing = (): void => task(0, 'preparing slices');
      return trainStudyModel(study, data, model, { signal: stop, threads, atOnce: parallel, onStep, onPreparing });
    }),
    parallel,
    signal,
  );

  const models = await loadStudyModels(study, planned);
  const results: StudyResult[] = [];
  const batches: Batch[] = [];
  let known = 0;
  for (const batch of batchesOf(study, producers, cases, await caseIdentities(study, data, signal), models)) {
    const stored = options.fresh ? [] : await storedResults(study, batch, store);
    if (stored.length === batch.cases.length) {
      results.push(...stored);
      known += stored.length;
    } else batches.push(batch);
  }
  meter.total = trainingCost + batches.reduce((sum, { cost }) => sum + cost, 0);
  await runPool(
    batches.map((batch) => async (stop: AbortSignal): Promise<void> => {
      const { producer, cases: own } = batch;
      const [{ test, slice }] = own;
      const task = meter.task(`${study.tests[test].name}, slice ${slice}: ${producerName(producer)}`, batch.cost);
      const onResult = async (
        position: number,
        result: CaseResult,
        images: ReadonlyMap<Variant, RealArray>,
      ): Promise<void> => {
        const digest = batch.digests[position];
        if (isPictured(study, own[position])) await store.writeImages(digest, images);
        await store.write(digest, result);
        results.push({ producer, case: own[position], result, digest });
      };
      const produce = { threads, signal: stop, onProgress: task, consistency: study.consistency, onResult };
      await (producer.kind === 'network'
        ? produceNetwork(networkChoice(study, producer, models), own, produce)
        : produceClassical(producer, own, produce));
      task(1);
    }),
    parallel,
    signal,
  );
  const made = results.length - known;
  const digests = Object.fromEntries([...models].map(([name, { digest }]) => [name, digest]));
  return { results, cases, store, models: digests, work: { trained: missing.length, made, known } };
}

function networkChoice(
  study: StudyConfig,
  producer: Extract<Producer, { kind: 'network' }>,
  models: ReadonlyMap<string, LoadedModel>,
): NetworkChoice {
  const { model, recipe } = producer;
  const { model: chosen } = models.get(model) as LoadedModel;
  if (recipe === undefined) return { model: chosen };
  return {
    model: chosen,
    settings: recipeSettings(study, recipe, chosen.network),
    oracleEvery: oracleEvery(producer, study),
  };
}

/** The results of a batch that are known, with their pictures where these are wanted. */
async function storedResults(
  study: StudyConfig,
  { producer, cases, digests }: Batch,
  store: ResultStore,
): Promise<StudyResult[]> {
  const found: StudyResult[] = [];
  for (const [position, digest] of digests.entries()) {
    const each = cases[position];
    if (isPictured(study, each) && !store.hasImages(digest)) continue;
    const result = await store.read<CaseResult>(digest);
    if (result) found.push({ producer, case: each, result, digest });
  }
  return found;
}
