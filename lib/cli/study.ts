// `larmor study`: how models trained on one kind of data do on another, adapted and not, as a configuration file declares it.
import { basename, extname, join } from 'node:path';
import { writeFileAtomically } from '../io/atomic-write.js';
import { readStudyConfig } from '../studies/config.js';
import { outlineStudy } from '../studies/outline.js';
import { renderStudy } from '../studies/page.js';
import { makeFolder } from '../studies/store.js';
import { runStudy } from '../studies/study.js';
import { summarise } from '../studies/summary.js';
import { describeStudy } from '../studies/text.js';
import { EXIT } from './failures.js';
import { integer } from './options.js';
import type { Outcome, Register, Session } from './shell.js';
import { describeOutline } from './study-outline.js';

interface Flags {
  readonly output: string;
  readonly data: string;
  readonly parallel: number;
  readonly threads: number;
  readonly fresh?: boolean;
  readonly strict?: boolean;
  readonly dryRun?: boolean;
}

export const register: Register = (program, shell) => {
  program
    .command('study')
    .description('train, adapt and compare models across a distribution shift')
    .argument('<config>', 'JSON file: domains, models, recipes, tests, targets')
    .option('-o, --output <folder>', 'where models, results and the report are kept', 'studies')
    .option('--data <folder>', 'where the paths of the configuration begin', '.')
    .option('--parallel <n>', 'slices, or trainings, at the same time', integer({ min: 1, max: 256 }), 1)
    .option('--threads <n>', 'threads of each', integer({ min: 1, max: 256 }), 1)
    .option('--fresh', 'measure anew what is known; trained models are kept')
    .option('--strict', 'exit with 1 when a target is missed')
    .option('--dry-run', 'find every file, and print what would be done and how long it may take')
    .action((config: string, flags: Flags) => shell.run((session) => study(config, flags, session)));
};

async function study(path: string, flags: Flags, { signal, onProgress, note }: Session): Promise<Outcome> {
  const { data, output: folder, parallel, threads, fresh } = flags;
  const config = await readStudyConfig(path);
  if (flags.dryRun) {
    const outline = await outlineStudy(config, { data, threads, signal, onProgress });
    return { json: outline, text: describeOutline(outline) };
  }
  const begun = performance.now();
  const run = await runStudy(config, { data, folder, parallel, threads, fresh, signal, onProgress });
  const { trained, made, known } = run.work;
  note(`${trained} models trained, ${made} images made, ${known} known before`);
  const summary = summarise(config, run);
  const own = join(folder, basename(path, extname(path)));
  await makeFolder(own);
  const report = join(own, 'report.html');
  const json = { ...summary, report, seconds: (performance.now() - begun) / 1000, work: run.work };
  const text = describeStudy(summary);
  await writeFileAtomically(join(own, 'study.json'), `${JSON.stringify(json, null, 2)}\n`);
  await writeFileAtomically(join(own, 'study.md'), `${text}\n`);
  await writeFileAtomically(report, await renderStudy(config, run, summary, { signal, threads }));
  note(`report: ${report}`);
  return { json, text, exitCode: flags.strict && summary.targetsMissed > 0 ? EXIT.failed : EXIT.done };
}
