// What a study would do: every file and slice it would take, its networks, and roughly how long it would take.
import type { RunOptions } from '../jobs.js';
import { loadModel, type Model } from '../networks/model.js';
import { parameterCount } from '../networks/network.js';
import { ParameterStore } from '../networks/parameters.js';
import { startingPoint, type TrainingConfig } from '../training/config.js';
import { lossDescription } from '../training/losses.js';
import type { SourceConfig } from '../training/source-config.js';
import { modelTraining, rawTraining, type StudyConfig, testUndersampling } from './config.js';
import { fixedLines, SourceFinder, type SourceOutline } from './outline-sources.js';
import { StepTimer } from './outline-time.js';
import { producerName, producersOf } from './rows.js';

/** A model that would be trained, or is read. */
export interface ModelOutline {
  readonly name: string;
  readonly domain?: string | undefined;
  /** Where it is read from. */
  readonly file?: string | undefined;
  readonly network: string;
  readonly parameters: number;
  readonly loss?: string | undefined;
  readonly epochs?: number | undefined;
  readonly steps?: number | undefined;
  /** Of training, roughly. */
  readonly seconds?: number | undefined;
}

export interface TestOutline {
  readonly name: string;
  readonly data: SourceOutline;
  /** Slices under every mask. */
  readonly cases: number;
  /** Of all cases by everything that makes them. */
  readonly images: number;
  /** Of all adaptations when none stops early, roughly. */
  readonly seconds: number;
}

/** What a study would do, nothing of it kept from earlier. */
export interface StudyOutline {
  readonly title: string;
  readonly domains: readonly {
    readonly name: string;
    readonly training: SourceOutline;
    readonly validation?: SourceOutline | undefined;
  }[];
  readonly models: readonly ModelOutline[];
  /** Names of what makes images. */
  readonly producers: readonly string[];
  readonly tests: readonly TestOutline[];
  /** One thing after another. */
  readonly seconds: number;
}

/** What `outlineStudy` needs beside the configuration. */
export interface OutlineOptions extends Pick<RunOptions, 'signal' | 'threads'> {
  /** Where the paths of the configuration begin. */
  readonly data: string;
  readonly onProgress?: ((fraction: number, detail: string) => void) | undefined;
}

/**
 * Finds every file that a study would read and tells what it would do, without doing it. Times are extrapolated from a few steps of each
 * network on a small image, by the number of pixels.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND` naming everything that is missing, one a line; as the sources, `loadModel` and
 *   `estimateAdaptation`; signal.reason when aborted.
 */
export async function outlineStudy(study: StudyConfig, options: OutlineOptions): Promise<StudyOutline> {
  const { signal, threads, onProgress } = options;
  const finder = new SourceFinder(options.data, { signal, threads });
  onProgress?.(0, 'looking for files');
  const domains: StudyOutline['domains'][number][] = [];
  for (const [name, { training, validation, undersampling }] of Object.entries(study.domains)) {
    const sampling = { ...study.undersampling, ...Object(study.training.undersampling), ...undersampling };
    const outline = (source: SourceConfig): Promise<SourceOutline> => finder.outline(source, fixedLines(sampling));
    domains.push({
      name,
      training: await outline(training),
      ...(validation && { validation: await outline(validation) }),
    });
  }
  const data: SourceOutline[] = [];
  for (const test of study.tests) {
    const { transpose, centre, masks, maskPerSlice } = test;
    const sampling = { ...testUndersampling(study, test), fixed: !maskPerSlice, seed: masks[0] };
    data.push(
      await finder.outline(test.data, fixedLines(sampling), ([coils, rows, columns]) => {
        const turned: readonly [number, number] = transpose ? [columns, rows] : [rows, columns];
        return [coils, ...(centre ?? turned)];
      }),
    );
  }
  finder.expectAll();

  const timer = new StepTimer({ signal, threads });
  const models: ModelOutline[] = [];
  const loaded = new Map<string, Model>();
  for (const [m, name] of Object.keys(study.models).entries()) {
    onProgress?.(m / Object.keys(study.models).length, `timing ${name}`);
    const { model, config } = await modelOf(study, name);
    loaded.set(name, model);
    models.push(await modelOutline(study, name, model, config, domains, timer));
  }
  const producers = producersOf(study);
  const tests: TestOutline[] = [];
  for (const [t, { name, masks }] of study.tests.entries()) {
    const cases = data[t].slices * masks.length;
    const perMask = await timer.adaptations(study, producers, loaded, data[t].sizes);
    tests.push({ name, data: data[t], cases, images: cases * producers.length, seconds: perMask * masks.length });
  }
  const seconds = [...models, ...tests].reduce((sum, each) => sum + (each.seconds ?? 0), 0);
  const names = [...new Set(producers.map(producerName))];
  return { title: study.title, domains, models, producers: names, tests, seconds };
}

/** A model as it would be adapted, with weights that are not trained yet, and how it is trained. */
async function modelOf(study: StudyConfig, name: string): Promise<{ model: Model; config?: TrainingConfig }> {
  const given = study.models[name];
  if ('file' in given) return { model: await loadModel(given.file) };
  const config = modelTraining(study, name, 1);
  const { network, weights = ParameterStore.initialise(network.parameters, 0) } = await startingPoint(config);
  return { model: { network, weights, input: config.input, notes: {} }, config };
}

async function modelOutline(
  study: StudyConfig,
  name: string,
  model: Model,
  config: TrainingConfig | undefined,
  domains: StudyOutline['domains'],
  timer: StepTimer,
): Promise<ModelOutline> {
  const { network } = model;
  const facts = { name, network: network.kind, parameters: parameterCount(network) };
  const given = study.models[name];
  if ('file' in given || !config) return { ...facts, file: 'file' in given ? given.file : undefined };
  const { domain } = given;
  const { training } = domains.find((each) => each.name === domain) as StudyOutline['domains'][number];
  const { fields, epochs } = rawTraining(study, name);
  const { batch, accumulate, loss } = config;
  const steps = epochs === undefined ? Number(fields.steps) : Math.ceil((epochs * training.slices) / batch);
  const perSlice = (await timer.perStep(model, training.sizes)) / training.slices;
  return {
    ...facts,
    domain,
    loss: typeof loss === 'string' ? loss : Object.keys(lossDescription(loss)).join(' + '),
    epochs,
    steps,
    seconds: steps * batch * accumulate * perSlice,
  };
}
