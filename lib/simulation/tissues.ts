// Tissues with their relaxation times, and the signal they give in a pulse sequence.
import type { MT19937 } from '../arrays/mt19937.js';

interface TissueProperties {
  /** Proton density relative to water. */
  readonly density: number;
  /** Relaxation times in milliseconds at about 3 T. */
  readonly t1: number;
  readonly t2: number;
  /** Relative height of the signal's variation inside the tissue, and its grain per unit length. */
  readonly texture: number;
  readonly grain: number;
}

const properties = (density: number, t1: number, t2: number, texture: number, grain: number): TissueProperties => ({
  density,
  t1,
  t2,
  texture,
  grain,
});

/** Literature values, rounded: what matters here is the order of brightness in each contrast. */
const TISSUES = {
  air: properties(0, 1000, 1, 0, 1),
  skin: properties(0.7, 900, 30, 0.1, 20),
  fat: properties(0.8, 380, 100, 0.06, 14),
  muscle: properties(0.8, 1400, 38, 0.14, 12),
  tendon: properties(0.45, 900, 6, 0.2, 12),
  corticalBone: properties(0.08, 500, 1.5, 0.3, 10),
  fattyMarrow: properties(0.78, 420, 92, 0.12, 26),
  redMarrow: properties(0.75, 800, 60, 0.15, 26),
  cartilage: properties(0.8, 1150, 34, 0.08, 16),
  fluid: properties(1, 4000, 1500, 0.03, 5),
  whiteMatter: properties(0.7, 850, 68, 0.05, 7),
  greyMatter: properties(0.82, 1400, 92, 0.06, 12),
  deepGreyMatter: properties(0.79, 1250, 75, 0.06, 12),
  lesion: properties(0.88, 1600, 180, 0.1, 14),
  flowingBlood: properties(0.2, 1800, 60, 0.3, 12),
  stillBlood: properties(0.85, 1700, 150, 0.08, 12),
  liver: properties(0.72, 800, 36, 0.09, 12),
  spleen: properties(0.8, 1320, 62, 0.07, 12),
  renalCortex: properties(0.78, 1140, 80, 0.07, 14),
  renalMedulla: properties(0.85, 1600, 90, 0.07, 14),
  gland: properties(0.85, 1500, 95, 0.22, 14),
  bowelWall: properties(0.78, 1250, 55, 0.1, 14),
  bowelContent: properties(0.6, 1100, 150, 0.45, 6),
} satisfies Record<string, TissueProperties>;

export type TissueName = keyof typeof TISSUES;

const NAMES = Object.keys(TISSUES) as TissueName[];

/** Number of each tissue, as anatomies return it. */
export const TISSUE = Object.fromEntries(NAMES.map((name, i) => [name, i])) as Readonly<Record<TissueName, number>>;

export const CONTRASTS = ['t1', 't2', 'pd', 'flair'] as const;

/** Weighting of a simulated sequence. */
export type Contrast = (typeof CONTRASTS)[number];

/** Ranges of repetition, echo and inversion time in milliseconds that scanners use for each weighting. */
const SEQUENCES: Record<Contrast, { tr: [number, number]; te: [number, number]; ti?: [number, number] }> = {
  t1: { tr: [420, 700], te: [8, 15] },
  t2: { tr: [3500, 6000], te: [75, 110] },
  pd: { tr: [2200, 3500], te: [12, 32] },
  flair: { tr: [8500, 10000], te: [85, 125], ti: [2350, 2600] },
};

/** How the tissues of one subject look in one sequence; indexed by `TISSUE`. */
export interface Appearance {
  readonly signal: Float64Array;
  readonly texture: Float64Array;
  readonly grain: Float64Array;
}

/**
 * Draws a sequence of the wanted weighting and a subject's own relaxation times, and computes every tissue's signal
 * density (1 - 2 e^(-TI/T1) + e^(-TR/T1)) e^(-TE/T2), without the inversion terms where there is no inversion.
 *
 * @param fatSuppression Residual signal of fat and fatty marrow, 0 to 1; 1 leaves them as they are.
 */
export function drawAppearance(random: MT19937, contrast: Contrast, fatSuppression: number): Appearance {
  const { tr: trRange, te: teRange, ti: tiRange } = SEQUENCES[contrast];
  const tr = random.uniform(...trRange);
  const te = random.uniform(...teRange);
  const ti = tiRange && random.uniform(...tiRange);
  const vary = (value: number): number => value * random.uniform(0.92, 1.08);
  const signal = NAMES.map((name) => {
    const { density, t1, t2 } = TISSUES[name];
    const relaxation = vary(t1);
    const recovery =
      ti === undefined
        ? 1 - Math.exp(-tr / relaxation)
        : Math.abs(1 - 2 * Math.exp(-ti / relaxation) + Math.exp(-tr / relaxation));
    const suppressed = name === 'fat' || name === 'fattyMarrow' ? fatSuppression : 1;
    return vary(density) * recovery * Math.exp(-te / vary(t2)) * suppressed;
  });
  return {
    signal: Float64Array.from(signal),
    texture: Float64Array.from(NAMES, (name) => TISSUES[name].texture),
    grain: Float64Array.from(NAMES, (name) => TISSUES[name].grain),
  };
}
