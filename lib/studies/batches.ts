// The results of a study in the pieces that are made together, each named by what determines it.
import { recipeSettings, type StudyConfig } from './config.js';
import { digestOf } from './digest.js';
import type { LoadedModel } from './models.js';
import { isChained, type StudyCase } from './produce.js';
import { oracleEvery, type Producer } from './rows.js';

/** Cost of a case in progress reports, in steps of training or adaptation. */
const CLASSICAL_COST = 5;

/** Some results of one producer that have to be made together. */
export interface Batch {
  readonly producer: Producer;
  readonly cases: readonly StudyCase[];
  readonly digests: readonly string[];
  readonly cost: number;
}

/** Cost of a case, in steps of training or adaptation. */
export function costOf(study: StudyConfig, producer: Producer): number {
  if (producer.kind !== 'network' || producer.recipe === undefined) return CLASSICAL_COST;
  const { maxIterations } = recipeSettings(study, producer.recipe);
  return oracleEvery(producer, study) === undefined ? maxIterations : 2 * maxIterations;
}

/** All results of a study, slice by slice, so that the first slices are complete first. */
export function batchesOf(
  study: StudyConfig,
  producers: readonly Producer[],
  tests: readonly (readonly StudyCase[])[],
  identities: readonly object[],
  models: ReadonlyMap<string, LoadedModel>,
): Batch[] {
  const digest = (producer: Producer, cases: readonly StudyCase[]): string => {
    const [{ test }] = cases;
    const places = cases.map(({ slice, mask }) => [slice, mask]);
    const how =
      producer.kind !== 'network'
        ? producer
        : networkIdentity(study, producer, models.get(producer.model) as LoadedModel);
    return digestOf({ case: identities[test], places, how });
  };
  return tests.flatMap((cases) => {
    const single = cases.flatMap((each) =>
      producers
        .filter((producer) => !chained(study, producer))
        .map(
          (producer): Batch => ({
            producer,
            cases: [each],
            digests: [digest(producer, [each])],
            cost: costOf(study, producer),
          }),
        ),
    );
    const masks = [...new Set(cases.map(({ mask }) => mask))];
    const together = producers
      .filter((producer) => chained(study, producer))
      .flatMap((producer) =>
        masks.map((mask): Batch => {
          const own = cases.filter((each) => each.mask === mask);
          // A volume's joint training sees all slices, so all count for each.
          const whole = digest(producer, own);
          const digests = own.map(({ slice }) => digestOf([whole, slice]));
          return { producer, cases: own, digests, cost: own.length * costOf(study, producer) };
        }),
      );
    return [...single, ...together];
  });
}

const chained = (study: StudyConfig, producer: Producer): boolean =>
  producer.kind === 'network' && producer.recipe !== undefined && isChained(recipeSettings(study, producer.recipe));

/** What of a model and its recipe decides an image. */
function networkIdentity(
  study: StudyConfig,
  producer: Extract<Producer, { kind: 'network' }>,
  { model: { network }, digest }: LoadedModel,
): object {
  const { recipe } = producer;
  if (recipe === undefined) return { model: digest };
  const adapt = recipeSettings(study, recipe, network);
  return { model: digest, adapt, oracleEvery: oracleEvery(producer, study) };
}
