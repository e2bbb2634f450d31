// Coil sensitivities as a linear operator, and the checks every operator makes of maps.
import { type ComplexArray, expectComplex, formatShape, type Shape } from '../arrays/complex-array.js';
import { firstNonFinite } from '../arrays/finite.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { LinearOperator } from './linear-operator.js';

/** Sizes of coil sensitivities, and the shapes of the image and the coil images they relate. */
export interface MapSizes {
  readonly sets: number;
  readonly coils: number;
  readonly ny: number;
  readonly nx: number;
  /** [y, x] for one set given without a set axis, [set, y, x] otherwise. */
  readonly image: Shape;
  /** [coil, y, x]. */
  readonly coilImages: Shape;
}

/**
 * Sizes of maps [coil, y, x] or [set, coil, y, x].
 *
 * @throws LarmorError `ERR_SHAPE` for another rank or empty axes; `ERR_NOT_FINITE` when the maps hold NaN or infinity.
 */
export function mapSizes(who: string, maps: ComplexArray): MapSizes {
  const { shape } = maps;
  if ((shape.length !== 3 && shape.length !== 4) || !shape.every((n) => Number.isSafeInteger(n) && n >= 1))
    throw new LarmorError(
      'ERR_SHAPE',
      `${who}: maps must have shape [coil,y,x] or [set,coil,y,x] with no empty axis, got ${formatShape(shape)}`,
    );
  expectComplex(who, 'maps', maps, shape);
  const bad = firstNonFinite(maps.data);
  if (bad >= 0)
    throw new LarmorError('ERR_NOT_FINITE', `${who}: maps must be finite, got ${maps.data[bad]} at float ${bad}`);
  const [coils, ny, nx] = shape.slice(-3);
  const sets = shape.length === 4 ? shape[0] : 1;
  return { sets, coils, ny, nx, image: shape.length === 4 ? [sets, ny, nx] : [ny, nx], coilImages: [coils, ny, nx] };
}

/** Coil images S x: the sum over sets of maps times image. Sᴴ sums over coils with conjugate maps. */
export class Coils extends LinearOperator {
  readonly #maps: ComplexArray;
  readonly #sizes: MapSizes;

  /**
   * @param maps [coil, y, x] or [set, coil, y, x]; kept, not copied.
   * @throws LarmorError `ERR_SHAPE` or `ERR_NOT_FINITE`, see `mapSizes`.
   */
  constructor(maps: ComplexArray) {
    const sizes = mapSizes('Coils', maps);
    super('Coils', sizes.image, sizes.coilImages);
    this.#maps = maps;
    this.#sizes = sizes;
  }

  protected override async forward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    const { sets, coils, ny, nx } = this.#sizes;
    const threads = threadCount(options);
    await runJob(1, options, (control) =>
      binding.multiplyMaps(control, sets, coils, ny * nx, this.#maps.data, x.data, y.data, threads),
    );
  }

  protected override async backward(y: ComplexArray, x: ComplexArray, options: RunOptions): Promise<void> {
    const { sets, coils, ny, nx } = this.#sizes;
    const threads = threadCount(options);
    await runJob(1, options, (control) =>
      binding.combineCoils(control, sets, coils, ny * nx, this.#maps.data, y.data, x.data, threads),
    );
  }
}
