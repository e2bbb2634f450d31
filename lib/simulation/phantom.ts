// Procedural MR images: anatomies drawn from a seed, sampled finely enough for smooth edges.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type RealArray, realZeros } from '../arrays/complex-array.js';
import { MT19937, type Seed } from '../arrays/mt19937.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import type { Anatomy } from './anatomy.js';
import { createAbdomen } from './anatomy-abdomen.js';
import { createHead } from './anatomy-head.js';
import { createLimb } from './anatomy-limb.js';
import { NoiseField } from './noise-field.js';
import { CONTRASTS, type Contrast, drawAppearance } from './tissues.js';

export { CONTRASTS, type Contrast };

const FAMILIES = { limb: createLimb, abdomen: createAbdomen, head: createHead } satisfies Record<
  string,
  (random: MT19937) => Anatomy
>;

/** Kinds of anatomy: see `renderPhantom`. */
export type PhantomFamily = keyof typeof FAMILIES;

/** Names of the families of anatomy. */
export const PHANTOM_FAMILIES = Object.keys(FAMILIES) as readonly PhantomFamily[];

/** What `renderPhantom` draws. */
export interface PhantomOptions {
  readonly family: PhantomFamily;
  /** Subject, sequence and texture follow from it alone. */
  readonly seed: Seed;
  /** Side of the square slices in pixels. */
  readonly size: number;
  /** Number of slices. Default 1. */
  readonly slices?: number | undefined;
  /** Weighting. Default: drawn from the seed. */
  readonly contrast?: Contrast | undefined;
}

/** Slices are this thick, in units of half the field of view: about 3 mm of 240. */
const THICKNESS = 0.025;
const GAP = 0.01;

function checked({ family, size, slices = 1, contrast }: PhantomOptions): void {
  const fail = (option: string, want: string, got: unknown): never => {
    throw new LarmorError('ERR_ARGUMENT', `renderPhantom: ${option} must be ${want}, got ${String(got)}`);
  };
  if (!Object.hasOwn(FAMILIES, family)) fail('family', `one of ${PHANTOM_FAMILIES.join(', ')}`, family);
  if (!(Number.isInteger(size) && size >= 16 && size <= 4096)) fail('size', 'an integer in 16..4096', size);
  if (!(Number.isInteger(slices) && slices >= 1 && slices <= 1024)) fail('slices', 'an integer in 1..1024', slices);
  if (contrast !== undefined && !CONTRASTS.includes(contrast))
    fail('contrast', `one of ${CONTRASTS.join(', ')}`, contrast);
}

/**
 * Magnitude images of a random subject: tissue signals by relaxation times and sequence, texture, partial volume within
 * the pixel and through the slice.
 *
 * @returns [slice, y, x], brightest tissues about 1; the field of view is 2 units wide, its centre at pixel size / 2.
 * @throws LarmorError `ERR_ARGUMENT` for options outside their range; signal.reason when aborted.
 */
export async function renderPhantom(
  options: PhantomOptions,
  { signal, onProgress }: Pick<RunOptions, 'signal' | 'onProgress'> = {},
): Promise<RealArray> {
  checked(options);
  const { family, seed, size, slices = 1 } = options;
  const random = new MT19937(seed);
  const anatomy = FAMILIES[family](random);
  const contrast = options.contrast ?? random.pick(CONTRASTS);
  const fatSuppression = random.uniform() < 0.25 ? random.uniform(0.08, 0.3) : 1;
  const { signal: signals, texture, grain } = drawAppearance(random, contrast, fatSuppression);
  const noise = new NoiseField(random);
  const firstSlice = random.uniform(-0.05, 0.25) - ((slices - 1) / 2) * (THICKNESS + GAP);

  const at = (tissue: number, x: number, y: number, z: number): number => {
    const height = texture[tissue];
    if (height === 0) return signals[tissue];
    const g = grain[tissue];
    return signals[tissue] * (1 + height * 1.6 * noise.rough(g * x, g * y, g * z));
  };
  const sample = (x: number, y: number, z: number): number => at(anatomy(x, y, z), x, y, z);

  const image = realZeros([slices, size, size]);
  const pixel = 2 / size;
  const origin = -(size >> 1) * pixel - pixel / 2;
  const corners = [new Uint8Array(size + 1), new Uint8Array(size + 1)] as const;
  const rows = slices * (size + 1);
  for (let row = 0; row < rows; ++row) {
    if (row % 8 === 0) {
      await nextTurn();
      signal?.throwIfAborted();
      onProgress?.(row / rows);
    }
    const slice = Math.floor(row / (size + 1));
    const line = row % (size + 1);
    const z = firstSlice + slice * (THICKNESS + GAP);
    const below = corners[line & 1];
    const above = corners[(line + 1) & 1];
    const bottom = origin + line * pixel;
    // Corners alternate between the slice's faces, so that borders slanted through it show as mixed pixels.
    for (let i = 0; i <= size; ++i)
      below[i] = anatomy(origin + i * pixel, bottom, z + ((line + i) & 1 ? 0.5 : -0.5) * THICKNESS);
    if (line === 0) continue;
    const y = bottom - pixel / 2;
    const target = (slice * size + line - 1) * size;
    for (let i = 0; i < size; ++i) {
      const x = origin + (i + 0.5) * pixel;
      const tissue = below[i];
      const pure = tissue === below[i + 1] && tissue === above[i] && tissue === above[i + 1];
      image.data[target + i] = pure
        ? at(tissue, x, y, z)
        : (sample(x - pixel / 4, y - pixel / 4, z - 0.375 * THICKNESS) +
            sample(x + pixel / 4, y - pixel / 4, z + 0.125 * THICKNESS) +
            sample(x - pixel / 4, y + pixel / 4, z + 0.375 * THICKNESS) +
            sample(x + pixel / 4, y + pixel / 4, z - 0.125 * THICKNESS)) /
          4;
    }
  }
  return image;
}
