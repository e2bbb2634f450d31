// The two graphs of a training session: forward (image and losses) and step (these and the gradients).
import type { Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { GraphBuilder } from '../graph/builder.js';
import { differentiate } from '../graph/differentiate.js';
import type { Graph, Value } from '../graph/types.js';
import { imageNetwork, type Network, type ParameterSpec } from '../networks/network.js';
import { buildLoss, type LossDescription } from './losses.js';

/** Sizes of what a session works on. */
export interface TrainingShapes {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  /** Needed by self-supervised losses. */
  readonly coils?: number | undefined;
  /** `lines`: masks are [batch, 1, width]; `points`: [batch, height, width]. Default: lines. */
  readonly mask?: 'lines' | 'points' | undefined;
}

/** Which parameters a session trains. */
export type Trainable = 'all' | 'decoder' | ((name: string) => boolean);

export interface TrainingGraphOptions {
  readonly network: Network;
  readonly loss: LossDescription;
  readonly shapes: TrainingShapes;
  readonly trainable?: Trainable | undefined;
}

export interface TrainingGraphs {
  /** Outputs `output`, `loss` and, with a self-supervised term, `heldOutLoss`. */
  readonly forward: Graph;
  /** The same and `gradient.NAME` of every trained parameter. */
  readonly step: Graph;
  readonly trained: readonly ParameterSpec[];
  /** Shapes of the data inputs, by name: `input` and what the loss needs of `target`, `maps`, `mask`, `heldOutMask`, `kspace`. */
  readonly dataShapes: Readonly<Record<string, Shape>>;
}

/** Name of the output that holds a parameter's gradient. */
export const gradientName = (parameter: string): string => `gradient.${parameter}`;

function trainedParameters({ parameters }: Network, trainable: Trainable): ParameterSpec[] {
  const chosen = parameters.filter(({ name, part }) => {
    if (typeof trainable === 'function') return trainable(name);
    return trainable === 'all' || part === trainable;
  });
  if (chosen.length === 0)
    throw new LarmorError('ERR_ARGUMENT', 'training: trainable must choose a parameter, chose none');
  return chosen;
}

/**
 * Builds both graphs. Parameters and data are inputs; a frozen parameter has no gradient nodes.
 *
 * @throws LarmorError `ERR_MODEL` for a network that works on k-space; `ERR_ARGUMENT` when nothing would be trained or the loss lacks its sizes; `ERR_SHAPE`.
 */
export function buildTrainingGraphs(options: TrainingGraphOptions): TrainingGraphs {
  const trained = trainedParameters(options.network, options.trainable ?? 'all');
  const forward = buildForward(options);
  const step = buildForward(options);
  const wanted = trained.map(({ name }) => step.parameters.get(name) as Value);
  differentiate(step.loss, wanted).forEach((gradient, i) => {
    step.graph.output(gradientName(trained[i].name), gradient);
  });
  return { forward: forward.graph, step: step.graph, trained, dataShapes: forward.dataShapes };
}

function buildForward({ network: given, loss: description, shapes }: TrainingGraphOptions): {
  graph: GraphBuilder;
  parameters: ReadonlyMap<string, Value>;
  loss: Value;
  dataShapes: Record<string, Shape>;
} {
  const network = imageNetwork('training', given);
  const { batch, height, width, coils, mask = 'lines' } = shapes;
  const graph = new GraphBuilder();
  const dataShapes: Record<string, Shape> = {};
  const data = (name: string, shape: Shape): Value => {
    dataShapes[name] = shape;
    return graph.input(name, shape);
  };
  const measured = (): Shape => {
    if (coils === undefined)
      throw new LarmorError('ERR_ARGUMENT', 'training: shapes.coils must be given for a self-supervised loss');
    return [batch, coils, height, width, 2];
  };
  const maskShape = mask === 'lines' ? [batch, 1, width] : [batch, height, width];
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const input = data('input', [batch, network.inChannels, height, width]);
  const output = network.build(input, (name) => parameters.get(name) as Value);
  const { loss, heldOutLoss } = buildLoss(description, output, {
    target: (channels) => data('target', [batch, channels, height, width]),
    maps: () => data('maps', measured()),
    mask: () => data('mask', maskShape),
    heldOutMask: () => data('heldOutMask', maskShape),
    kspace: () => data('kspace', measured()),
  });
  graph.output('output', output);
  graph.output('loss', loss);
  if (heldOutLoss) graph.output('heldOutLoss', heldOutLoss);
  return { graph, parameters, loss, dataShapes };
}
