// Zip archives: what torch.save writes is read, every trick is refused.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withInput } from '#larmor/io/input-file.js';
import { ZipArchive } from '#larmor/io/zip.js';
import { type ZipFile, zip } from '../support/pickles.js';

let path: string;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larmor-zip-'));
  path = join(folder, 'archive.zip');
});
afterEach(() => rm(folder, { recursive: true }));

/** The contents of every entry. */
async function readAll(bytes: Buffer): Promise<Record<string, string>> {
  await writeFile(path, bytes);
  return withInput(path, async (file, size) => {
    const archive = await ZipArchive.open(file, size, path);
    const entries = await Promise.all(
      archive.names.map(async (name) => [name, Buffer.from(await archive.read(name)).toString()]),
    );
    return Object.fromEntries(entries);
  });
}

const a: ZipFile = { name: 'x/a', data: Buffer.from('one') };
const b: ZipFile = { name: 'x/b', data: Buffer.from('') };

test('entries, with and without zip64', async () => {
  const want = { 'x/a': 'one', 'x/b': '' };
  expect(await readAll(zip([a, b]))).toEqual(want);
  expect(await readAll(zip([{ ...a, large: true }, b], { large: true }))).toEqual(want);
});

const patched = (change: (bytes: Buffer) => void): Buffer => {
  const bytes = zip([a, b]);
  change(bytes);
  return bytes;
};
const secondRecord = (bytes: Buffer): number => bytes.lastIndexOf(Buffer.from('PK\x01\x02'));
const squeezed = deflateRawSync(Buffer.alloc(1 << 20));

test.each<[string, RegExp, Buffer]>([
  ['nothing', /no directory/, Buffer.alloc(0)],
  ['a truncated file', /no directory/, zip([a, b]).subarray(0, -1)],
  ['an absolute path', /name "\/etc\/passwd"/, zip([{ ...a, name: '/etc/passwd' }])],
  ['a path out of the folder', /name "x\/\.\.\/\.\.\/a"/, zip([{ ...a, name: 'x/../../a' }])],
  ['a path of Windows', /name "x\\\\a"/, zip([{ ...a, name: 'x\\a' }])],
  ['a name cut by NUL', /name "x\/a\\u0000"/, zip([{ ...a, name: 'x/a\0' }])],
  ['one name twice', /"x\/a" twice/, zip([a, a])],
  ['a compressed entry', /"x\/a" is compressed/, zip([{ ...a, data: squeezed, method: 8, length: 1 << 20 }])],
  ['an encrypted entry', /"x\/a" is encrypted/, zip([{ ...a, flags: 1 }])],
  ['a length beyond what is stored', /"x\/a" of 4096 bytes is stored in 3/, zip([{ ...a, length: 4096 }])],
  ['an entry beyond the file', /reaches beyond the file/, zip([{ ...a, stored: 4096 }])],
  ['entries that overlap', /overlaps/, patched((bytes) => bytes.writeUInt32LE(10, secondRecord(bytes) + 42))],
  ['entries at one place', /overlaps/, patched((bytes) => bytes.writeUInt32LE(0, secondRecord(bytes) + 42))],
  ['another name at its place', /bears another name/, zip([{ ...a, localName: 'x/c' }])],
  ['fewer entries than stated', /entry 2 of its directory is broken/, zip([a, b], { count: 3 })],
  ['more entries than stated', /more than its entries/, zip([a, b], { count: 1 })],
  ['a billion entries', /lists 1000000000 entries/, zip([a], { large: true, count: 1_000_000_000 })],
  [
    'a directory beyond the file',
    /reaches beyond the file/,
    patched((bytes) => bytes.writeUInt32LE(1 << 20, bytes.length - 6)),
  ],
])('refuses %s', async (_, message, bytes) => {
  await expect(readAll(bytes)).rejects.toMatchObject({
    code: 'ERR_FILE_FORMAT',
    message: expect.stringMatching(message),
  });
});
