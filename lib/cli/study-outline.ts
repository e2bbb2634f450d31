// The outline of a study as text.
import type { ModelOutline, StudyOutline } from '../studies/outline.js';
import type { FileSlices, SourceOutline } from '../studies/outline-sources.js';
import { count, formatSeconds, table } from './text.js';

/** Every file with its slices, models, tests and times. */
export function describeOutline({ title, domains, models, producers, tests, seconds }: StudyOutline): string {
  const sources: string[] = domains.flatMap(({ name, training, validation }) => [
    described(`${name}, training`, training),
    ...(validation ? [described(`${name}, validation`, validation)] : []),
  ]);
  const testRows = tests.map(({ name, cases, images, seconds: time }) => [
    name,
    `${cases} cases`,
    `${images} images`,
    `${about(time)} at most`,
  ]);
  return [
    title,
    ...sources,
    ...tests.map(({ name, data }) => described(`test ${name}`, data)),
    table([['model', 'domain', 'network', 'parameters', 'loss', 'steps', 'time'], ...models.map(modelRow)]),
    `images by ${producers.join('; ')}`,
    table(testRows),
    `in all ${about(seconds)} at most, one thing after another; roughly, from a few steps on small images here and now`,
  ].join('\n\n');
}

function described(name: string, { slices, files, sizes }: SourceOutline): string {
  const kinds = sizes.map(({ shape: [coils, rows, columns], slices: n, lines }) => {
    const sampled = lines ? `, ${lines.sampled} of ${lines.columns} lines` : '';
    return `${sizes.length > 1 ? `${n} of ` : ''}${rows} x ${columns}, ${count(coils, 'coil')}${sampled}`;
  });
  const paths = new Set(files.map(({ path }) => path)).size;
  const from = paths > 0 ? ` of ${count(paths, 'file')}` : '';
  const lines = table(files.map(fileRow))
    .split('\n')
    .map((line) => `  ${line}`);
  return [`${name}: ${count(slices, 'slice')}${from}; ${kinds.join('; ')}`, ...(files.length > 0 ? lines : [])].join(
    '\n',
  );
}

function fileRow({ path, slices: [first, end] }: FileSlices): string[] {
  return [path, end - first === 1 ? `slice ${first}` : `slices ${first} to ${end - 1}`];
}

function modelRow({ name, domain, file, network, parameters, loss, epochs, steps, seconds }: ModelOutline): string[] {
  const work = epochs === undefined ? `${steps}` : `${steps} (${epochs} epochs)`;
  const trained = seconds === undefined ? [`read from ${file}`, '', ''] : [loss ?? '', work, about(seconds)];
  return [name, domain ?? '', network, String(parameters), ...trained];
}

/** Two digits at most: it is a guess. */
function about(seconds: number): string {
  const days = seconds / 86_400;
  return days < 2 ? formatSeconds(seconds) : `${days < 10 ? days.toPrecision(2) : Math.round(days)} days`;
}
