// Models out of PyTorch checkpoints.
import { basename } from 'node:path';
import type { RealArray } from '../arrays/complex-array.js';
import { LarmorError, naming } from '../errors.js';
import { toFloat32 } from '../io/float-conversion.js';
import { readTorchCheckpoint } from '../io/torch-checkpoint.js';
import { recogniseLayout } from './fastmri-layout.js';
import type { Model } from './model.js';
import type { InputKind } from './network-input.js';
import { ParameterStore } from './parameters.js';

/** What a checkpoint does not say. */
export interface ImportOptions {
  /** What the network was trained to see. Default: sense. */
  readonly input?: InputKind | undefined;
}

/**
 * The model in a PyTorch checkpoint (`.pt`, `.pth`, Lightning's `.ckpt`). Sizes of the network come from the shapes of its weights.
 * Weights are kept to the bit; half precision widens exactly, double precision is rounded to single.
 *
 * Nothing in the file is executed: see `readTorchCheckpoint`.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` when corrupt or hostile; `ERR_MODEL` when the weights are of no known
 *   network, naming what is missing or left over and which shapes differ.
 * @example const model = await importCheckpoint('epoch=49.ckpt'); await saveModel('unet.safetensors', model);
 */
export async function importCheckpoint(path: string, { input = 'sense' }: ImportOptions = {}): Promise<Model> {
  const { tensors, facts } = await readTorchCheckpoint(path);
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
  const { network, prefix } = recogniseLayout(shapes, path);
  const weights = new Map<string, RealArray>();
  for (const { name } of network.parameters) {
    const tensor = tensors.get(prefix + name);
    const data = tensor && (await toFloat32(tensor));
    if (!tensor || !data)
      throw new LarmorError('ERR_MODEL', `${path}: "${prefix}${name}" must hold real numbers, got ${tensor?.dtype}`);
    weights.set(name, { data, shape: tensor.shape });
  }
  const notes = {
    imported: basename(path),
    ...(Object.keys(facts).length > 0 && { checkpoint: JSON.stringify(facts) }),
  };
  const store = await naming(path, () => ParameterStore.from(network.parameters, weights));
  return { network, weights: store, input, notes };
}
