// What `larmor bench` times: each case with the least it could take, the bytes it must move and the operations it must do.
import type { ComplexArray } from '../arrays/complex-array.js';
import { compressCoils, svdCompression } from '../calibration/coil-compression.js';
import { espirit } from '../calibration/espirit.js';
import type { RunOptions } from '../jobs.js';
import { EncodingOperator } from '../operators/encoding.js';
import { fft2 } from '../operators/fft2.js';
import type { SamplingMask } from '../sampling/mask.js';
import { l1Wavelet } from '../solvers/l1-wavelet.js';
import { cgSense } from '../solvers/sense.js';
import { totalVariation } from '../solvers/total-variation.js';
import type { BenchmarkSlice } from './slice.js';

/** What a run of a case cannot do without. */
export interface Work {
  /** Bytes read and written that no cache of this size of data saves. */
  readonly bytes: number;
  /** Floating-point operations. */
  readonly operations: number;
}

/** A slice with its maps. */
export interface CalibratedSlice extends BenchmarkSlice {
  /** [coil, y, x]. */
  readonly maps: ComplexArray;
}

/** One case, bound to a slice. */
export interface Prepared extends Work {
  run(options: RunOptions): Promise<unknown>;
}

export interface BenchmarkCase {
  readonly name: string;
  readonly title: string;
  prepare(slice: CalibratedSlice): Prepared;
}

/** Bytes of a complex number. */
const SAMPLE = 8;
/** Operations of a transform of n points: the count that FFTs are usually held against, n log2 n butterflies of radix 2. */
const transform = (n: number): number => 5 * n * Math.log2(n);
/** Of x times map and of map^H y, per sample. */
const COIL_PRODUCTS = 14;
/** Floats that one iteration of conjugate gradients moves per float of the image, beside the normal operator. */
const VECTOR_FLOATS = 12;
const CG_ITERATIONS = 30;
const SPARSE_ITERATIONS = 60;
/** Operations per pixel of Daubechies-4 there and back: four multiply-adds per part and axis, over all levels 4/3 of the image. */
const WAVELET = (2 * 2 * 2 * 8 * 4) / 3;
/** Of one step on the dual of total variation, the least that an iteration has: differences, their adjoint and a projection. */
const DUAL_STEP = 30;
const VIRTUAL_COILS = 8;
/** Power iterations that no pixel gets by without. */
const POWER_ITERATIONS = 2;
/** Points per axis of the grid from which ESPIRiT interpolates the matrix of a pixel, with kernels of 6 x 6. */
const GRID = 11;

interface Sizes {
  readonly coils: number;
  readonly ny: number;
  readonly nx: number;
  readonly image: number;
  readonly samples: number;
}

function sizes({ kspace }: BenchmarkSlice): Sizes {
  const [coils, ny, nx] = kspace.shape;
  return { coils, ny, nx, image: ny * nx, samples: coils * ny * nx };
}

/** A^H A: maps and image in, image out; transforms there and back, along x only for a mask of columns. */
function normalWork({ coils, ny, nx, image, samples }: Sizes, lines: boolean): Work {
  const transforms = lines ? 2 * coils * ny * transform(nx) : 2 * coils * transform(image);
  return { bytes: SAMPLE * (samples + 2 * image), operations: transforms + COIL_PRODUCTS * samples };
}

/** Every column a quarter sampled at random, so that no transform can be left out. */
function pointMask({ kspace }: BenchmarkSlice): SamplingMask {
  const [, ny, nx] = kspace.shape;
  let state = 1;
  const data = Uint8Array.from({ length: ny * nx }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state < 2 ** 30 ? 1 : 0;
  });
  return { data, shape: [ny, nx] };
}

