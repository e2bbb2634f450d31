// `larmor train`: trains a network as a configuration file says.
import { rm, stat } from 'node:fs/promises';
import { LarmorError } from '../errors.js';
import { saveModel } from '../networks/model.js';
import { parameterCount } from '../networks/network.js';
import { prepareDataset, readTrainingConfig, runDigest, startingPoint, trainingPlan } from '../training/config.js';
import { type TrainingProgress, train } from '../training/trainer.js';
import { integer } from './options.js';
import { expectOutput } from './output.js';
import type { Outcome, Register, Session } from './shell.js';

interface TrainCommand {
  readonly output?: string;
  readonly resume?: boolean;
  readonly threads?: number;
}

/** Share of the progress bar for reading and calibrating the data. */
const PREPARATION = 0.1;

export const register: Register = (program, shell) => {
  program
    .command('train')
    .description('train a network as a configuration file says')
    .argument('<config>', 'JSON file: network, data, loss, schedule')
    .option('-o, --output <file>', 'model to write (default: "output" of the configuration)')
    .option('--resume', 'go on from the checkpoint beside the output')
    .option('--threads <n>', 'threads to use', integer({ min: 1, max: 256 }))
    .action((config: string, options: TrainCommand) => shell.run((session) => trainModel(config, options, session)));
};

async function trainModel(path: string, options: TrainCommand, session: Session): Promise<Outcome> {
  const config = await readTrainingConfig(path);
  const output = options.output ?? config.output;
  if (output === undefined)
    throw new LarmorError('ERR_ARGUMENT', `train: ${path} names no "output"; name the model to write with -o`);
  await expectOutput(output, path);
  const checkpoint = `${output}.checkpoint`;
  const resume = options.resume === true && (await exists(checkpoint));
  if (options.resume && !resume) session.note(`no checkpoint at ${checkpoint}: starting anew`);

  const { network, weights } = await startingPoint(config);
  const { signal } = session;
  const prepare = (part: typeof config.training, from: number, to: number): ReturnType<typeof prepareDataset> =>
    prepareDataset(config, part, {
      signal,
      threads: options.threads,
      onProgress: (fraction) => session.onProgress(from + (to - from) * fraction, 'preparing slices'),
    });
  const training = await prepare(config.training, 0, 0.8 * PREPARATION);
  const validation = config.validation && (await prepare(config.validation, 0.8 * PREPARATION, PREPARATION));

  const begun = performance.now();
  const result = await train({
    network,
    weights,
    plan: trainingPlan(config),
    training,
    validation,
    checkpoint: { path: checkpoint, every: config.checkpointEvery, resume, run: runDigest(config) },
    threads: options.threads,
    signal,
    onProgress: (progress) =>
      session.onProgress(PREPARATION + (1 - PREPARATION) * (progress.step / progress.steps), describe(progress)),
  });
  const best = result.validations.reduce<(typeof result.validations)[number] | undefined>(
    (lowest, each) => (lowest === undefined || each.loss < lowest.loss ? each : lowest),
    undefined,
  );
  const notes = {
    'training.config': JSON.stringify({ ...config, output: undefined, ...(config.start && { network: undefined }) }),
    'training.steps': String(result.steps),
    ...(best && { 'training.validation': JSON.stringify(best) }),
  };
  await saveModel(output, { network, weights: result.weights, input: config.input, notes });
  await rm(checkpoint, { force: true });
  const seconds = (performance.now() - begun) / 1000;
  const { steps, stop, validations } = result;
  return {
    json: {
      output,
      network: network.kind,
      parameters: parameterCount(network),
      steps,
      stop,
      seconds,
      best,
      validations,
    },
    text: [
      `${output}: ${network.kind}, ${parameterCount(network)} parameters, ${steps} steps`,
      ...(best
        ? [`best validation at step ${best.step}: loss ${best.loss.toFixed(4)}, SSIM ${best.ssim.toFixed(4)}`]
        : []),
    ].join('\n'),
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function describe({ step, steps, loss, validation }: TrainingProgress): string {
  const judged = validation ? `, validation ${validation.loss.toFixed(4)}, SSIM ${validation.ssim.toFixed(3)}` : '';
  return `step ${step} of ${steps}, loss ${loss.toFixed(4)}${judged}`;
}
