// Low-rank adapters: beside every kernel of a network two small matrices whose product is added to it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { points, type Shape } from '../arrays/complex-array.js';
import { add, gemm, reshape } from '../graph/operations.js';
import type { Value } from '../graph/types.js';
import { imageNetworkOf, isImageNetwork } from './image-network.js';
import type { Network, ParameterSpec, Parameters } from './network.js';
import { chooses } from './parameter-choice.js';
import { ParameterStore } from './parameters.js';

/** A network whose kernels are W + B A, and what of it trains. */
export interface AdaptedNetwork {
  readonly network: Network;
  /** The given weights, with B = 0: the network computes what it did before. */
  readonly weights: ParameterStore;
  /** True for A, B, scales of normalisations, weights of data consistency, and the last layer, which are small. */
  readonly trains: (name: string) => boolean;
  /** Weights of the given network that do what these do: every kernel with its product added. */
  merge(adapted: ParameterStore): Promise<ParameterStore>;
}

/** A kernel as a matrix [rows, columns], rows being its first axis, and the rank of its adapter. */
interface Adapter {
  readonly kernel: ParameterSpec;
  readonly rows: number;
  readonly columns: number;
  readonly rank: number;
}

/** Draws A; any will do. */
const SEED = 1;
/** B is stored transposed, [rank, rows]: products of a transposed first factor give the same bits for any number of threads. */
const nameOfA = (kernel: string): string => `${kernel}.adapter.a`;
const nameOfB = (kernel: string): string => `${kernel}.adapter.b`;

/**
 * Adapters of a rank for every kernel but those of the last layer. B starts at zero, A uniform within 1 / sqrt(columns).
 *
 * Cost: that of training all kernels, whose gradients the small ones are made of; the optimiser works on the small ones alone.
 *
 * @param rank At least 1; a kernel whose matrix has a shorter side takes that.
 * @see Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022.
 */
export function withAdapters(network: Network, weights: ParameterStore, rank: number): AdaptedNetwork {
  const adapters = network.parameters.flatMap((spec) => adapterOf(spec, rank));
  const byName = new Map(adapters.map((adapter) => [adapter.kernel.name, adapter]));
  const small = adapters.flatMap(({ kernel, rows, columns, rank: r }): ParameterSpec[] => {
    const spec = (name: string, shape: Shape, initial: ParameterSpec['initial']): ParameterSpec => ({
      ...{ name, shape, initial },
      part: kernel.part,
    });
    return [
      spec(nameOfA(kernel.name), [r, columns], { bound: 1 / Math.sqrt(columns) }),
      spec(nameOfB(kernel.name), [r, rows], { value: 0 }),
    ];
  });
  const parameters = [...network.parameters, ...small];
  const adaptedWeights = ParameterStore.initialise(parameters, SEED);
  copyParameters(weights, adaptedWeights, network.parameters);

  const adapted =
    (parameter: Parameters): Parameters =>
    (name) => {
      const adapter = byName.get(name);
      return adapter
        ? adaptedKernel(parameter(name), parameter(nameOfA(name)), parameter(nameOfB(name)))
        : parameter(name);
    };
  const trained = new Set(
    [...small, ...network.parameters.filter((spec) => chooses('norm', spec))].map(({ name }) => name),
  );
  const reconstruct: Network['reconstruct'] = (inputs, from) => network.reconstruct(inputs, adapted(from));
  return {
    network: isImageNetwork(network)
      ? imageNetworkOf({ ...network, parameters, build: (input, from) => network.build(input, adapted(from)) })
      : { ...network, parameters, reconstruct },
    weights: adaptedWeights,
    trains: (name) => trained.has(name),
    async merge(from) {
      const merged = new ParameterStore(network.parameters);
      copyParameters(from, merged, network.parameters);
      for (const adapter of adapters) await addProduct(adapter, from, merged.get(adapter.kernel.name));
      return merged;
    },
  };
}

function adapterOf(kernel: ParameterSpec, rank: number): Adapter[] {
  if (kernel.shape.length < 2 || kernel.role === 'last') return [];
  const rows = kernel.shape[0];
  const columns = points(kernel.shape) / rows;
  return [{ kernel, rows, columns, rank: Math.min(rank, rows, columns) }];
}

function adaptedKernel(kernel: Value, a: Value, b: Value): Value {
  return add(kernel, reshape(gemm(b, a, { transposeA: true }), kernel.shape));
}

function copyParameters(from: ParameterStore, to: ParameterStore, specs: readonly ParameterSpec[]): void {
  for (const { name } of specs) to.get(name).set(from.get(name));
}

/** Products between which others get their turn. */
const AT_ONCE = 1 << 20;

/** kernel += B A, summed in double. */
async function addProduct(
  { kernel: { name }, rows, columns, rank }: Adapter,
  from: ParameterStore,
  kernel: Float32Array,
): Promise<void> {
  const [a, b] = [from.get(nameOfA(name)), from.get(nameOfB(name))];
  let made = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      for (let k = 0; k < rank; k += 1) sum += b[k * rows + row] * a[k * columns + column];
      kernel[row * columns + column] += sum;
    }
    made += rank * columns;
    if (made < AT_ONCE) continue;
    made = 0;
    await nextTurn();
  }
}
