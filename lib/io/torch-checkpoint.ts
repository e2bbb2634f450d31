// Weights out of PyTorch checkpoints (`.pt`, `.pth`, Lightning's `.ckpt`): a zip archive of raw storages and one pickle, of which nothing
// is executed.
import type { FileHandle } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { points } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { readBytes, withInput } from './input-file.js';
import { unpickle } from './pickle/unpickle.js';
import { describeValue, PickleInstance } from './pickle/values.js';
import { ELEMENTS, type StoredTensor } from './safetensors.js';
import { type TorchStorage, TorchTensor, torchRules } from './torch-tensors.js';
import { ZipArchive } from './zip.js';

/** The weights of a checkpoint. */
export interface TorchCheckpoint {
  /** By the names that PyTorch gives them; C order. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Numbers, texts and switches that stand beside the weights: `epoch`, and the hyper-parameters by name. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

const MAX_PICKLE_BYTES = 64 * 2 ** 20;
/** How often over the tensors may share their storages. */
const MAX_SHARING = 8;
const COPY_TURN = 2 ** 20; // elements copied between turns of the event loop

/** Where checkpoints keep their weights; else they are the whole of it. */
const WEIGHTS = ['state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights'];
const FACTS = ['hyper_parameters', 'hparams', 'args', 'config'];

/**
 * Reads the weights of a checkpoint that `torch.save` wrote (PyTorch 1.6 or later): a state_dict, or a dict that holds one under
 * `state_dict`, `model` or the like. Only the storages of the weights are read: not those of an optimiser.
 *
 * The pickle inside is taken for data. It may name tensors, dicts, lists, texts and numbers; a call of anything else is refused by name.
 *
 * @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_FILE_FORMAT` when it is no such file, truncated, corrupt or hostile; `ERR_MODEL` when it
 *   holds no weights.
 */
export function readTorchCheckpoint(path: string): Promise<TorchCheckpoint> {
  return withInput(path, (file, bytes) => readFrom(file, bytes, path));
}

async function readFrom(file: FileHandle, size: number, path: string): Promise<TorchCheckpoint> {
  await expectZip(file, size, path);
  const archive = await ZipArchive.open(file, size, path);
  const root = await archiveRoot(archive, path);
  const pickle = `${root}data.pkl`;
  if ((archive.size(pickle) ?? 0) > MAX_PICKLE_BYTES)
    throw new LarmorError('ERR_FILE_FORMAT', `${path}: its pickle is larger than ${MAX_PICKLE_BYTES / 2 ** 20} MiB`);
  const content = await unpickle(await archive.read(pickle), torchRules(path), path);
  const tensors = weightsOf(content, path);
  expectModest(tensors, archive, root, path);
  const storages = new Map<string, ArrayBuffer>();
  const stored = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const { key } = tensor.storage;
    const bytes = storages.get(key) ?? (await archive.read(`${root}data/${key}`)).buffer;
    storages.set(key, bytes);
    stored.set(name, await materialise(tensor, bytes));
  }
  return { tensors: stored, facts: factsOf(content) };
}

async function expectZip(file: FileHandle, size: number, path: string): Promise<void> {
  const start = Buffer.from(await readBytes(file, 0, Math.min(size, 4)));
  if (start.toString('latin1') === 'PK\x03\x04') return;
  const legacy = start.length > 1 && start[0] === 0x80;
  const reason = legacy
    ? 'it is in the format that PyTorch wrote before 1.6; load it there and save it again: torch.save(torch.load(path), path)'
    : 'it is no file that torch.save wrote';
  throw new LarmorError('ERR_FILE_FORMAT', `${path} cannot be read as a checkpoint: ${reason}`);
}

