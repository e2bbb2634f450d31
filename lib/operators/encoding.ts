// The multi-coil encoding operator as one fused kernel.
import type { ComplexArray } from '../arrays/complex-array.js';
import { binding, type EncodingArguments, type JobControl } from '../binding.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import type { SamplingMask } from '../sampling/mask.js';
import { type MapSizes, mapSizes } from './coils.js';
import { LinearOperator } from './linear-operator.js';
import { maskWeights } from './mask.js';

/** What the encoding operator is made of. */
export interface EncodingOptions {
  /** Coil sensitivities [coil, y, x] or [set, coil, y, x], normalised so that their sum of squared magnitudes is 1 inside the object. */
  readonly maps: ComplexArray;
  /** Sampled columns [kx] or points [ky, kx]. */
  readonly mask: SamplingMask;
}

type EncodingFunction = (control: JobControl, ...rest: EncodingArguments) => Promise<void>;

/**
 * Multi-coil Cartesian encoding A x = M F (S x) with a centred unitary 2-D DFT F; the sum runs over sets of maps.
 *
 * Equal to `compose(new Mask(...), new Fft2(...), new Coils(maps))`, but one pass per block of rows or columns: only sampled columns are
 * transformed, and for a mask [kx] the normal operator needs no transform along y, for those of A and Aᴴ cancel exactly.
 *
 * Shapes: x [y, x] (with maps [set, coil, y, x]: [set, y, x]); y [coil, y, x].
 * Units: maps are dimensionless, x has the units of y. Precision: float32, relative error about 1e-6.
 *
 * @see Pruessmann et al., Magn Reson Med 2001;46:638-651.
 * @example const A = new EncodingOperator({ maps, mask }); const image = await A.adjoint(kspace);
 */
export class EncodingOperator extends LinearOperator {
  readonly #maps: ComplexArray;
  readonly #sizes: MapSizes;
  readonly #weights: Float32Array;

  /**
   * Keeps the maps, copies the mask.
   *
   * @throws LarmorError `ERR_SHAPE` or `ERR_NOT_FINITE` for bad maps; `ERR_MASK` when the mask does not fit them, is not 0/1 or samples nothing.
   */
  constructor({ maps, mask }: EncodingOptions) {
    const sizes = mapSizes('EncodingOperator', maps);
    super('EncodingOperator', sizes.image, sizes.coilImages);
    this.#maps = maps;
    this.#sizes = sizes;
    this.#weights = maskWeights('EncodingOperator', mask, sizes.ny, sizes.nx);
  }

  protected override forward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    return this.#run(binding.encodeForward, x, y, options);
  }

  protected override backward(y: ComplexArray, x: ComplexArray, options: RunOptions): Promise<void> {
    return this.#run(binding.encodeAdjoint, y, x, options);
  }

  protected override forwardBackward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    return this.#run(binding.encodeNormal, x, y, options);
  }

  async #run(encode: EncodingFunction, from: ComplexArray, to: ComplexArray, options: RunOptions): Promise<void> {
    const { sets, coils, ny, nx } = this.#sizes;
    const threads = threadCount(options);
    await runJob(1, options, (control) =>
      encode(control, sets, coils, ny, nx, this.#maps.data, this.#weights, from.data, to.data, threads),
    );
  }
}
