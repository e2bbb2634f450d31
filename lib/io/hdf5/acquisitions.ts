// Reads ISMRMRD acquisitions inside the worker thread: compound records whose samples have any length.
import type { CompoundMember, Metadata, Module } from 'h5wasm/node';
import { LarmorError } from '../../errors.js';
import { HEADER_FIELDS, type HeaderField, type Line, type LineArray } from './protocol.js';

/** Memory for the records read at once, as far as their sizes are known beforehand. */
const BATCH_BYTES = 8 * 2 ** 20;
/** Records read at once before the size of any is known. */
const FIRST_BATCH = 16;
/** More acquisitions than any scan has: such a shape is corrupt or hostile. */
const MAX_ACQUISITIONS = 2 ** 22;

interface Field {
  readonly column: number;
  /** Within a record. */
  readonly offset: number;
  readonly read: (view: DataView, at: number) => number;
}

/**
 * The acquisitions of one dataset. The library returns samples of varying length in memory of its own and leaves it to the
 * caller to free them; its JavaScript readers do not, for compounds.
 */
export class AcquisitionReader {
  readonly #count: number;
  readonly #fields: readonly Field[];
  /** Where a record holds the length and the address of its samples. */
  readonly #samples: number;

  constructor(
    readonly library: typeof Module,
    readonly file: bigint,
    readonly name: string,
    readonly metadata: Metadata,
  ) {
    this.#count = metadata.total_size;
    if (metadata.shape?.length !== 1 || this.#count > MAX_ACQUISITIONS)
      throw new LarmorError(
        'ERR_FILE_FORMAT',
        `"${name}" must be a list of at most ${MAX_ACQUISITIONS} acquisitions, its shape is [${metadata.shape}]`,
      );
    this.#fields = HEADER_FIELDS.map((field, column) => this.#field(field, column));
    this.#samples = memberOf(name, metadata, 'data').offset;
  }

  #field(field: HeaderField, column: number): Field {
    const [stored, skipped] = field === 'flags_high' ? ['flags', 4] : [field, 0];
    const head = memberOf(this.name, this.metadata, 'head');
    const index = memberOf(this.name, head, 'idx');
    const inIndex = index.compound_type?.members.some((member) => member.name === stored);
    const { offset, type, size } = memberOf(this.name, inIndex ? index : head, stored);
    const at = head.offset + (inIndex ? index.offset : 0) + offset + skipped;
    if (field === 'sample_time_us' && type === 1 && size === 4)
      return { column, offset: at, read: (view, i) => view.getFloat32(i, true) };
    if (stored === 'flags' && type === 0 && size === 8)
      return { column, offset: at, read: (view, i) => view.getUint32(i, true) };
    if (type === 0 && size === 2) return { column, offset: at, read: (view, i) => view.getUint16(i, true) };
    throw new LarmorError('ERR_FILE_FORMAT', `"${this.name}" is no ISMRMRD 1 dataset: ${field} has another type`);
  }

