// Study configurations: domains, models, recipes, tests and targets in one JSON file.
import { z } from 'zod';
import { type AdaptationOptions, type AdaptationSettings, adaptationSettings } from '../adaptation/options.js';
import { LarmorError } from '../errors.js';
import { configIssue } from '../io/config-issue.js';
import { readJson } from '../io/json-file.js';
import type { Network } from '../networks/network.js';
import {
  calibrationSchema,
  parseTrainingConfig,
  type TrainingConfig,
  undersamplingSchema,
} from '../training/config.js';
import { sourceSchema } from '../training/source-config.js';
import { expectRows, rowNames } from './rows.js';
import { spellOut } from './target-rules.js';
import { type Target, type TargetRule, targetSchema } from './target-schema.js';

/** Handed to `parseTrainingConfig` or `adaptationSettings`, which know the fields. */
const handedOn = z.record(z.string(), z.unknown());
/** Rows are called by these names joined. */
const name = z.string().regex(/^[^+,]+$/, 'must not hold + or ,');
const pair = z.strictObject({ supervised: name, joint: name });
const lambdas = z.array(z.number().gt(0)).min(1);
const seed = z.int().min(0).max(0xffff_ffff);

const schema = z.strictObject({
  title: z.string().min(1),
  /** Options of ESPIRiT, for training and tests. */
  calibration: calibrationSchema.prefault({}),
  /** For training and tests, unless a domain or a test has its own fields. */
  undersampling: handedOn.default({}),
  /** What all models are trained with: a training configuration without its data. `epochs` may take the place of `steps`. */
  training: handedOn.default({}),
  domains: z
    .record(
      name,
      z.strictObject({
        training: sourceSchema,
        validation: sourceSchema.optional(),
        undersampling: handedOn.default({}),
      }),
    )
    .default({}),
  /** Trained on a domain, with fields of their own beside `training`, or read from a file or a bundled name. */
  models: z.record(
    name,
    z.union([
      z.strictObject({ domain: name, training: handedOn.default({}) }),
      z.strictObject({ file: z.string().min(1) }),
    ]),
  ),
  /** Ways to adapt, each for the models it names or for all. */
  recipes: z
    .record(
      name,
      z.strictObject({
        adapt: handedOn.default({}),
        models: z.array(name).optional(),
        /** Also score stopping after every so many iterations, for the models named or all; the best stop is called the oracle. */
        oracle: z.strictObject({ every: z.int().min(1), models: z.array(name).optional() }).optional(),
      }),
    )
    .default({}),
  /** Weights of the penalties of classical methods: of several, the best by the mean SSIM of a test is shown, to their benefit. */
  baselines: z
    .strictObject({
      cgSense: lambdas.default([0.005]),
      l1Wavelet: lambdas.default([0.003]),
    })
    .prefault({}),
  /** The final data consistency of rows called "consistent": see `dataConsistency`. */
  consistency: z
    .strictObject({ mu: z.number().gte(0).default(0.02), iterations: z.int().min(1).default(10) })
    .prefault({}),
  /** By any name, which models stand for training on the other domain (P) and on the test's own (Q). */
  shifts: z.record(name, z.strictObject({ P: pair, Q: pair })).default({
    shift: {
      P: { supervised: 'P-supervised', joint: 'P-joint' },
      Q: { supervised: 'Q-supervised', joint: 'Q-joint' },
    },
  }),
  /** Asked of every test, after its own. */
  targets: z.array(targetSchema).default([]),
  tests: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        data: sourceSchema,
        /** Exchange the axes of k-space: the phase encode then runs along the other side. */
        transpose: z.boolean().default(false),
        /** Keep the central so many rows and columns of k-space: a lower resolution. */
        centre: z.tuple([z.int().min(16), z.int().min(16)]).optional(),
        undersampling: handedOn.default({}),
        /** Seeds of the masks; every slice is measured under each. */
        masks: z.array(seed).min(1).default([0]),
        /** Draw another mask for every slice. */
        maskPerSlice: z.boolean().default(false),
        /** The full data combined by maps from 24 lines, or their root sum of squares. */
        reference: z.enum(['sense', 'rss']).default('sense'),
        /** Central part [y, x] of the image that is scored. */
        crop: z.tuple([z.int().min(7), z.int().min(7)]).optional(),
        /** Positions of slices that the report pictures. */
        pictures: z.array(z.int().min(0)).default([0]),
        targets: z.array(targetSchema).default([]),
      }),
    )
    .min(1),
});

type Parsed = z.output<typeof schema>;

/** A test with its targets and those of all tests, one by one. */
export interface StudyTest extends Omit<Parsed['tests'][number], 'targets'> {
  readonly targets: readonly Target[];
}

/** A study with every default of its own filled in: see `parseStudyConfig`. */
export interface StudyConfig extends Omit<Parsed, 'targets' | 'tests'> {
  readonly tests: readonly StudyTest[];
}

