// Models on disk: a network, its weights and where they come from, in one safetensors file.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RealArray } from '../arrays/complex-array.js';
import { LarmorError, naming } from '../errors.js';
import { float32Tensor, readSafetensors, type StoredTensor, writeSafetensors } from '../io/safetensors.js';
import { packageRoot } from '../package-root.js';
import { importModel, isForeign } from './import-model.js';
import { createNetwork, type Network } from './network.js';
import { INPUT_KINDS, type InputKind } from './network-input.js';
import { ParameterStore } from './parameters.js';

/** A network with weights. */
export interface Model {
  readonly network: Network;
  readonly weights: ParameterStore;
  /** What it was trained to see. */
  readonly input: InputKind;
  /** Free text by name: how it was trained, on what. */
  readonly notes: Readonly<Record<string, string>>;
}

const KIND = 'larmor.network';
const CONFIG = 'larmor.config';
const INPUT = 'larmor.input';
const BUNDLED = join(packageRoot, 'models');

/**
 * A model that ships with this package, by name, or one in a file, by path: a `.safetensors` file that `saveModel` wrote, or a PyTorch
 * checkpoint or an ONNX file as `importModel` takes it.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` when corrupt; `ERR_MODEL` when it is no model of larmor's or weights
 *   and network disagree; `ERR_GRAPH` for an ONNX operator that is not supported.
 * @example const { network, weights } = await loadModel('model.safetensors');
 */
export async function loadModel(nameOrPath: string): Promise<Model> {
  const path = modelPath(nameOrPath);
  if (isForeign(path)) return importModel(path);
  const file = await readSafetensors(path);
  const { [KIND]: kind, [CONFIG]: config, [INPUT]: input = 'sense', ...notes } = file.metadata;
  if (kind === undefined || config === undefined)
    throw new LarmorError(
      'ERR_MODEL',
      `${path}: holds tensors but does not say of which network (no "${KIND}" and "${CONFIG}" in its metadata)`,
    );
  let settings: unknown;
  try {
    settings = JSON.parse(config);
  } catch (cause) {
    throw new LarmorError('ERR_MODEL', `${path}: "${CONFIG}" in its metadata is not JSON`, { cause });
  }
  if (!isInputKind(input))
    throw new LarmorError(
      'ERR_MODEL',
      `${path}: "${INPUT}" must be one of ${INPUT_KINDS.join(', ')}, got ${JSON.stringify(input)}`,
    );
  return naming(path, () => {
    const network = createNetwork(kind, settings);
    const tensors = new Map<string, RealArray>();
    for (const name of file.tensors.keys()) tensors.set(name, float32Tensor(file, name));
    return { network, weights: ParameterStore.from(network.parameters, tensors), input, notes };
  });
}

const isInputKind = (name: string): name is InputKind => INPUT_KINDS.some((kind) => kind === name);

function modelPath(nameOrPath: string): string {
  if (existsSync(nameOrPath) || !/^[\w-]+$/.test(nameOrPath)) return nameOrPath;
  const bundled = join(BUNDLED, `${nameOrPath}.safetensors`);
  if (existsSync(bundled)) return bundled;
  throw new LarmorError(
    'ERR_FILE_NOT_FOUND',
    `${nameOrPath} is neither a bundled model (${bundledModels().join(', ')}) nor a file`,
  );
}

function bundledModels(): string[] {
  const suffix = '.safetensors';
  return readdirSync(BUNDLED).flatMap((file) => (file.endsWith(suffix) ? [file.slice(0, -suffix.length)] : []));
}

/** Writes a model, whole or not at all. Throws `ERR_FILE_WRITE`. */
export async function saveModel(path: string, { network, weights, input, notes }: Model): Promise<void> {
  await writeSafetensors(path, storedTensors(weights), {
    [KIND]: network.kind,
    [CONFIG]: JSON.stringify(network.config),
    [INPUT]: input,
    ...notes,
  });
}

/** The parameters as safetensors entries, each name after `prefix`. */
export function storedTensors(store: ParameterStore, prefix = ''): Map<string, StoredTensor> {
  return new Map(store.specs.map(({ name, shape }) => [prefix + name, { dtype: 'F32', shape, data: store.get(name) }]));
}
