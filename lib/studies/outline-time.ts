// Roughly how long networks take, from a few steps on a small image.
import { estimateAdaptation } from '../adaptation/estimate.js';
import type { RunOptions } from '../jobs.js';
import type { Model } from '../networks/model.js';
import { recipeSettings, type StudyConfig } from './config.js';
import { oracleEvery, type Producer } from './rows.js';

/** Side of the image that steps are timed on. */
const SIDE = 64;

type Sizes = readonly {
  readonly shape: readonly [coils: number, rows: number, columns: number];
  readonly slices: number;
}[];

/** Times each kind of network once for every number of coils; a step takes as long as it has pixels. */
export class StepTimer {
  readonly #options: Pick<RunOptions, 'signal' | 'threads'>;
  readonly #known = new Map<string, Promise<number>>();

  constructor(options: Pick<RunOptions, 'signal' | 'threads'>) {
    this.#options = options;
  }

  /** Seconds that a step on each of these slices takes, all together. */
  async perStep(model: Model, sizes: Sizes): Promise<number> {
    let seconds = 0;
    for (const { shape, slices } of sizes) {
      const [coils, rows, columns] = shape;
      seconds += slices * (await this.#perPixel(model, coils)) * rows * columns;
    }
    return seconds;
  }

  /** Seconds that all adaptations of these slices take when none stops early. */
  async adaptations(
    study: StudyConfig,
    producers: readonly Producer[],
    models: ReadonlyMap<string, Model>,
    sizes: Sizes,
  ): Promise<number> {
    let seconds = 0;
    for (const producer of producers) {
      if (producer.kind !== 'network' || producer.recipe === undefined) continue;
      const model = models.get(producer.model) as Model;
      const { maxIterations } = recipeSettings(study, producer.recipe, model.network);
      const runs = oracleEvery(producer, study) === undefined ? 1 : 2;
      seconds += runs * maxIterations * (await this.perStep(model, sizes));
    }
    return seconds;
  }

  #perPixel(model: Model, coils: number): Promise<number> {
    const { kind, config } = model.network;
    const key = JSON.stringify([kind, config, coils]);
    const known = this.#known.get(key) ?? this.#time(model, coils);
    this.#known.set(key, known);
    return known;
  }

  async #time(model: Model, coils: number): Promise<number> {
    const work = { coils, height: SIDE, width: SIDE, adapt: { input: model.input }, ...this.#options };
    return (await estimateAdaptation(model, work)).perStep / SIDE ** 2;
  }
}