/** The folder inside the archive that holds everything. */
async function archiveRoot(archive: ZipArchive, path: string): Promise<string> {
  const suffix = 'data.pkl';
  const pickles = archive.names.filter((name) => name === suffix || name.endsWith(`/${suffix}`));
  if (pickles.length !== 1)
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path}: a checkpoint holds one data.pkl, this archive ${pickles.length}`,
    );
  const root = pickles[0].slice(0, -suffix.length);
  if (archive.size(`${root}constants.pkl`) !== undefined)
    throw new LarmorError(
      'ERR_FILE_FORMAT',
      `${path} is a TorchScript program; save its weights alone: torch.save(module.state_dict(), path)`,
    );
  if (archive.size(`${root}byteorder`) !== undefined) {
    const order = Buffer.from(await archive.read(`${root}byteorder`)).toString();
    if (order !== 'little')
      throw new LarmorError('ERR_FILE_FORMAT', `${path}: its numbers must be little-endian, they are ${order}-endian`);
  }
  return root;
}

function weightsOf(content: unknown, path: string): Map<string, TorchTensor> {
  if (content instanceof PickleInstance) throw wholeModule(path, content);
  if (!(content instanceof Map))
    throw new LarmorError(
      'ERR_MODEL',
      `${path}: a checkpoint is a dict with weights, this is ${describeValue(content)}`,
    );
  for (const name of WEIGHTS) {
    const inner: unknown = content.get(name);
    if (inner instanceof PickleInstance && inner.items.size === 0) throw wholeModule(path, inner);
    const entries = inner instanceof PickleInstance ? inner.items : inner;
    if (entries instanceof Map && hasTensor(entries)) return tensorsOf(entries, path);
  }
  if (!hasTensor(content))
    throw new LarmorError(
      'ERR_MODEL',
      `${path} holds no weights: neither it nor one of ${WEIGHTS.join(', ')} in it is a dict of tensors`,
    );
  return tensorsOf(content, path);
}

function wholeModule(path: string, { className }: PickleInstance): LarmorError {
  return new LarmorError(
    'ERR_MODEL',
    `${path} holds a whole Python object of ${className}, not weights; save them alone: torch.save(model.state_dict(), path)`,
  );
}

const hasTensor = (dict: ReadonlyMap<unknown, unknown>): boolean =>
  [...dict.values()].some((value) => value instanceof TorchTensor);

const isPlain = (value: unknown): boolean => value === null || ['number', 'string', 'boolean'].includes(typeof value);

/** The tensors of a dict; plain data beside them are no weights, and anything else does not belong there. */
function tensorsOf(dict: ReadonlyMap<unknown, unknown>, path: string): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  for (const [name, value] of dict) {
    if (typeof name !== 'string') throw new LarmorError('ERR_FILE_FORMAT', `${path}: a weight without a name`);
    if (value instanceof TorchTensor) tensors.set(name, value);
    else if (!isPlain(value) && !(value instanceof Map))
      throw new LarmorError('ERR_FILE_FORMAT', `${path}: "${name}" among the weights is ${describeValue(value)}`);
  }
  return tensors;
}

const bytesPerElement = ({ dtype }: TorchStorage): number => ELEMENTS[dtype].BYTES_PER_ELEMENT;

/** Every storage is as long as it says, and the tensors do not multiply what the file holds. */
function expectModest(
  tensors: ReadonlyMap<string, TorchTensor>,
  archive: ZipArchive,
  root: string,
  path: string,
): void {
  const storages = new Map<string, number>();
  let total = 0;
  for (const [name, { storage, shape }] of tensors) {
    const bytes = storage.elements * bytesPerElement(storage);
    const found = archive.size(`${root}data/${storage.key}`);
    if (found !== bytes)
      throw new LarmorError(
        'ERR_FILE_FORMAT',
        `${path}: "${name}" needs a storage of ${bytes} bytes, the file holds ${found ?? 'none'}`,
      );
    storages.set(storage.key, bytes);
    total += points(shape) * bytesPerElement(storage);
  }
  const held = [...storages.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (total > MAX_SHARING * held)
    throw new LarmorError('ERR_FILE_FORMAT', `${path}: its tensors take ${total} bytes of storages of ${held} bytes`);
}

/** The tensor in C order: a view of its storage, or a copy where the elements lie otherwise. */
async function materialise(tensor: TorchTensor, bytes: ArrayBuffer): Promise<StoredTensor> {
  const { storage, offset, shape, strides } = tensor;
  const Elements = ELEMENTS[storage.dtype];
  const all = new Elements(bytes);
  const count = points(shape);
  if (tensor.contiguous)
    return { dtype: storage.dtype, shape, data: all.subarray(offset, offset + count) } as StoredTensor;
  const data = new Elements(count);
  const index = shape.map(() => 0);
  for (let i = 0, at = offset; i < count; i++) {
    data[i] = all[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
    if (i % COPY_TURN === COPY_TURN - 1) await nextTurn();
  }
  return { dtype: storage.dtype, shape, data } as StoredTensor;
}

/** Plain data at the top of the checkpoint and among its hyper-parameters. */
function factsOf(content: unknown): TorchCheckpoint['facts'] {
  const facts: [string, string | number | boolean][] = [];
  const collect = (dict: unknown): void => {
    if (!(dict instanceof Map)) return;
    for (const [name, value] of dict)
      if (typeof name === 'string' && value !== null && isPlain(value)) facts.push([name, value]);
  };
  collect(content);
  for (const name of FACTS) {
    const inner: unknown = content instanceof Map ? content.get(name) : undefined;
    collect(inner);
    if (inner instanceof PickleInstance) for (const part of [inner.items, inner.state]) collect(part);
  }
  return Object.fromEntries(facts);
}
