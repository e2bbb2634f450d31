// The rows of a study's tables: classical methods, and every model as it is and adapted, raw and made consistent with the samples.
import { LarmorError } from '../errors.js';
import type { StudyConfig, StudyTest } from './config.js';
import type { Target } from './target-schema.js';

/** What makes an image of a slice. */
export type Producer =
  | { readonly kind: 'zero-filled' }
  | { readonly kind: 'cg-sense' | 'l1-wavelet'; readonly lambda: number }
  | { readonly kind: 'network'; readonly model: string; readonly recipe?: string | undefined };

/** Which of a producer's images: as it comes, after data consistency, or of the best stop by the reference itself. */
export type Variant = 'raw' | 'consistent' | 'oracle';

const ZERO_FILLED = 'zero-filled';
export const CG_SENSE = 'CG-SENSE';
export const L1_WAVELET = 'l1-wavelet';

/** Everything that makes images in a study, in the order of its tables. */
export function producersOf({
  models,
  recipes,
  baselines,
}: Pick<StudyConfig, 'models' | 'recipes' | 'baselines'>): Producer[] {
  return [
    { kind: 'zero-filled' },
    ...baselines.cgSense.map((lambda): Producer => ({ kind: 'cg-sense', lambda })),
    ...baselines.l1Wavelet.map((lambda): Producer => ({ kind: 'l1-wavelet', lambda })),
    ...Object.keys(models).flatMap((model): Producer[] => [
      { kind: 'network', model },
      ...Object.entries(recipes)
        .filter(([, { models: only }]) => only === undefined || only.includes(model))
        .map(([recipe]): Producer => ({ kind: 'network', model, recipe })),
    ]),
  ];
}

/** Iterations between the stops that are scored beside a recipe's own; undefined where none are. */
export function oracleEvery(producer: Producer, { recipes }: Pick<StudyConfig, 'recipes'>): number | undefined {
  if (producer.kind !== 'network' || producer.recipe === undefined) return undefined;
  const { oracle } = recipes[producer.recipe];
  return oracle?.models?.includes(producer.model) === false ? undefined : oracle?.every;
}

/** The variants that a producer gives. */
export function variantsOf(producer: Producer, study: Pick<StudyConfig, 'recipes'>): Variant[] {
  if (producer.kind !== 'network') return ['raw'];
  return ['raw', 'consistent', ...(oracleEvery(producer, study) === undefined ? [] : (['oracle'] as const))];
}

/** What tables call a producer: `P-joint + default`, `CG-SENSE`. */
export function producerName(producer: Producer): string {
  switch (producer.kind) {
    case 'zero-filled':
      return ZERO_FILLED;
    case 'cg-sense':
      return CG_SENSE;
    case 'l1-wavelet':
      return L1_WAVELET;
    case 'network':
      return producer.recipe === undefined ? producer.model : `${producer.model} + ${producer.recipe}`;
  }
}

/** `P-joint + default, consistent`. */
export function rowName(producer: string, variant: Variant): string {
  return variant === 'raw' ? producer : `${producer}, ${variant}`;
}

/** All names of rows that a study's targets may use. */
export function rowNames(study: Pick<StudyConfig, 'models' | 'recipes' | 'baselines'>): string[] {
  const names = producersOf(study).flatMap((producer) =>
    variantsOf(producer, study).map((variant) => rowName(producerName(producer), variant)),
  );
  return [...new Set(names)];
}

function rowsOf(target: Target): (string | undefined)[] {
  if ('of' in target) return [target.of, target.over];
  return 'race' in target ? [target.race, target.against].flatMap((row) => [row, rowName(row, 'oracle')]) : [];
}

/** @throws LarmorError `ERR_CONFIG` when a target of `test` names a row or a recipe that the study does not have. */
export function expectRows(study: StudyConfig, test: StudyTest, source: string): void {
  const rows = rowNames(study);
  for (const target of test.targets) {
    const { shareOfGap: recipe, shift } = 'shareOfGap' in target ? target : {};
    if (shift !== undefined && !Object.hasOwn(study.shifts, shift))
      throw new LarmorError('ERR_CONFIG', `${source}: targets of ${test.name}: there is no shift called ${shift}`);
    if (recipe !== undefined && !Object.hasOwn(study.recipes, recipe))
      throw new LarmorError('ERR_CONFIG', `${source}: targets of ${test.name}: there is no recipe called ${recipe}`);
    const asked = rowsOf(target);
    const unknown = asked.find((row) => row !== undefined && !rows.includes(row));
    if (unknown !== undefined)
      throw new LarmorError(
        'ERR_CONFIG',
        `${source}: targets of ${test.name}: there is no row called "${unknown}"; there are ${rows.join('; ')}`,
      );
  }
}