function normalCase(name: string, title: string, lines: boolean): BenchmarkCase {
  return {
    name,
    title,
    prepare(slice) {
      const A = new EncodingOperator({ maps: slice.maps, mask: lines ? slice.mask : pointMask(slice) });
      const [, ny, nx] = slice.kspace.shape;
      const x = { data: slice.kspace.data.slice(0, 2 * ny * nx), shape: [ny, nx] };
      return { ...normalWork(sizes(slice), lines), run: (options) => A.normal(x, options) };
    },
  };
}

const fft2Case: BenchmarkCase = {
  name: 'fft2',
  title: '2-D FFT of the coils',
  prepare(slice) {
    const { coils, image, samples } = sizes(slice);
    return {
      bytes: 4 * SAMPLE * samples, // rows, then columns: twice read and written
      operations: coils * transform(image),
      run: (options) => fft2(slice.kspace, options),
    };
  },
};

const espiritCase: BenchmarkCase = {
  name: 'espirit',
  title: 'ESPIRiT, 1 set of maps',
  prepare(slice) {
    const { coils, image, samples } = sizes(slice);
    const perPixel = 2 * GRID * coils ** 2 + 8 * POWER_ITERATIONS * coils ** 2;
    const { kspace, mask } = slice;
    return {
      bytes: SAMPLE * samples,
      operations: perPixel * image,
      run: (options) => espirit(kspace, { ...options, mask }),
    };
  },
};

const cgSenseCase: BenchmarkCase = {
  name: 'cg-sense',
  title: `CG-SENSE, ${CG_ITERATIONS} iterations`,
  prepare(slice) {
    const all = sizes(slice);
    const { bytes, operations } = normalWork(all, true);
    const { kspace, maps, mask } = slice;
    return {
      bytes: CG_ITERATIONS * (bytes + VECTOR_FLOATS * SAMPLE * all.image) + SAMPLE * all.samples,
      operations: CG_ITERATIONS * operations,
      run: (options) => cgSense(kspace, { maps, mask }, { ...options, maxIterations: CG_ITERATIONS, tolerance: 0 }),
    };
  },
};

function sparseCase(
  name: string,
  title: string,
  perPixel: number,
  solve: typeof l1Wavelet | typeof totalVariation,
): BenchmarkCase {
  return {
    name,
    title: `${title}, ${SPARSE_ITERATIONS} iterations`,
    prepare(slice) {
      const all = sizes(slice);
      const { bytes, operations } = normalWork(all, true);
      const { kspace, maps, mask } = slice;
      return {
        bytes: SPARSE_ITERATIONS * (bytes + VECTOR_FLOATS * SAMPLE * all.image) + SAMPLE * all.samples,
        operations: SPARSE_ITERATIONS * (operations + perPixel * all.image),
        run: (options) => solve(kspace, { maps, mask }, { ...options, maxIterations: SPARSE_ITERATIONS, tolerance: 0 }),
      };
    },
  };
}

const compressionCase: BenchmarkCase = {
  name: 'compression',
  title: `SVD compression to ${VIRTUAL_COILS} coils`,
  prepare(slice) {
    const { coils, image, samples } = sizes(slice);
    const virtual = Math.min(VIRTUAL_COILS, coils);
    const { kspace, mask } = slice;
    return {
      bytes: SAMPLE * (samples + virtual * image),
      operations: 8 * virtual * samples,
      run: async (options) =>
        compressCoils(kspace, await svdCompression(kspace, { ...options, mask, coils: virtual }), options),
    };
  },
};

/** In the order in which they are timed. */
export const BENCHMARK_CASES: readonly BenchmarkCase[] = [
  fft2Case,
  normalCase('normal-lines', 'Aᴴ A x, mask of columns', true),
  normalCase('normal-points', 'Aᴴ A x, mask of points', false),
  espiritCase,
  cgSenseCase,
  sparseCase('l1-wavelet', 'l1-wavelet', WAVELET, l1Wavelet),
  sparseCase('tv', 'total variation', DUAL_STEP, totalVariation),
  compressionCase,
];
