// The two graphs of a training session: forward (image and losses) and step (these and the gradients).
import type { Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { GraphBuilder } from '../graph/builder.js';
import { differentiate } from '../graph/differentiate.js';
import type { Graph, Value } from '../graph/types.js';
import { GraphInputs, type MeasurementShapes } from '../networks/graph-inputs.js';
import type { Network, ParameterSpec, Reconstruct } from '../networks/network.js';
import { chooses, type ParameterChoice } from '../networks/parameter-choice.js';
import { buildLoss, type LossDescription, withoutPenalties } from './losses.js';

/** Which parameters a session trains. */
export type Trainable = ParameterChoice | ((name: string) => boolean);

export interface TrainingGraphOptions {
  readonly network: Network;
  readonly loss: LossDescription;
  readonly shapes: MeasurementShapes;
  readonly trainable?: Trainable | undefined;
  /**
   * Keep what the stages of an unrolled network (its unrolls or cascades) give each other, and compute the rest again on the way back:
   * the memory of one stage for the time of a second forward pass. The same numbers, to rounding. Default: false.
   */
  readonly recompute?: boolean | undefined;
}

export interface TrainingGraphs {
  /** Outputs `output`, `loss` without penalties and, with a self-supervised term, `heldOutLoss`. */
  readonly forward: Graph;
  /** The same and `gradient.NAME` of every trained parameter. */
  readonly step: Graph;
  readonly trained: readonly ParameterSpec[];
  /**
   * Shapes of the data inputs, by name: what the network needs of `image`, `maps`, `mask`, `kspace`, `calibrationMask` and what the loss
   * needs of `target`, `targetMagnitude`, `targetRss`, `targetMagnitudeRange`, `targetRssRange`, `targetKspace`, `lossMask`, `heldOutMask`,
   * `maps`, `kspace`, `moveY`, `moveX`.
   */
  readonly dataShapes: Readonly<Record<string, Shape>>;
}

/** Name of the output that holds a parameter's gradient. */
export const gradientName = (parameter: string): string => `gradient.${parameter}`;

/** The parameters that `trainable` chooses. @throws LarmorError `ERR_ARGUMENT` when there are none. */
export function trainedParameters({ parameters }: Network, trainable: Trainable = 'all'): ParameterSpec[] {
  const chosen = parameters.filter((spec) =>
    typeof trainable === 'function' ? trainable(spec.name) : chooses(trainable, spec),
  );
  if (chosen.length === 0)
    throw new LarmorError('ERR_ARGUMENT', 'training: trainable must choose a parameter, chose none');
  return chosen;
}

/**
 * Builds both graphs. Parameters and data are inputs; a frozen parameter has no gradient nodes.
 *
 * @throws LarmorError `ERR_ARGUMENT` when nothing would be trained, the number of coils is missing or the loss asks what the network does
 *   not make; `ERR_SHAPE`.
 */
export function buildTrainingGraphs(options: TrainingGraphOptions): TrainingGraphs {
  const trained = trainedParameters(options.network, options.trainable);
  const forward = buildForward({ ...options, loss: withoutPenalties(options.loss) });
  const step = buildForward(options);
  const wanted = trained.map(({ name }) => step.parameters.get(name) as Value);
  differentiate(step.loss, wanted, { recompute: options.recompute }).forEach((gradient, i) => {
    step.graph.output(gradientName(trained[i].name), gradient);
  });
  return { forward: forward.graph, step: step.graph, trained, dataShapes: step.dataShapes };
}

function buildForward({ network, loss: description, shapes }: TrainingGraphOptions): {
  graph: GraphBuilder;
  parameters: ReadonlyMap<string, Value>;
  loss: Value;
  dataShapes: Readonly<Record<string, Shape>>;
} {
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const inputs = new GraphInputs(graph, network, shapes);
  const reconstruct: Reconstruct = (from) => network.reconstruct(from, (name) => parameters.get(name) as Value);
  const prediction = reconstruct(inputs);
  const { loss, heldOutLoss } = buildLoss(description, prediction, inputs, reconstruct);
  graph.output('output', prediction.coils?.images ?? prediction.image);
  graph.output('loss', loss);
  if (heldOutLoss) graph.output('heldOutLoss', heldOutLoss);
  return { graph, parameters, loss, dataShapes: inputs.shapes };
}
