// The report of `larmor recon --report`: the result beside what it should be compared with.
import type { RealArray } from '../arrays/complex-array.js';
import { sliceAt } from '../arrays/slices.js';
import type { Scan } from '../io/scan.js';
import type { Metrics } from '../metrics/metrics.js';
import type { ReconstructionOptions } from '../reconstruction/options.js';
import { reconstruct } from '../reconstruction/reconstruct.js';
import type { Reconstruction } from '../reconstruction/result.js';
import { SETTING_NAMES } from '../reconstruction/settings.js';
import { type ReportImage, type ReportSlice, writeReport } from '../report/report.js';
import { formatSeconds } from './text.js';

/** A volume shown in every slice of the report. */
interface Shown {
  readonly name: string;
  readonly volume: RealArray;
  readonly metrics: readonly (Metrics | undefined)[];
}

const NAMES: Readonly<Record<string, string>> = {
  'zero-filled': 'Zero-filled',
  'cg-sense': 'CG-SENSE',
  grappa: 'GRAPPA',
  spirit: 'SPIRiT',
  unet: 'U-Net',
  varnet: 'VarNet',
};

const nameOf = (method: string): string => NAMES[method] ?? method;

/**
 * Writes `report.html` and its pictures into `folder`.
 *
 * Beside the result stand the simpler methods, and for an adapted network what it gave before: these are reconstructed for the report.
 *
 * @param onProgress Fraction done and the method at work.
 * @throws as `reconstruct` and `writeReport`.
 */
export async function writeReconReport(
  folder: string,
  scan: Scan,
  result: Reconstruction,
  options: ReconstructionOptions,
  onProgress: (fraction: number, detail: string) => void,
): Promise<string> {
  const { manifest } = result;
  const comparisons = comparisonsWith(manifest.method, options);
  const shown: Shown[] = [];
  for (const [position, { name, ...changes }] of comparisons.entries()) {
    const other = await reconstruct(scan, {
      ...options,
      ...changes,
      onProgress: ({ fraction }) => onProgress((position + fraction) / comparisons.length, `report: ${name}`),
    });
    shown.push(...volumesOf(name, other));
  }
  shown.push(...volumesOf(nameOf(manifest.method) + (options.adapt ? ', adapted' : ''), result));
  const slices = result.slices.map(
    ({ index, adaptation }, position): ReportSlice => ({
      index,
      adaptation,
      reference: result.reference && sliceAt(result.reference, position),
      images: shown.map(
        ({ name, volume, metrics }): ReportImage => ({
          name,
          image: sliceAt(volume, position),
          metrics: metrics[position],
        }),
      ),
    }),
  );
  const { sampling, input: source } = manifest;
  const facts = [
    source.name,
    sampling.source === 'full' ? 'fully sampled' : `${sampling.acceleration.toFixed(2)}x undersampled`,
    `${nameOf(manifest.method)} in ${formatSeconds(manifest.seconds)}`,
  ];
  return writeReport(folder, { title: `Reconstruction of ${source.name}`, facts, slices, manifest });
}

type Comparison = { readonly name: string } & Pick<ReconstructionOptions, 'method' | 'model' | 'adapt'>;

function comparisonsWith(method: string, { adapt }: ReconstructionOptions): Comparison[] {
  const simpler = ['zero-filled', 'cg-sense'].slice(0, method === 'zero-filled' ? 0 : method === 'cg-sense' ? 1 : 2);
  const defaults = Object.fromEntries(SETTING_NAMES.map((name) => [name, undefined])); // the settings are those of `method`
  const plain = simpler.map((name) => ({
    ...defaults,
    name: nameOf(name),
    method: name,
    model: undefined,
    adapt: false,
  }));
  return adapt ? [...plain, { name: nameOf(method), adapt: false }] : plain;
}

function volumesOf(name: string, { image, network, slices }: Reconstruction): Shown[] {
  const final = { name, volume: image, metrics: slices.map(({ metrics }) => metrics) };
  if (!network) return [final];
  const raw = { name: `${name}, network alone`, volume: network, metrics: slices.map((slice) => slice.networkMetrics) };
  return [raw, final];
}