/** Placeholder while `epochs` stand for the steps. */
const SOME_STEPS = 1;

/**
 * A study with every default filled in.
 *
 * @throws LarmorError `ERR_CONFIG` naming the first wrong field, also of training, adaptation and undersampling, or a name that stands for
 *   nothing.
 */
export function parseStudyConfig(value: unknown, source = 'study configuration'): StudyConfig {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw wrong(source, schema, parsed.error);
  const study = withTargets(parsed.data, source);
  for (const [model, given] of Object.entries(study.models)) {
    if ('file' in given) continue;
    if (!Object.hasOwn(study.domains, given.domain))
      throw new LarmorError('ERR_CONFIG', `${source}: models.${model}: there is no domain called ${given.domain}`);
    modelTraining(study, model, SOME_STEPS, source);
  }
  for (const [recipe, { models, oracle }] of Object.entries(study.recipes)) {
    recipeSettings(study, recipe, undefined, source);
    const named = [...(models ?? []), ...(oracle?.models ?? [])];
    const unknown = named.find((model) => !Object.hasOwn(study.models, model));
    if (unknown !== undefined)
      throw new LarmorError('ERR_CONFIG', `${source}: recipes.${recipe}: there is no model called ${unknown}`);
  }
  for (const test of study.tests) {
    testUndersampling(study, test, source);
    expectRows(study, test, source);
  }
  return study;
}

/** With the targets of all tests among those of each, spelt out. */
function withTargets({ targets: common, tests, ...study }: Parsed, source: string): StudyConfig {
  const rows = rowNames(study);
  const targetsOf = ({ name, targets }: { name: string; targets: readonly TargetRule[] }): Target[] =>
    spellOut([...targets, ...common], rows, `${source}: targets of ${name}`);
  return { ...study, tests: tests.map((test) => ({ ...test, targets: targetsOf(test) })) };
}

/** Reads a JSON file. @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_CONFIG`. */
export async function readStudyConfig(path: string): Promise<StudyConfig> {
  return parseStudyConfig(await readJson(path), path);
}

/** What a model is trained with, as `parseTrainingConfig` takes it, and the epochs that stand for steps. */
export function rawTraining(study: StudyConfig, model: string): { fields: Record<string, unknown>; epochs?: number } {
  const given = study.models[model];
  if ('file' in given) throw new LarmorError('ERR_INTERNAL', `study: model ${model} is not trained`);
  const { training, validation, undersampling } = study.domains[given.domain];
  const { epochs, ...fields } = {
    calibration: study.calibration,
    ...study.training,
    ...given.training,
    undersampling: {
      ...study.undersampling,
      ...object(study.training.undersampling),
      ...undersampling,
      ...object(given.training.undersampling),
    },
    training,
    ...(validation && { validation }),
  } as Record<string, unknown>;
  if (epochs === undefined) return { fields };
  if (!Number.isSafeInteger(epochs) || (epochs as number) < 1 || fields.steps !== undefined)
    throw new LarmorError(
      'ERR_CONFIG',
      `models.${model}: epochs must be a positive integer, and stand instead of steps`,
    );
  return { fields, epochs: epochs as number };
}

const object = (value: unknown): object => Object(value ?? {});

/** The training configuration of a model, with `steps` where it counts epochs. @throws LarmorError `ERR_CONFIG`. */
export function modelTraining(
  study: StudyConfig,
  model: string,
  steps: number,
  source = 'study configuration',
): TrainingConfig {
  const { fields, epochs } = rawTraining(study, model);
  return parseTrainingConfig({ ...fields, ...(epochs && { steps }) }, `${source}: models.${model}`);
}

/** The options of adaptation of a recipe, with the defaults of the network that adapts. @throws LarmorError `ERR_CONFIG`. */
export function recipeSettings(
  study: StudyConfig,
  recipe: string,
  network?: Network,
  source = 'study configuration',
): AdaptationSettings {
  try {
    return adaptationSettings(study.recipes[recipe].adapt as AdaptationOptions, network);
  } catch (cause) {
    throw new LarmorError('ERR_CONFIG', `${source}: recipes.${recipe}: ${(cause as Error).message}`, { cause });
  }
}

/** How the slices of a test are undersampled. @throws LarmorError `ERR_CONFIG`. */
export function testUndersampling(
  study: StudyConfig,
  test: StudyTest,
  source = 'study configuration',
): TrainingConfig['undersampling'] {
  const parsed = undersamplingSchema.safeParse({ ...study.undersampling, ...test.undersampling });
  if (parsed.success) return parsed.data;
  throw wrong(`${source}: tests: ${test.name}: undersampling`, undersamplingSchema, parsed.error);
}

function wrong(source: string, wanted: z.ZodType, error: z.ZodError): LarmorError {
  const { field, message } = configIssue(wanted, error);
  return new LarmorError('ERR_CONFIG', `${source}: ${field && `${field}: `}${message}`);
}
