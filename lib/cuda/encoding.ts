// The multi-coil encoding operator on a CUDA device, with several problems side by side.
import { type ComplexArray, formatShape, points, type Shape, sameShape } from '../arrays/complex-array.js';
import { binding, type JobControl } from '../binding.js';
import type { CudaContextHandle, DeviceEncodingArguments, DeviceMemoryHandle } from '../bindings/cuda.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { mapSizes } from '../operators/coils.js';
import type { EncodingOptions } from '../operators/encoding.js';
import { maskWeights } from '../operators/mask.js';
import type { CudaContext } from './context.js';
import type { DeviceArray } from './device-array.js';

type CallOptions = Pick<RunOptions, 'signal'>;

/** How `DeviceEncoding.solveNormal` iterates. */
export interface SolveSettings {
  /** Start at zero, not at x: it is written only. */
  readonly fromZero: boolean;
  readonly lambda: number;
  readonly maxIterations: number;
  readonly tolerance: number;
}

/** The sizes that all problems of a batch share. */
interface Sizes {
  readonly batch: number;
  readonly sets: number;
  readonly coils: number;
  readonly ny: number;
  readonly nx: number;
  readonly lines: boolean;
}

/**
 * A x = M F (S x) of a batch of problems on a device; maps and masks are uploaded once.
 *
 * Shapes: images [batch, set, y, x], k-space [batch, coil, y, x], both complex device arrays.
 * Units and precision as `EncodingOperator`. Results are queued, not waited for.
 *
 * @example using A = await DeviceEncoding.upload(cuda, [{ maps, mask }]); using image = await A.adjoint(kspace);
 */
export class DeviceEncoding implements Disposable {
  readonly context: CudaContext;
  /** [batch, set, y, x]. */
  readonly imageShape: Shape;
  /** [batch, coil, y, x]. */
  readonly kspaceShape: Shape;
  readonly #sizes: Sizes;
  readonly #maps: DeviceArray;
  readonly #mask: DeviceArray;

  private constructor(context: CudaContext, sizes: Sizes, maps: DeviceArray, mask: DeviceArray) {
    const { batch, sets, coils, ny, nx } = sizes;
    this.context = context;
    this.#sizes = sizes;
    this.imageShape = [batch, sets, ny, nx];
    this.kspaceShape = [batch, coils, ny, nx];
    this.#maps = maps;
    this.#mask = mask;
  }

  /**
   * Uploads the maps and masks of problems of one size.
   *
   * @throws LarmorError `ERR_SHAPE`, `ERR_NOT_FINITE`, `ERR_MASK` as `EncodingOperator`, or where sizes differ; `ERR_OUT_OF_MEMORY`.
   */
  static async upload(
    context: CudaContext,
    problems: readonly EncodingOptions[],
    options: RunOptions = {},
  ): Promise<DeviceEncoding> {
    const sizes = sharedSizes(problems);
    const { batch, sets, coils, ny, nx, lines } = sizes;
    const maps = await uploadAll(
      context,
      [batch, sets, coils, ny, nx],
      'complex',
      problems.map((problem) => problem.maps.data),
      options,
    );
    try {
      const weights = problems.map(({ mask }) => maskWeights('DeviceEncoding', mask, ny, nx));
      const mask = await uploadAll(context, lines ? [batch, nx] : [batch, ny, nx], 'real', weights, options);
      return new DeviceEncoding(context, sizes, maps, mask);
    } catch (error) {
      maps.free();
      throw error;
    }
  }

  /** Uploads the k-space of every problem. @throws LarmorError `ERR_SHAPE`, `ERR_NOT_FINITE`, `ERR_OUT_OF_MEMORY`. */
  uploadKspace(kspace: readonly ComplexArray[], options: RunOptions = {}): Promise<DeviceArray> {
    return this.#uploadProblems('kspace', kspace, this.kspaceShape, options);
  }

  /** Uploads the image of every problem. @throws LarmorError as `uploadKspace`. */
  uploadImages(images: readonly ComplexArray[], options: RunOptions = {}): Promise<DeviceArray> {
    return this.#uploadProblems('images', images, this.imageShape, options);
  }

  /** A x. @throws LarmorError `ERR_SHAPE`, `ERR_CLOSED`, `ERR_OUT_OF_MEMORY`. */
  forward(x: DeviceArray, options: CallOptions = {}): Promise<DeviceArray> {
    return this.#apply(binding.cudaEncodeForward, x, this.imageShape, this.kspaceShape, options);
  }

  /** Aᴴ y. @throws as `forward`. */
  adjoint(y: DeviceArray, options: CallOptions = {}): Promise<DeviceArray> {
    return this.#apply(binding.cudaEncodeAdjoint, y, this.kspaceShape, this.imageShape, options);
  }

