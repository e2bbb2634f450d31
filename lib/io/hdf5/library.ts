// One open HDF5 file inside the worker thread: the only code, with acquisitions.ts, that calls the WebAssembly build of HDF5.
import * as h5wasm from 'h5wasm/node';
import { points, type Shape } from '../../arrays/complex-array.js';
import { LarmorError, type LarmorErrorCode } from '../../errors.js';
import { AcquisitionReader } from './acquisitions.js';
import { convertElements, elementType } from './element-type.js';
import { innermostReason, loadLibrary } from './printed.js';
import type { AttributeValue, Box, DatasetInfo, Hdf5Operations, Line, LineArray, ReadAs } from './protocol.js';

const { library, messages, takeMessages } = await loadLibrary();

/** The file of this worker. h5wasm's own readers build a JavaScript array per complex number, so bulk data go around them. */
export class Hdf5Library implements Hdf5Operations {
  #file: h5wasm.File | undefined;
  #writing = false;

  open(path: string): void {
    this.#openAs(path, 'r');
  }

  create(path: string): void {
    this.#openAs(path, 'w');
  }

  #openAs(path: string, mode: 'r' | 'w'): void {
    this.#writing = mode === 'w';
    const file = this.#guard('open the file', () => new h5wasm.File(path, mode));
    if (file.file_id < 0n) throw this.#failure('open the file');
    this.#file = file;
  }

  datasets(): DatasetInfo[] {
    return this.#guard('list the datasets', () => {
      const found: DatasetInfo[] = [];
      const add = (name: string, { metadata }: h5wasm.Dataset): void => {
        found.push({ name, shape: metadata.shape ?? [0], elements: elementType(metadata) });
      };
      for (const name of this.#open.keys()) {
        const entity = this.#open.get(name);
        if (entity instanceof h5wasm.Dataset) add(name, entity);
        if (!(entity instanceof h5wasm.Group)) continue;
        for (const inner of entity.keys()) {
          const nested = entity.get(inner);
          if (nested instanceof h5wasm.Dataset) add(`${name}/${inner}`, nested);
        }
      }
      return found;
    });
  }

  attributes(): Record<string, AttributeValue> {
    return this.#guard('read the attributes', () => {
      const found: Record<string, AttributeValue> = {};
      for (const name of library.get_attribute_names(this.#open.file_id, '/')) {
        try {
          const value = this.#open.get_attribute(name, true);
          if (value !== null) found[name] = value;
        } catch {
          // an element type h5wasm cannot express, such as float16
        }
      }
      return found;
    });
  }

  readText(name: string, maxBytes: number): string {
    return this.#guard(`read "${name}"`, () => {
      const dataset = this.#dataset(name);
      const { metadata } = dataset;
      if (elementType(metadata) !== 'text' || metadata.total_size !== 1)
        throw new LarmorError('ERR_FILE_FORMAT', `"${name}" must hold one text`);
      if (!metadata.vlen && metadata.size > maxBytes) throw this.#tooLong(name, maxBytes);
      const value = dataset.value;
      const text = String(Array.isArray(value) ? value[0] : value);
      if (Buffer.byteLength(text) > maxBytes) throw this.#tooLong(name, maxBytes);
      return text;
    });
  }

  #tooLong(name: string, maxBytes: number): LarmorError {
    return new LarmorError('ERR_FILE_FORMAT', `"${name}" is longer than the limit of ${maxBytes} bytes`);
  }

  read(name: string, box: Box, as: ReadAs): Float32Array<ArrayBuffer> {
    const { start, count } = box;
    return this.#guard(`read "${name}"`, () => {
      const { metadata } = this.#dataset(name);
      const bytes = this.#withMemory(metadata.size * points(count), (pointer, length) => {
        const { file_id: file } = this.#open;
        if (library.get_dataset_data(file, name, ...selection(start, count), BigInt(pointer)) < 0)
          throw this.#failure(`read "${name}"`);
        return library.HEAPU8.slice(pointer, pointer + length).buffer as ArrayBuffer;
      });
      const elements = convertElements(name, bytes, metadata, as);
      let bad = 0; // a loop, as findIndex takes ten times as long
      while (bad < elements.length && Number.isFinite(elements[bad])) bad += 1;
      if (bad < elements.length)
        throw new LarmorError('ERR_NOT_FINITE', `"${name}" holds ${elements[bad]} within the box at [${start}]`);
      return elements;
    });
  }

  support(name: string, box: Box): Uint8Array<ArrayBuffer> {
    const elements = this.read(name, box, 'complex64');
    const found = new Uint8Array(points(box.count.slice(-2)));
    for (let i = 0; i < elements.length; i += 2)
      if (elements[i] !== 0 || elements[i + 1] !== 0) found[(i / 2) % found.length] = 1;
    return found;
  }

  acquisitions(name: string): Float64Array<ArrayBuffer> {
    return this.#guard(`read "${name}"`, () => this.#acquisitionReader(name).headers());
  }

  gather(name: string, lines: readonly Line[], array: LineArray): Float32Array<ArrayBuffer> {
    return this.#guard(`read "${name}"`, () => this.#acquisitionReader(name).gather(lines, array));
  }

  #acquisitionReader(name: string): AcquisitionReader {
    const { metadata } = this.#dataset(name);
    if (elementType(metadata) !== 'acquisition')
      throw new LarmorError('ERR_FILE_FORMAT', `"${name}" must hold ISMRMRD acquisitions`);
    return new AcquisitionReader(library, this.#open.file_id, name, metadata);
  }

  createDataset(name: string, elements: 'complex64' | 'float32' | 'integer', shape: Shape, chunk: Shape): void {
    this.#guard(`create "${name}"`, () => {
      // Created empty and then extended, as creating it at full size would want all its data at once.
      const dataset = this.#open.create_dataset({
        name,
        data:
          elements === 'complex64' ? complexColumns() : elements === 'float32' ? new Float32Array() : new Uint8Array(),
        shape: shape.map(() => 0),
        maxshape: [...shape],
        chunks: [...chunk],
      });
      if (dataset === null || dataset.resize([...shape]) < 0) throw this.#failure(`create "${name}"`);
    });
  }

  write(name: string, { start, count }: Box, data: Float32Array | Uint8Array): void {
    this.#guard(`write "${name}"`, () => {
      this.#withMemory(data.byteLength, (pointer) => {
        library.HEAPU8.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), pointer);
        const { file_id: file } = this.#open;
        if (library.set_dataset_data(file, name, ...selection(start, count), BigInt(pointer)) < 0)
          throw this.#failure(`write "${name}"`);
      });
    });
  }

  writeText(name: string, text: string): void {
    this.#guard(`write "${name}"`, () => {
      if (this.#open.create_dataset({ name, data: text, dtype: 'S', shape: [] }) === null)
        throw this.#failure(`write "${name}"`);
    });
  }

  writeAttribute(name: string, value: string | number): void {
    this.#guard(`write attribute "${name}"`, () => {
      if (typeof value === 'string') this.#open.create_attribute(name, value, [], 'S');
      else this.#open.create_attribute(name, value, [], '<d');
    });
  }

  close(): number {
    const file = this.#file;
    this.#file = undefined;
    if (file)
      this.#guard('close the file', () => {
        if ((this.#writing && library.flush(file.file_id) < 0) || file.close() < 0)
          throw this.#failure('close the file');
      });
    return library.HEAPU8.length;
  }

  get #open(): h5wasm.File {
    if (!this.#file) throw new LarmorError('ERR_CLOSED', 'the file is closed');
    return this.#file;
  }

  #dataset(name: string): h5wasm.Dataset {
    const entity = this.#open.get(name);
    if (entity instanceof h5wasm.Dataset) return entity;
    throw new LarmorError('ERR_FILE_FORMAT', `there is no dataset "${name}"`);
  }

  /** Lends `bytes` of the library's memory to `use`. */
  #withMemory<T>(bytes: number, use: (pointer: number, bytes: number) => T): T {
    const pointer = bytes <= library.MAXIMUM_MEMORY ? library._malloc(bytes) : 0;
    if (pointer === 0) throw new LarmorError('ERR_OUT_OF_MEMORY', `no memory for ${bytes} bytes in one piece`);
    try {
      return use(pointer, bytes);
    } finally {
      library._free(pointer);
    }
  }

  #guard<T>(what: string, body: () => T): T {
    takeMessages();
    let result: T;
    try {
      result = body();
    } catch (error) {
      if (error instanceof LarmorError) throw error;
      throw this.#failure(what, error);
    }
    // Some of h5wasm's writers drop the status; the library's complaint then is the only sign.
    if (this.#writing && messages() !== '') throw this.#failure(what);
    return result;
  }

  #failure(what: string, error?: unknown): LarmorError {
    const printed = takeMessages();
    const reason = printed === '' && error instanceof Error ? error.message : innermostReason(printed);
    const code: LarmorErrorCode = this.#writing ? 'ERR_FILE_WRITE' : 'ERR_FILE_FORMAT';
    return new LarmorError(code, `cannot ${what}: ${reason}`, { cause: error });
  }
}

function selection(start: readonly number[], count: readonly number[]): [bigint[], bigint[], bigint[]] {
  return [count.map(BigInt), start.map(BigInt), count.map(() => 1n)];
}

/** No elements of h5py's complex64. */
function complexColumns(): Map<string, Float32Array> {
  return new Map([
    ['r', new Float32Array()],
    ['i', new Float32Array()],
  ]);
}
