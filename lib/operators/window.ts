// Windows over k-space that damp its edges.
import { LarmorError } from '../errors.js';

/** Shapes of windows. */
export const WINDOW_TYPES = ['hann', 'tukey', 'gaussian', 'fermi'] as const;

/** Name of a window's shape. */
export type WindowType = (typeof WINDOW_TYPES)[number];

/**
 * A window over k-space, a product of the same function w of |ky| and of |kx|. With u the distance to the centre, 1 at the edge of k-space:
 *
 * - `hann`: w = (1 + cos(pi u / width)) / 2, and 0 beyond `width` (default 1);
 * - `tukey`: 1 up to width (1 - taper), a cosine from there to 0 at `width`; width 1, taper 0.5;
 * - `gaussian`: w = 2^-(u / width)^2, half at `width` (default 0.7);
 * - `fermi`: w = 1 / (1 + exp((u - width) / taper)), half at `width` (default 0.8), falling over some `taper`s (default 0.05).
 */
export interface WindowOptions {
  readonly type: WindowType;
  /** Above 0, in units of the distance from the centre to the edge of k-space. */
  readonly width?: number | undefined;
  /** Of `tukey` above 0 and at most 1, of `fermi` above 0. */
  readonly taper?: number | undefined;
}

/** A window with its defaults. */
export interface WindowSettings extends WindowOptions {
  readonly width: number;
}

const DEFAULTS: Record<WindowType, Pick<WindowSettings, 'width' | 'taper'>> = {
  hann: { width: 1, taper: undefined },
  tukey: { width: 1, taper: 0.5 },
  gaussian: { width: 0.7, taper: undefined },
  fermi: { width: 0.8, taper: 0.05 },
};

/** A window with its defaults, checked. @throws LarmorError `ERR_ARGUMENT`. */
export function windowSettings(who: string, options: WindowOptions): WindowSettings {
  const { type } = options;
  if (!WINDOW_TYPES.includes(type))
    throw new LarmorError('ERR_ARGUMENT', `${who}: type must be one of ${WINDOW_TYPES.join(', ')}, got ${type}`);
  const { width = DEFAULTS[type].width, taper = DEFAULTS[type].taper } = options;
  if (!(width > 0 && Number.isFinite(width)))
    throw new LarmorError('ERR_ARGUMENT', `${who}: width must be a finite number above 0, got ${width}`);
  if (taper !== undefined && DEFAULTS[type].taper === undefined)
    throw new LarmorError('ERR_ARGUMENT', `${who}: ${type} has no taper; tukey and fermi have`);
  if (taper !== undefined && !(taper > 0 && taper <= (type === 'tukey' ? 1 : Number.MAX_VALUE)))
    throw new LarmorError('ERR_ARGUMENT', `${who}: taper must lie above 0, for tukey at most at 1, got ${taper}`);
  return { type, width, taper };
}

function weight({ type, width, taper = 1 }: WindowSettings, u: number): number {
  switch (type) {
    case 'hann':
      return u < width ? 0.5 + 0.5 * Math.cos((Math.PI * u) / width) : 0;
    case 'tukey': {
      const along = (u - width * (1 - taper)) / (width * taper);
      return along <= 0 ? 1 : along < 1 ? 0.5 + 0.5 * Math.cos(Math.PI * along) : 0;
    }
    case 'gaussian':
      return 2 ** -((u / width) ** 2);
    case 'fermi':
      return 1 / (1 + Math.exp((u - width) / taper));
  }
}

/**
 * The window's function along an axis of n samples; its centre is sample floor(n / 2). All 1 without a window.
 *
 * @throws LarmorError `ERR_ARGUMENT` for values out of range.
 */
export function windowWeights(options: WindowOptions | undefined, n: number): Float32Array {
  if (!options) return new Float32Array(n).fill(1);
  const settings = windowSettings('windowWeights', options);
  const centre = Math.floor(n / 2);
  return Float32Array.from({ length: n }, (_, k) => weight(settings, Math.abs(k - centre) / (n / 2)));
}
