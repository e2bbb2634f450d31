// What methods can be told, by name: the union over all methods, each with its check.
import { isKernelSize, KERNEL_WANTED, type KernelSize } from '../calibration/neighbours.js';
import { LarmorError } from '../errors.js';
import { WAVELETS, type WaveletName } from '../operators/wavelet.js';

export const LOW_RANK_AXES = ['coils', 'slices', 'contrasts'] as const;

/** Which images are of low rank together: the coil images of a slice, neighbouring slices, or the contrasts of a slice. */
export type LowRankAxis = (typeof LOW_RANK_AXES)[number];

/** Settings of methods. A method takes those it lists and refuses the others. */
export interface MethodSettings {
  /** Weight of the prior against the data term; what it weighs is told by each method. */
  readonly regularisation?: number | undefined;
  /** Most iterations of the solver. */
  readonly iterations?: number | undefined;
  /** Where the solver stops before its last iteration; what it compares with this is told by each method. */
  readonly tolerance?: number | undefined;
  /** Window around a missing sample, in samples of k-space. */
  readonly kernel?: KernelSize | undefined;
  /** In which images are sparse. */
  readonly wavelet?: WaveletName | undefined;
  /** Side in pixels of the blocks that are of low rank. */
  readonly blockSize?: number | undefined;
  readonly across?: LowRankAxis | undefined;
}

interface Rule {
  readonly accepts: (value: unknown) => boolean;
  /** Completes "must be". */
  readonly wanted: string;
}

function oneOf(names: readonly unknown[]): Rule {
  return { accepts: (value) => names.includes(value), wanted: `one of ${names.join(', ')}` };
}

const notNegative: Rule = {
  accepts: (value) => typeof value === 'number' && value >= 0 && Number.isFinite(value),
  wanted: 'a number that is not negative',
};
const positiveInteger: Rule = {
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  wanted: 'a positive integer',
};

/** The compiler keeps it complete. */
const RULES: Record<keyof MethodSettings, Rule> = {
  regularisation: notNegative,
  iterations: positiveInteger,
  tolerance: {
    accepts: (value) => typeof value === 'number' && value >= 0 && value < 1,
    wanted: 'at least 0 and below 1',
  },
  kernel: { accepts: isKernelSize, wanted: KERNEL_WANTED },
  wavelet: oneOf(WAVELETS),
  blockSize: positiveInteger,
  across: oneOf(LOW_RANK_AXES),
};

export type SettingName = keyof MethodSettings;

export const SETTING_NAMES = Object.keys(RULES) as readonly SettingName[];

/**
 * The settings among `options`, checked.
 *
 * @throws LarmorError `ERR_ARGUMENT` for one that is out of range, or that the method does not take.
 */
export function methodSettings(
  method: { readonly name: string; readonly settings: readonly SettingName[] },
  options: MethodSettings,
): MethodSettings {
  const given = SETTING_NAMES.filter((name) => options[name] !== undefined);
  for (const name of given) {
    if (!method.settings.includes(name))
      throw new LarmorError(
        'ERR_ARGUMENT',
        `reconstruct: method ${method.name} takes no ${name}; it takes ${method.settings.join(', ') || 'no settings'}`,
      );
    const { accepts, wanted } = RULES[name];
    if (!accepts(options[name]))
      throw new LarmorError('ERR_ARGUMENT', `reconstruct: ${name} must be ${wanted}, got ${options[name]}`);
  }
  return Object.fromEntries(given.map((name) => [name, options[name]]));
}
