// Reports: their pictures pixel by pixel, and the page.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { RealArray } from '#larmor/arrays/complex-array.js';
import { encodePng, errorColour, errorPicture, greyPicture, panel } from '#larmor/report/picture.js';
import { type Report, type ReportSlice, writeReport } from '#larmor/report/report.js';

const folder = mkdtempSync(join(tmpdir(), 'larmor-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const image = (height: number, width: number, value: (i: number) => number): RealArray => ({
  data: Float32Array.from({ length: height * width }, (_, i) => value(i)),
  shape: [height, width],
});

/** Header and pixels of a PNG by the definition of the format: one IDAT stream, five row filters. */
function decodePng(file: Uint8Array): { width: number; height: number; channels: number; data: Uint8Array } {
  const bytes = Buffer.from(file);
  expect(bytes.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  const streams: Buffer[] = [];
  let header = bytes;
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') header = body;
    if (type === 'IDAT') streams.push(body);
    at += 12 + length;
  }
  const [width, height, depth, colour] = [header.readUInt32BE(0), header.readUInt32BE(4), header[8], header[9]];
  expect(depth).toBe(8);
  const channels = colour === 0 ? 1 : 3;
  expect(colour).toBe(channels === 1 ? 0 : 2);
  const raw = inflateSync(Buffer.concat(streams));
  const stride = width * channels;
  const data = new Uint8Array(stride * height);
  const at = (y: number, x: number): number => (y < 0 || x < 0 ? 0 : data[y * stride + x]);
  for (let y = 0; y < height; ++y) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; ++x) {
      const [a, b, c] = [at(y, x - channels), at(y - 1, x), x < channels ? 0 : at(y - 1, x - channels)];
      const p = a + b - c;
      const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      data[y * stride + x] = raw[y * (stride + 1) + 1 + x] + [0, a, b, (a + b) >> 1, paeth][filter];
    }
  }
  return { width, height, channels, data };
}

