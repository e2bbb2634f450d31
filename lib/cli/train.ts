// `larmor train`: trains a network as a configuration file says.
import { rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { LarmorError } from '../errors.js';
import { saveModel } from '../networks/model.js';
import { parameterCount } from '../networks/network.js';
import { writeTrainingReport } from '../report/training.js';
import { type Device, resolveDevice } from '../runtime/devices.js';
import type { Validation } from '../training/checkpoint.js';
import {
  examplesAhead,
  memoryBudget,
  prepareDataset,
  readTrainingConfig,
  runDigest,
  startingPoint,
  type TrainingConfig,
  trainingPlan,
} from '../training/config.js';
import { readMetrics } from '../training/metrics-log.js';
import type { TrainingProgress, TrainingResult, ValidationPicture } from '../training/plan.js';
import { train } from '../training/trainer.js';
import { device, integer } from './options.js';
import { expectOutput } from './output.js';
import type { Outcome, Register, Session } from './shell.js';

interface TrainCommand {
  readonly output?: string;
  readonly resume?: boolean;
  readonly threads?: number;
  readonly device: Device | 'auto';
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
    .option('--device <name>', 'where to train: auto, cpu, cuda, cuda:N or webgpu', device, 'auto')
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
  const { name: place, reason } = await resolveDevice(options.device, { who: 'train', task: 'networks' });
  const { signal } = session;
  const prepare = (part: typeof config.training, from: number, to: number): ReturnType<typeof prepareDataset> =>
    prepareDataset(config, part, {
      signal,
      threads: options.threads,
      memory,
      waiting: part === config.training ? examplesAhead(config) : 0,
      onProgress: (fraction) => session.onProgress(from + (to - from) * fraction, 'preparing slices'),
    });
  // Validation slices first: they are few and come back at every validation, so that they should stay in memory.
  const memory = memoryBudget(config);
  const validation = config.validation && (await prepare(config.validation, 0, 0.2 * PREPARATION));
  const training = await prepare(config.training, 0.2 * PREPARATION, PREPARATION);

  const save = (to: string, result: TrainingResult): Promise<void> =>
    saveModel(to, { network, weights: result.weights, input: config.input, notes: notesOf(config, result) });
  const metrics = `${output}.metrics.jsonl`;
  const report = async ({ step }: Pick<Validation, 'step'>, pictures: readonly ValidationPicture[]): Promise<void> => {
    const facts = [`${network.kind}, ${parameterCount(network)} parameters`, `step ${step} of ${config.steps}`];
    const rows = await readMetrics(metrics);
    await writeTrainingReport(`${output}.report`, { title: basename(output), facts, rows, step, pictures, config });
  };
  const begun = performance.now();
  const result = await train({
    network,
    weights,
    plan: trainingPlan(config),
    training,
    validation,
    checkpoint: { path: checkpoint, every: config.checkpointEvery, resume, run: runDigest(config) },
    metrics,
    prefetch: config.prefetch,
    pictures: config.pictures,
    onValidation: report,
    threads: options.threads,
    device: place,
    signal,
    onDiverged: async (kept) => {
      const path = output.replace(/(\.safetensors)?$/, '.best.safetensors');
      await save(path, kept);
      session.note(`training diverged; ${path} holds the best weights so far`);
    },
    onProgress: (progress) =>
      session.onProgress(PREPARATION + (1 - PREPARATION) * (progress.step / progress.steps), describe(progress)),
  });
  const best = bestOf(result);
  await save(output, result);
  if (!validation) await report({ step: result.steps }, []);
  await rm(checkpoint, { force: true });
  const seconds = (performance.now() - begun) / 1000;
  const { steps, stop, validations } = result;
  return {
    json: {
      output,
      network: network.kind,
      device: place,
      deviceReason: reason,
      parameters: parameterCount(network),
      steps,
      stop,
      seconds,
      best,
      validations,
    },
    text: [
      `${output}: ${network.kind}, ${parameterCount(network)} parameters, ${steps} steps`,
      ...(best ? [`best validation at step ${best.step}: loss ${best.loss.toFixed(4)}${similarity(best, 4)}`] : []),
    ].join('\n'),
  };
}

/** The validation with the lowest loss. */
function bestOf({ validations }: TrainingResult): Validation | undefined {
  return validations.reduce<Validation | undefined>(
    (lowest, each) => (lowest === undefined || each.loss < lowest.loss ? each : lowest),
    undefined,
  );
}

/** What a model file says of its training. */
function notesOf(config: TrainingConfig, result: TrainingResult): Record<string, string> {
  const best = bestOf(result);
  return {
    'training.config': JSON.stringify({ ...config, output: undefined, ...(config.start && { network: undefined }) }),
    'training.steps': String(result.steps),
    ...(best && { 'training.validation': JSON.stringify(best) }),
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The SSIM of a validation, where there was something to compare with. */
const similarity = ({ ssim }: Pick<Validation, 'ssim'>, digits: number): string =>
  ssim === undefined ? '' : `, SSIM ${ssim.toFixed(digits)}`;

function describe({ step, steps, loss, validation }: TrainingProgress): string {
  const judged = validation ? `, validation ${validation.loss.toFixed(4)}${similarity(validation, 3)}` : '';
  return `step ${step} of ${steps}, loss ${loss.toFixed(4)}${judged}`;
}