  /** [acquisition, field]. The library has no way to leave the samples out, so everything is read, a batch at a time. */
  headers(): Float64Array<ArrayBuffer> {
    const width = HEADER_FIELDS.length;
    const table = new Float64Array(this.#count * width);
    let floats = 0;
    for (let first = 0; first < this.#count; ) {
      const mean = (4 * floats) / Math.max(1, first) + this.metadata.size;
      const batch = first === 0 ? FIRST_BATCH : Math.max(1, Math.floor(BATCH_BYTES / mean));
      const count = Math.min(batch, this.#count - first);
      this.#withRecords(first, count, (view, at) => {
        for (let i = 0; i < count; i += 1) {
          const record = at + i * this.metadata.size;
          for (const { column, offset, read } of this.#fields)
            table[(first + i) * width + column] = read(view, record + offset);
          floats += view.getUint32(record + this.#samples, true);
        }
      });
      first += count;
    }
    return table;
  }

  /** The sum of `lines` in an array of zeros. @throws LarmorError `ERR_FILE_FORMAT`; `ERR_NOT_FINITE`. */
  gather(lines: readonly Line[], array: LineArray): Float32Array<ArrayBuffer> {
    const { channels, samples, columns } = array;
    const sum = new Float32Array(2 * channels * samples * columns);
    const bytes = this.metadata.size + 8 * channels * samples;
    const most = Math.max(1, Math.floor(BATCH_BYTES / bytes));
    const ordered = [...lines].sort((a, b) => a.acquisition - b.acquisition);
    for (let done = 0; done < ordered.length; ) {
      const first = ordered[done].acquisition;
      let end = done + 1; // of neighbours in the file, which are read at once
      while (end < ordered.length && end - done < most && ordered[end].acquisition === first + end - done) end += 1;
      this.#withRecords(first, end - done, (view, at) => {
        for (let i = done; i < end; i += 1)
          this.#add(ordered[i], view, at + (i - done) * this.metadata.size, array, sum);
      });
      done = end;
    }
    return sum;
  }

  #add(line: Line, view: DataView, record: number, { channels, strides }: LineArray, sum: Float32Array): void {
    const { acquisition, column, from, count, to, reversed, weight } = line;
    const floats = view.getUint32(record + this.#samples, true);
    const length = floats / (2 * channels);
    if (!Number.isInteger(length) || from + count > length)
      throw new LarmorError(
        'ERR_FILE_FORMAT',
        `acquisition ${acquisition} holds ${floats} floats, too few for ${channels} channels of ${from + count} samples`,
      );
    const data = new Float32Array(view.buffer, view.getUint32(record + this.#samples + 4, true), floats);
    const step = reversed ? -1 : 1;
    for (let channel = 0; channel < channels; channel += 1) {
      let source = channel * length + (reversed ? length - 1 - from : from);
      let target = channel * strides.channel + to * strides.sample + column * strides.column;
      for (let i = 0; i < count; i += 1, source += step, target += strides.sample) {
        const re = data[2 * source];
        const im = data[2 * source + 1];
        if (!Number.isFinite(re) || !Number.isFinite(im))
          throw new LarmorError('ERR_NOT_FINITE', `acquisition ${acquisition} holds ${Number.isFinite(re) ? im : re}`);
        sum[2 * target] += weight * re;
        sum[2 * target + 1] += weight * im;
      }
    }
  }

  /** Reads records and lends them to `use`: all memory of the library, and where in it the records begin. */
  #withRecords(first: number, count: number, use: (view: DataView<ArrayBuffer>, at: number) => void): void {
    const { library, file, name } = this;
    const bytes = count * this.metadata.size;
    const pointer = library._malloc(bytes);
    if (pointer === 0) throw new LarmorError('ERR_OUT_OF_MEMORY', `no memory for ${bytes} bytes in one piece`);
    try {
      const selected = [BigInt(count)];
      if (library.get_dataset_data(file, name, selected, [BigInt(first)], [1n], BigInt(pointer)) < 0)
        throw new LarmorError('ERR_FILE_FORMAT', `acquisitions from ${first} on cannot be read: the file is damaged`);
      try {
        // Its memory moves as it grows, so the view is made after the reading.
        use(new DataView(library.HEAPU8.buffer as ArrayBuffer), pointer);
      } finally {
        library.reclaim_vlen_memory_count(file, name, '', BigInt(pointer), selected);
      }
    } finally {
      library._free(pointer);
    }
  }
}

function memberOf(dataset: string, { compound_type: compound }: Metadata, name: string): CompoundMember {
  const member = compound?.members.find((candidate) => candidate.name === name);
  if (member) return member;
  throw new LarmorError('ERR_FILE_FORMAT', `"${dataset}" is no ISMRMRD 1 dataset: its records have no ${name}`);
}