  /** Aᴴ A x. @throws as `forward`. */
  normal(x: DeviceArray, options: CallOptions = {}): Promise<DeviceArray> {
    return this.#apply(binding.cudaEncodeNormal, x, this.imageShape, this.imageShape, options);
  }

  /**
   * x = (Aᴴ A + lambda)⁻¹ b by conjugate gradients from zero or from x as it is; waits for it.
   *
   * A problem of the batch stops by itself where its residual has fallen to `tolerance`; 0: never.
   *
   * @returns Iterations and residual relative to b, per problem. @throws LarmorError as `forward`.
   */
  async solveNormal(
    b: DeviceArray,
    x: DeviceArray,
    settings: SolveSettings,
    options: CallOptions = {},
  ): Promise<{ iterations: number; residual: number }[]> {
    const args = [this.#memory('b', b, this.imageShape), this.#memory('x', x, this.imageShape)] as const;
    const { fromZero, lambda, maxIterations, tolerance } = settings;
    const outcome = await this.context.run(options, (control, context) =>
      binding.cudaSolveNormal(
        control,
        ...this.#arguments(context, ...args),
        fromZero,
        lambda,
        maxIterations,
        tolerance,
      ),
    );
    return Array.from({ length: this.#sizes.batch }, (_, i) => ({
      iterations: outcome[2 * i],
      residual: outcome[2 * i + 1],
    }));
  }

  /** Frees maps and masks. */
  [Symbol.dispose](): void {
    this.#maps.free();
    this.#mask.free();
  }

  #arguments(
    context: CudaContextHandle,
    input: DeviceMemoryHandle,
    output: DeviceMemoryHandle,
  ): DeviceEncodingArguments {
    const { batch, sets, coils, ny, nx, lines } = this.#sizes;
    const [maps, mask] = [this.#maps, this.#mask].map((array) => array.memory('DeviceEncoding'));
    return [context, batch, sets, coils, ny, nx, lines, maps, mask, input, output];
  }

  #memory(argument: string, array: DeviceArray, want: Shape): DeviceMemoryHandle {
    if (array.kind !== 'complex' || !sameShape(array.shape, want))
      throw new LarmorError(
        'ERR_SHAPE',
        `DeviceEncoding: ${argument} must be complex ${formatShape(want)}, got ${array.kind} ${formatShape(array.shape)}`,
      );
    return this.context.memoryOf('DeviceEncoding', array);
  }

  async #apply(
    encode: (control: JobControl, ...rest: DeviceEncodingArguments) => Promise<void>,
    from: DeviceArray,
    fromShape: Shape,
    toShape: Shape,
    options: CallOptions,
  ): Promise<DeviceArray> {
    const input = this.#memory('input', from, fromShape);
    const result = await this.context.allocate(toShape, 'complex', options);
    const output = result.memory('DeviceEncoding');
    await this.context.run(options, (control, context) => encode(control, ...this.#arguments(context, input, output)));
    return result;
  }

  async #uploadProblems(
    argument: string,
    arrays: readonly ComplexArray[],
    shape: Shape,
    options: RunOptions,
  ): Promise<DeviceArray> {
    const [batch, ...each] = shape;
    const length = 2 * points(each);
    const wrong = arrays.find(({ data }) => data.length !== length);
    if (arrays.length !== batch || wrong)
      throw new LarmorError(
        'ERR_SHAPE',
        `DeviceEncoding: ${argument} must be ${batch} arrays of shape ${formatShape(each)}, ` +
          `got ${arrays.length}${wrong ? `, one of ${formatShape(wrong.shape)}` : ''}`,
      );
    const data = arrays.map((array) => array.data);
    return await uploadAll(this.context, shape, 'complex', data, options);
  }
}

/** One array of all parts, each copied straight to its place. */
async function uploadAll(
  context: CudaContext,
  shape: Shape,
  kind: 'complex' | 'real',
  parts: readonly Float32Array[],
  options: RunOptions,
): Promise<DeviceArray> {
  const array = await context.allocate(shape, kind, options);
  try {
    let offset = 0;
    for (const part of parts) {
      await context.write(array, offset, part, options);
      offset += part.length;
    }
    return array;
  } catch (error) {
    array.free();
    throw error;
  }
}

function sharedSizes(problems: readonly EncodingOptions[]): Sizes {
  const all = problems.map(({ maps, mask }): Sizes => {
    const { sets, coils, ny, nx } = mapSizes('DeviceEncoding', maps);
    return { batch: problems.length, sets, coils, ny, nx, lines: mask.shape.length === 1 };
  });
  const other = all.find((sizes) => JSON.stringify(sizes) !== JSON.stringify(all[0]));
  if (all.length === 0 || other)
    throw new LarmorError(
      'ERR_SHAPE',
      `DeviceEncoding: problems must be of one size and at least one, got ${JSON.stringify([all[0], other])}`,
    );
  return all[0];
}
