import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  encodeSafetensors,
  float32Tensor,
  readSafetensors,
  type StoredTensor,
  writeSafetensors,
} from '#larmor/io/safetensors.js';
import { describeShared, shared } from '../support/shared.js';

const folder = mkdtempSync(join(tmpdir(), 'larmor-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => join(folder, name);

const samples = new Map<string, StoredTensor>([
  ['flags', { dtype: 'BOOL', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ['weights', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, -2, 0.5, 4e30, 5, 6) }],
  ['steps', { dtype: 'I64', shape: [], data: BigInt64Array.of(-(2n ** 40n)) }],
  ['sums', { dtype: 'F64', shape: [2], data: Float64Array.of(Math.PI, -0) }],
  ['nothing', { dtype: 'I32', shape: [0, 7], data: new Int32Array(0) }],
]);

/** Writes a file with this header text and `dataBytes` zero bytes behind it. */
function craft(name: string, header: string, dataBytes: number): string {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  writeFileSync(file(name), Buffer.concat([length, Buffer.from(header), Buffer.alloc(dataBytes)]));
  return file(name);
}

describe('safetensors', () => {
  test('returns what was written, every tensor aligned', async () => {
    await writeSafetensors(file('a.safetensors'), samples, { note: 'größe' });
    const read = await readSafetensors(file('a.safetensors'));
    expect(read.metadata).toEqual({ note: 'größe' });
    expect(new Map([...read.tensors].sort())).toEqual(new Map([...samples].sort()));
    for (const { data } of read.tensors.values()) expect(data.byteOffset % data.BYTES_PER_ELEMENT).toBe(0);
    expect(readdirSync(folder)).toEqual(['a.safetensors']);
  });

  test('writes the documented bytes', () => {
    const one = new Map<string, StoredTensor>([['x', { dtype: 'F32', shape: [1], data: Float32Array.of(1) }]]);
    const bytes = Buffer.concat(
      encodeSafetensors(one).map((b) => new Uint8Array(b.buffer, b.byteOffset, b.byteLength)),
    );
    const header = '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}  ';
    expect(bytes.toString('latin1')).toBe(`${String.fromCharCode(header.length)}${'\0'.repeat(7)}${header}\0\0\x80?`);
  });

  test('reads a tensor that is not aligned', async () => {
    const path = craft(
      'odd.safetensors',
      '{"b":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}',
      9,
    );
    expect(float32Tensor(await readSafetensors(path), 'x')).toEqual({ shape: [2], data: new Float32Array(2) });
  });

  test('names a missing tensor and one of another dtype', async () => {
    await writeSafetensors(file('b.safetensors'), samples);
    const read = await readSafetensors(file('b.safetensors'));
    expect(() => float32Tensor(read, 'steps')).toThrow(/"steps" must be F32, got I64/);
    expect(() => float32Tensor(read, 'other')).toThrow(/got none of that name/);
  });

  test('rejects data that do not fill their shape', async () => {
    const wrong = new Map<string, StoredTensor>([['x', { dtype: 'F32', shape: [2], data: new Float32Array(3) }]]);
    await expect(writeSafetensors(file('c.safetensors'), wrong)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  });

  const entry = (offsets: string, shape = '[1]', dtype = 'F32'): string =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
  test.each([
    ['an empty file', '', /0 bytes cannot hold/],
    ['a header length beyond the file', Buffer.from('ffffffffffffff7f', 'hex'), /is said to take/],
    ['a header that is not JSON', '{"x":', /not JSON/],
    ['a header that is a list', '[1]', /not a JSON object/],
    ['metadata that are not strings', '{"__metadata__":{"a":1}}', /__metadata__/],
    ['an unknown dtype', `{"x":${entry('[0,4]', '[1]', 'F8')}}`, /dtype "F8"/],
    ['a dtype named like an object member', `{"x":${entry('[0,4]', '[1]', 'constructor')}}`, /dtype "constructor"/],
    ['a negative dimension', `{"x":${entry('[0,4]', '[-1]')}}`, /valid shape/],
    ['offsets that do not fit the shape', `{"x":${entry('[0,8]')}}`, /needs 4 bytes, its offsets span 8/],
    ['offsets beyond the safe integers', `{"x":${entry('[0,1e300]')}}`, /valid data_offsets/],
    ['an absurd shape', `{"x":${entry('[0,4]', '[1000000000,1000000000]')}}`, /needs 4000000000000000000 bytes/],
    ['overlapping tensors', `{"x":${entry('[0,4]')},"y":${entry('[0,4]')}}`, /"y" begins at byte 0, wanted 4/],
    ['a hole', `{"x":${entry('[4,8]')}}`, /begins at byte 4, wanted 0/],
    ['too few data', `{"x":${entry('[0,8]', '[2]')}}`, /take 8 bytes, the file holds 4/],
  ])('rejects %s with ERR_FILE_FORMAT', async (_, header, message) => {
    const path = file('bad.safetensors');
    if (typeof header === 'string' && header.length > 0) craft('bad.safetensors', header, 4);
    else writeFileSync(path, header);
    await expect(readSafetensors(path)).rejects.toMatchObject({
      code: 'ERR_FILE_FORMAT',
      message: expect.stringMatching(message),
    });
  });

  test('rejects every truncation of a valid file', async () => {
    await writeSafetensors(file('d.safetensors'), samples);
    const { size } = statSync(file('d.safetensors'));
    for (let bytes = size - 1; bytes >= 0; bytes -= 7) {
      truncateSync(file('d.safetensors'), bytes);
      await expect(readSafetensors(file('d.safetensors'))).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
    }
  });

  test('names a missing file and a folder', async () => {
    await expect(readSafetensors(file('none'))).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
    await expect(readSafetensors(folder)).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
  });
});

describe('atomic output', () => {
  test('leaves the old file and nothing else when the folder or the target cannot be written', async () => {
    await expect(writeSafetensors(file('no/such/x'), samples)).rejects.toMatchObject({ code: 'ERR_FILE_WRITE' });
    await expect(writeSafetensors('/dev/full', samples)).rejects.toMatchObject({
      code: 'ERR_FILE_WRITE',
      message: expect.stringMatching(/not a regular file/),
    });
    await expect(writeSafetensors(folder, samples)).rejects.toMatchObject({ code: 'ERR_FILE_WRITE' });
  });

  test('a file limit met half-way keeps the old content and removes the temporary file', () => {
    const target = file('limited');
    writeFileSync(target, 'old');
    const program = `
      import { writeFileAtomically } from '#larmor/io/atomic-write.js';
      process.on('SIGXFSZ', () => {});
      await writeFileAtomically(process.argv[1], [new Uint8Array(1 << 20)]).catch((e) => console.log(e.code, e.message));`;
    const output = execFileSync(
      'sh',
      ['-c', 'ulimit -f 64; exec "$0" --input-type=module -e "$1" "$2"', process.execPath, program, target],
      { encoding: 'utf8' },
    );
    expect(output).toMatch(/^ERR_FILE_WRITE .*size limit/);
    expect(statSync(target).size).toBe(3);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('the end of the process removes what was not committed', () => {
    const program = `
      import { AtomicFile } from '#larmor/io/atomic-write.js';
      await AtomicFile.create(process.argv[1]);
      process.exit(3);`;
    expect(() => execFileSync(process.execPath, ['--input-type=module', '-e', program, file('gone')])).toThrow();
    expect(readdirSync(folder).filter((name) => name.includes('gone'))).toEqual([]);
  });
});

describeShared('safetensors written by other software', () => {
  test('reads a fixture', async () => {
    const read = await readSafetensors(shared('fixtures/metrics.safetensors'));
    expect(read.tensors.size).toBeGreaterThan(0);
    for (const { data } of read.tensors.values())
      expect(Array.from(data as Float32Array).every(Number.isFinite)).toBe(true);
  });
});