describe('pictures', () => {
  test('grey: 0 is black, white and above is 255, what is not a number is black', () => {
    const source = image(2, 3, (i) => [0, 1, 2, 4, -1, Number.NaN][i]);
    const decoded = decodePng(encodePng(greyPicture(source, 2)));
    expect(decoded).toEqual({ width: 3, height: 2, channels: 1, data: Uint8Array.of(0, 128, 255, 255, 0, 0) });
  });

  test('errors: magnitude of the difference in the colours of the scale', () => {
    const reference = image(1, 3, () => 1);
    const decoded = decodePng(
      encodePng(
        errorPicture(
          image(1, 3, (i) => [1, 0, 1.25][i]),
          reference,
          0.5,
        ),
      ),
    );
    const expected = [errorColour(0), errorColour(1), errorColour(128 / 255)].flat();
    expect(Array.from(decoded.data)).toEqual(expected);
  });

  test('the colour scale rises evenly in brightness', () => {
    const brightness = Array.from({ length: 65 }, (_, i) => {
      const [r, g, b] = errorColour(i / 64).map((c) => (c / 255) ** 2.2);
      return (0.2126 * r + 0.7152 * g + 0.0722 * b) ** (1 / 2.2);
    });
    for (let i = 1; i < 65; ++i) expect(brightness[i]).toBeGreaterThan(brightness[i - 1]);
    expect(brightness[0]).toBeLessThan(0.05);
    expect(brightness[64]).toBeGreaterThan(0.9);
  });

  test('panels put pictures side by side on black, centred in their cells', () => {
    const small = greyPicture(
      image(1, 1, () => 1),
      1,
    );
    const large = greyPicture(
      image(3, 3, () => 0.4),
      1,
    );
    const { width, height, data } = panel(
      [
        [small, large],
        [undefined, small],
      ],
      1,
    );
    expect([width, height]).toEqual([7, 7]);
    const red = (y: number, x: number): number => data[3 * (y * 7 + x)];
    expect([red(1, 1), red(0, 0), red(0, 4), red(2, 6), red(3, 4), red(5, 1), red(5, 5)]).toEqual([
      255, 0, 102, 102, 0, 0, 255,
    ]);
  });

  test.each([
    ['a volume', () => greyPicture({ data: new Float32Array(8), shape: [2, 2, 2] }, 1), 'ERR_SHAPE'],
    ['an error of another shape', () => errorPicture(image(2, 3, Number), image(3, 2, Number), 1), 'ERR_SHAPE'],
    ['an empty panel', () => panel([[]]), 'ERR_ARGUMENT'],
  ])('reject %s', (_, make, code) => {
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});

describe('writeReport', () => {
  const reference = image(12, 10, (i) => 1 + (i % 7));
  const shift = (by: number): RealArray => ({ data: reference.data.map((value) => value + by), shape: [12, 10] });
  const slice: ReportSlice = {
    index: 3,
    reference,
    images: [
      { name: 'Zero-filled', image: shift(0.5), metrics: { ssim: 0.6, psnr: 20, nmse: 0.1 } },
      { name: 'U-Net <script>alert(1)</script>', image: shift(0.1), metrics: { ssim: 0.8, psnr: 30, nmse: 0.01 } },
    ],
    adaptation: {
      verdict: 'adapted',
      iterations: 20,
      bestIteration: 10,
      curve: Array.from({ length: 21 }, (_, iteration) => ({ iteration, training: 1 / (1 + iteration), heldOut: 0.5 })),
    },
  };
  const report: Report = { title: 'A "scan" & <b>more</b>', slices: [slice], manifest: { seed: '</pre><script>' } };

  test('writes one page that needs nothing else, and the pictures', async () => {
    const path = await writeReport(join(folder, 'a/b'), report);
    const page = readFileSync(path, 'utf8');
    expect(page).not.toMatch(/<script|https?:|<b>more|src="(?!data:image\/png;base64,)/);
    expect(page).toContain('A &quot;scan&quot; &amp; &lt;b&gt;more&lt;/b&gt;');
    expect(page.match(/<img /g)?.length).toBe(5);
    expect(page).toContain('chosen: 10');
    expect(page).toMatch(/<td class="best">0\.8000<\/td>/);
    expect(readdirSync(join(folder, 'a/b')).sort()).toEqual([
      'report.html',
      'slice-003-reference.png',
      'slice-003-u-net-script-alert-1-script-error.png',
      'slice-003-u-net-script-alert-1-script.png',
      'slice-003-zero-filled-error.png',
      'slice-003-zero-filled.png',
      'slice-003.png',
    ]);
    const embedded = /src="data:image\/png;base64,([^"]+)" alt="Zero-filled"/.exec(page)?.[1] ?? '';
    const decoded = decodePng(Buffer.from(embedded, 'base64'));
    expect([decoded.width, decoded.height]).toEqual([10, 12]);
    // White is the 99.5th percentile of the reference, 7.
    expect(decoded.data[0]).toBe(Math.round((255 * 1.5) / 7));
  });

  test('without reference, metrics or adaptation there are images alone', async () => {
    const path = await writeReport(join(folder, 'plain'), {
      ...report,
      slices: [
        {
          index: 0,
          images: [
            { name: 'Ä', image: reference },
            { name: 'ä', image: reference },
          ],
        },
      ],
    });
    const page = readFileSync(path, 'utf8');
    expect(page).not.toContain('Against the reference');
    expect(page).not.toContain('<svg');
    expect(readdirSync(join(folder, 'plain')).sort()).toEqual([
      'report.html',
      'slice-000-image-2.png',
      'slice-000-image.png',
      'slice-000.png',
    ]);
  });

  test.each<[string, Partial<Report>, string]>([
    ['no slices', { slices: [] }, 'ERR_ARGUMENT'],
    ['a slice without images', { slices: [{ index: 0, images: [] }] }, 'ERR_ARGUMENT'],
    ['a reference of another shape', { slices: [{ ...slice, reference: image(5, 5, Number) }] }, 'ERR_SHAPE'],
  ])('rejects %s', async (_, change, code) => {
    await expect(writeReport(join(folder, 'bad'), { ...report, ...change })).rejects.toMatchObject({ code });
  });

  test('says so when the folder cannot be made', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(writeReport(join(folder, 'file'), report)).rejects.toMatchObject({ code: 'ERR_FILE_WRITE' });
  });
});
