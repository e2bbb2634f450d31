// The ready configurations of the paper's shifts: what they state.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { adaptationSettings } from '#larmor/adaptation/options.js';
import { createNetwork, parameterCount } from '#larmor/networks/network.js';
import { createMask } from '#larmor/sampling/mask.js';
import { modelTraining, parseStudyConfig, testUndersampling } from '#larmor/studies/config.js';
import { drawMask } from '#larmor/training/measurement.js';

const examples = resolve(import.meta.dirname, '../../examples/studies/fastmri');

type Shift = 'anatomy' | 'dataset' | 'modality' | 'acceleration';
const raw = (shift: Shift): string => readFileSync(`${examples}/${shift}.json`, 'utf8');

/** The authors' lists and masks, counted: columns sampled in all, and [first, last] of those that are without gap. */
interface Facts {
  readonly files: number;
  readonly middle: number;
  readonly columns: number;
  readonly acquisition?: string;
  readonly lines: number;
  readonly centre: readonly [number, number];
}
const PD: Facts = { files: 188, middle: 2, columns: 372, acquisition: 'CORPD_FBK', lines: 94, centre: [170, 202] };
const FS: Facts = { ...PD, files: 183, acquisition: 'CORPDFS_FBK' };
const T2: Facts = { files: 310, middle: 1, columns: 396, acquisition: 'AXT2', lines: 99, centre: [182, 214] };
const T1: Facts = { files: 160, middle: 2, columns: 320, acquisition: 'AXT1PRE', lines: 83, centre: [144, 176] };
const STANFORD: Facts = { files: 14, middle: 22, columns: 320, lines: 83, centre: [144, 176] };
const PD2: Facts = { ...PD, lines: 186, centre: [152, 219] };

interface Paper {
  readonly P: Facts;
  readonly Q: Facts;
  /** Of U-Nets and VarNets. */
  readonly windows: readonly [number, number];
  /** How many files and slices of each are tested, and what of them is scored. */
  readonly tested: object;
  readonly crop?: readonly [number, number];
}
const paper: Readonly<Record<Shift, Paper>> = {
  anatomy: { P: PD, Q: T2, windows: [100, 100], tested: { atMost: 100, middle: 1 }, crop: [384, 384] },
  dataset: { P: FS, Q: STANFORD, windows: [20, 20], tested: { skip: 14, files: 4, middle: 22 } },
  modality: { P: T2, Q: T1, windows: [20, 100], tested: { atMost: 76, middle: 1 }, crop: [320, 320] },
  acceleration: { P: PD, Q: PD2, windows: [100, 100], tested: { atMost: 97, middle: 1 }, crop: [320, 320] },
};
const shifts = Object.keys(paper) as Shift[];

describe.each(shifts)("the paper's %s shift states", (shift) => {
  const study = parseStudyConfig(JSON.parse(raw(shift)));
  const { P, Q, windows, tested, crop } = paper[shift];

  test('its networks, losses and training', () => {
    expect(Object.keys(study.models).length).toBe(8);
    for (const net of ['U-Net', 'VarNet'])
      for (const domain of ['P', 'Q'])
        for (const kind of ['supervised', 'joint']) {
          const training = modelTraining(study, `${net} ${domain}-${kind}`, 1);
          expect(training).toMatchObject({
            loss: `${kind}-rss`,
            input: 'split-rss',
            batch: 1,
            optimiser: { learningRate: 1e-5, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
            schedule: 'constant',
            accumulate: 1,
          });
          expect([training.augmentation, training.clip, training.split]).toEqual([undefined, undefined, undefined]);
          expect(training.undersampling.fixed).toBe(true);
          const { kind: network, ...settings } = training.network;
          const parameters = parameterCount(createNetwork(network, settings));
          expect(parameters).toBe(net === 'U-Net' ? 31_024_386 : 29_452_068);
        }
    expect(study.training.epochs).toBe(300);
    expect(study.calibration).toEqual({}); // ESPIRiT as BART's, of the undersampled data
  });

  test('its adaptation', () => {
    for (const [i, [recipe, learningRate]] of (
      [
        ['paper U-Net', 1e-5],
        ['paper VarNet', 1e-4],
      ] as const
    ).entries()) {
      expect(adaptationSettings(study.recipes[recipe].adapt)).toMatchObject({
        input: 'split-rss',
        learningRate,
        maxIterations: 2500,
        warmUp: 0,
        heldOut: { kind: 'points', fraction: 0.05, replacement: true, removeFromInput: false },
        loss: { norm: 'l1', samples: 'all' },
        stop: { rule: 'window', window: windows[i] },
        keep: 'last',
        average: false,
        parameters: 'all',
      });
      expect(study.recipes[recipe].models).toEqual(
        ['P-supervised', 'P-joint', 'Q-supervised', 'Q-joint'].map((name) => `${recipe.slice(6)} ${name}`),
      );
    }
  });

  test('its data, and one mask for training and test', () => {
    for (const [domain, { files, middle, columns, acquisition, lines, centre }] of Object.entries({ P, Q })) {
      expect(study.domains[domain].training).toMatchObject({
        source: 'folder',
        files,
        middle,
        columns,
        ...(acquisition && { acquisition }),
      });
      const { data } = drawMask(modelTraining(study, `VarNet ${domain}-joint`, 1).undersampling, columns, [7, 3]);
      const [first, last] = centre;
      expect(data.reduce((sum, bit) => sum + bit)).toBe(lines);
      expect([...data.subarray(first - 1, last + 2)]).toEqual([0, ...Array(last + 1 - first).fill(1), 0]);
      if (domain !== 'Q') continue;
      const [{ masks, maskPerSlice, reference, crop: scored, data: source, ...each }] = study.tests;
      expect([masks.length, maskPerSlice, reference, scored]).toEqual([1, false, 'rss', crop]);
      expect(source).toMatchObject({ columns, ...(acquisition && { acquisition }), ...tested });
      const { type, acceleration, centerFraction } = testUndersampling(study, { ...study.tests[0], ...each });
      const mask = createMask({ type, acceleration, centerFraction, columns, seed: masks[0] });
      expect(mask.data).toEqual(data);
    }
    expect(study.tests.length).toBe(1);
  });
});
