// Makes and scores the images of one producer for the cases it is given.

import type { AdaptationSettings } from '../adaptation/options.js';
import type { AdaptationOutcome } from '../adaptation/outcome.js';
import { SliceAdapter } from '../adaptation/slice.js';
import { adaptJointly } from '../adaptation/volume.js';
import type { ComplexArray, RealArray } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import type { Model } from '../networks/model.js';
import { EncodingOperator } from '../operators/encoding.js';
import { PlainImager } from '../reconstruction/methods/imagers.js';
import { l1Wavelet } from '../solvers/l1-wavelet.js';
import { cgSense, dataConsistency } from '../solvers/sense.js';
import type { PreparedCase, Scores } from './case.js';
import type { StudyConfig } from './config.js';
import type { Producer, Variant } from './rows.js';

/** What stopping at another iteration would have given, and after how long, loading included. */
export interface Stop {
  readonly iterations: number;
  readonly seconds: number;
  readonly scores: Scores;
}

/** What a producer made of one case. */
export interface CaseResult {
  readonly scores: Readonly<Partial<Record<Variant, Scores>>>;
  /** Of making the image, with a slice's share of what was done for all of them together. */
  readonly seconds: number;
  readonly adaptation?: AdaptationOutcome | undefined;
  readonly stops?: readonly Stop[] | undefined;
}

/** A case of a study: its place, and how to measure it. */
export interface StudyCase {
  readonly test: number;
  readonly slice: number;
  /** Seed of its mask. */
  readonly mask: number;
  prepare(options: Pick<RunOptions, 'threads' | 'signal'>): Promise<PreparedCase>;
}

export interface ProduceOptions extends Pick<RunOptions, 'threads' | 'signal' | 'onProgress'> {
  readonly consistency: StudyConfig['consistency'];
  /** Called with each case's result as it comes. */
  readonly onResult: (position: number, result: CaseResult, images: ReadonlyMap<Variant, RealArray>) => Promise<void>;
}

/** A network, and how it adapts. */
export interface NetworkChoice {
  readonly model: Model;
  readonly settings?: AdaptationSettings | undefined;
  readonly oracleEvery?: number | undefined;
}

/** True where the result of a case depends on those before it. */
export function isChained(settings: AdaptationSettings | undefined): boolean {
  return settings !== undefined && (settings.start === 'previous-slice' || settings.volumeIterations > 0);
}

/** Classical methods. @throws as the solvers do; signal.reason when aborted. */
export async function produceClassical(
  producer: Exclude<Producer, { kind: 'network' }>,
  cases: readonly StudyCase[],
  options: ProduceOptions,
): Promise<void> {
  const { threads, signal } = options;
  for (const [position, each] of cases.entries()) {
    const ready = await each.prepare(options);
    const started = performance.now();
    const image = await classicalImage(producer, ready, { threads, signal });
    const seconds = (performance.now() - started) / 1000;
    await options.onResult(
      position,
      { scores: { raw: ready.score(image) }, seconds },
      new Map([['raw', ready.shown(image)]]),
    );
    options.onProgress?.((position + 1) / cases.length);
  }
}

async function classicalImage(
  producer: Exclude<Producer, { kind: 'network' }>,
  { kspace, maps, mask }: PreparedCase,
  options: RunOptions,
): Promise<ComplexArray> {
  switch (producer.kind) {
    case 'zero-filled':
      return new EncodingOperator({ maps, mask }).adjoint(kspace, options);
    case 'cg-sense':
      return (await cgSense(kspace, { maps, mask }, { ...options, lambda: producer.lambda })).x;
    case 'l1-wavelet':
      return (await l1Wavelet(kspace, { maps, mask }, { ...options, lambda: producer.lambda })).x;
  }
}

/** A network as it is, or adapted to every case. @throws as `SliceAdapter.adapt`; LarmorError `ERR_MODEL`; signal.reason when aborted. */
export async function produceNetwork(
  { model, settings, oracleEvery }: NetworkChoice,
  cases: readonly StudyCase[],
  options: ProduceOptions,
): Promise<void> {
  const { threads, signal, onProgress } = options;
  if (model.network.gives !== 'image')
    throw new LarmorError(
      'ERR_MODEL',
      `study: wants networks that give one image; a ${model.network.kind} gives coil images`,
    );
  if (settings === undefined) {
    await using imager = new PlainImager(model, 'cpu');
    for (const [position, each] of cases.entries()) {
      const ready = await each.prepare(options);
      const started = performance.now();
      const { image } = await imager.image(ready, { threads, signal });
      await report(options, position, ready, image, { seconds: (performance.now() - started) / 1000 });
      onProgress?.((position + 1) / cases.length);
    }
    return;
  }
  const measured = async (position: number): Promise<PreparedCase & { seed: number[] }> => ({
    ...(await cases[position].prepare(options)),
    seed: [cases[position].mask, cases[position].slice],
  });
  const begun = performance.now();
  const joint =
    settings.volumeIterations > 0
      ? await adaptJointly(model, settings, cases.length, measured, { threads, signal })
      : undefined;
  const shared = (performance.now() - begun) / 1000 / cases.length;
  await using adapter = new SliceAdapter(model, settings, { threads, joint });
  for (const position of cases.keys()) {
    const ready = await measured(position);
    const started = performance.now();
    const onStep = (step: number, most: number): void => onProgress?.((position + step / most) / cases.length);
    const { image, outcome } = await adapter.adapt(ready, { signal, onStep });
    const seconds = shared + (performance.now() - started) / 1000;
    const stops = oracleEvery && (await otherStops(model, settings, oracleEvery, ready, options));
    await report(options, position, ready, image, { seconds, adaptation: outcome, ...(stops && { stops }) });
  }
}

/** Scores an image and what data consistency makes of it, and hands both on. */
async function report(
  { consistency, onResult, threads, signal }: ProduceOptions,
  position: number,
  ready: PreparedCase,
  image: ComplexArray,
  rest: Omit<CaseResult, 'scores'>,
): Promise<void> {
  const { kspace, maps, mask } = ready;
  const consistent = (await dataConsistency(image, kspace, { maps, mask }, { ...consistency, threads, signal })).x;
  const raw = ready.score(image);
  const oracle = rest.stops
    ?.map(({ scores }) => scores)
    .reduce((best, each) => (each.ssim > best.ssim ? each : best), raw);
  const scores = { raw, consistent: ready.score(consistent), ...(oracle && { oracle }) };
  await onResult(
    position,
    { ...rest, scores },
    new Map([
      ['raw', ready.shown(image)],
      ['consistent', ready.shown(consistent)],
    ]),
  );
}

/** What the recipe gives after every so many iterations, without a rule that stops it. */
async function otherStops(
  model: Model,
  settings: AdaptationSettings,
  every: number,
  ready: PreparedCase & { seed: number[] },
  { threads, signal }: ProduceOptions,
): Promise<Stop[]> {
  const { maxIterations } = settings;
  const toTheEnd: AdaptationSettings = {
    ...settings,
    timeBudget: undefined,
    stop: { rule: 'patience', patience: maxIterations },
    keep: 'last',
  };
  const stops: Stop[] = [];
  const started = performance.now();
  let watching = 0;
  const show = (iterations: number, image: ComplexArray): void => {
    const now = performance.now();
    stops.push({ iterations, seconds: (now - started - watching) / 1000, scores: ready.score(image) });
    watching += performance.now() - now;
  };
  await using adapter = new SliceAdapter(model, toTheEnd, { threads });
  await adapter.adapt(ready, { signal, watch: { every, show } });
  return stops;
}
