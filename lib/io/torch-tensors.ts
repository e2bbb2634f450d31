// The Python objects of a PyTorch checkpoint as plain data: tensors described by storage, shape and strides; dicts; a few scalars.
import { points, type Shape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { PickleRules } from './pickle/machine.js';
import { describeValue, PickleGlobal, PickleInstance, PickleTuple } from './pickle/values.js';
import type { StoredDtype } from './safetensors.js';

/** A block of numbers that tensors look into: an entry `data/KEY` of the archive. */
export interface TorchStorage {
  readonly key: string;
  readonly dtype: StoredDtype;
  readonly elements: number;
}

/** A tensor as PyTorch describes it: where its elements lie in a storage. Offset and strides count elements. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: Shape,
    readonly strides: readonly number[],
  ) {}

  /** Whether the elements lie in C order without gaps. */
  get contiguous(): boolean {
    let stride = 1;
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      if (this.shape[axis] !== 1 && this.strides[axis] !== stride) return false;
      stride *= this.shape[axis];
    }
    return true;
  }
}

/** A storage before a tensor looks into it. */
class StorageReference {
  constructor(readonly storage: TorchStorage) {}
}

const STORAGE_DTYPES: Readonly<Record<string, StoredDtype>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};

const MAX_RANK = 16;
const PATHS = ['PosixPath', 'WindowsPath', 'PurePosixPath', 'PureWindowsPath'];

const isNatural = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isNaturals = (list: readonly unknown[]): list is readonly number[] => list.every(isNatural);

/** What may be made of the Python objects in a checkpoint. @param who Names the file in messages. */
export function torchRules(who: string): PickleRules {
  const invalid = (what: string): LarmorError => new LarmorError('ERR_FILE_FORMAT', `${who}: ${what}`);

  const persistent = (id: unknown): StorageReference => {
    const [kind, type, key, , elements] = id instanceof PickleTuple ? id.items : [];
    if (kind !== 'storage' || typeof key !== 'string' || !/^\w+$/.test(key) || !isNatural(elements))
      throw invalid('a storage is not described as PyTorch does');
    const dtype = type instanceof PickleGlobal ? STORAGE_DTYPES[type.name] : undefined;
    if (!dtype)
      throw invalid(`a storage is ${describeValue(type)}; known are ${Object.keys(STORAGE_DTYPES).join(', ')}`);
    return new StorageReference({ key, dtype, elements });
  };

  const tensor = ([reference, offset, size, stride]: readonly unknown[]): TorchTensor => {
    const shape = size instanceof PickleTuple ? size.items : [];
    const strides = stride instanceof PickleTuple ? stride.items : [];
    const described = size instanceof PickleTuple && stride instanceof PickleTuple && shape.length === strides.length;
    if (!(reference instanceof StorageReference) || !described || shape.length > MAX_RANK)
      throw invalid('a tensor is not described as PyTorch does');
    if (!isNatural(offset) || !isNaturals(shape) || !isNaturals(strides))
      throw invalid('a tensor has a size, stride or offset that is no natural number');
    const { storage } = reference;
    const count = points(shape);
    const last = shape.reduce((at, n, axis) => at + (n - 1) * strides[axis], offset);
    // More elements than the storage: an expanded tensor, which could claim any amount of memory.
    if (count > storage.elements || (count > 0 && last >= storage.elements))
      throw invalid(`a tensor of shape [${shape}] reaches beyond its storage of ${storage.elements} elements`);
    return new TorchTensor(storage, offset, shape, strides);
  };

  const parameter = ([data]: readonly unknown[]): unknown => data;

  const dict = ([pairs = []]: readonly unknown[]): Map<unknown, unknown> => {
    const entries = Array.isArray(pairs) ? pairs.map((pair) => (pair instanceof PickleTuple ? pair.items : pair)) : [];
    return new Map(entries.filter((pair) => Array.isArray(pair)).map(([key, value]) => [key, value]));
  };

  const path = (parts: readonly unknown[]): string => parts.filter((part) => typeof part === 'string').join('/');

  /** `_codecs.encode(text, 'latin1')`: how protocol 2 writes bytes. */
  const encode = ([text]: readonly unknown[]): Uint8Array =>
    Buffer.from(typeof text === 'string' ? text : '', 'latin1');

  const numpy = ['numpy.core.multiarray', 'numpy._core.multiarray'].flatMap((module) => [
    [`${module}.scalar`, numpyScalar],
    [`${module}._reconstruct`, () => new PickleInstance('numpy.ndarray')],
  ]);

  return {
    persistent,
    constructors: {
      'torch._utils._rebuild_tensor_v2': tensor,
      'torch._utils._rebuild_parameter': parameter,
      'torch._utils._rebuild_parameter_with_state': parameter,
      'torch.Size': ([items]) => items,
      'torch.device': ([name]) => name,
      'collections.OrderedDict': dict,
      'collections.defaultdict': () => new Map(),
      'collections.Counter': () => new Map(),
      '_codecs.encode': encode,
      'numpy.dtype': ([name]) => new NumpyDtype(String(name)),
      ...Object.fromEntries(numpy),
      ...Object.fromEntries(PATHS.map((name) => [`pathlib.${name}`, path])),
      'builtins.set': ([items]) => new Set(Array.isArray(items) ? items : []),
      'builtins.bytearray': ([bytes]) => bytes,
    },
  };
}

class NumpyDtype extends PickleInstance {
  constructor(readonly code: string) {
    super('numpy.dtype');
  }
}

/** A NumPy number: those kinds that hyper-parameters come in; others are an instance without content. */
function numpyScalar([dtype, bytes]: readonly unknown[]): unknown {
  const opaque = new PickleInstance('numpy.generic');
  if (!(dtype instanceof NumpyDtype) || !(bytes instanceof Uint8Array)) return opaque;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const readers: Readonly<Partial<Record<string, [number, () => unknown]>>> = {
    f8: [8, () => view.getFloat64(0, true)],
    f4: [4, () => view.getFloat32(0, true)],
    i8: [8, () => Number(view.getBigInt64(0, true))],
    i4: [4, () => view.getInt32(0, true)],
    b1: [1, () => view.getUint8(0) !== 0],
  };
  const reader = readers[dtype.code];
  return reader && bytes.byteLength === reader[0] ? reader[1]() : opaque;
}
