// Images as PNG: grey magnitudes in a common window, errors through a colour map, several side by side.
import { PNG } from 'pngjs';
import type { RealArray } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';

/** 8-bit picture: one byte a pixel, or three (red, green, blue). */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** Black through violet and orange to pale yellow; brightness rises evenly, so it also reads in grey. */
const STOPS: readonly (readonly [number, number, number])[] = [
  [4, 3, 12],
  [40, 17, 82],
  [99, 24, 110],
  [161, 42, 101],
  [214, 76, 72],
  [243, 132, 48],
  [250, 193, 82],
  [253, 245, 191],
];

/** Colour of a value in 0..1 in the error map. */
export function errorColour(value: number): readonly [number, number, number] {
  const place = Math.min(1, Math.max(0, value)) * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(place));
  const mix = (channel: number): number =>
    Math.round(STOPS[i][channel] + (place - i) * (STOPS[i + 1][channel] - STOPS[i][channel]));
  return [mix(0), mix(1), mix(2)];
}

const ERROR_TABLE = Uint8Array.from(Array.from({ length: 256 }, (_, i) => errorColour(i / 255)).flat());

function expectImage(who: string, image: RealArray): { height: number; width: number } {
  const [height, width] = image.shape;
  if (image.shape.length !== 2 || !(height > 0 && width > 0) || image.data.length !== height * width)
    throw new LarmorError('ERR_SHAPE', `${who}: image must have shape [y, x], got [${image.shape.join(',')}]`);
  return { height, width };
}

const toByte = (value: number): number => Math.max(0, Math.min(255, Math.round(255 * value))) || 0;

/** Magnitudes 0..`white` as black to white. */
export function greyPicture(image: RealArray, white: number): Picture {
  const size = expectImage('greyPicture', image);
  return { ...size, channels: 1, data: Uint8Array.from(image.data, (value) => toByte(value / white)) };
}

/** |image - reference| from 0 to `limit` in the colours of `errorColour`. */
export function errorPicture(image: RealArray, reference: RealArray, limit: number): Picture {
  const { height, width } = expectImage('errorPicture', image);
  if (reference.shape[0] !== height || reference.shape[1] !== width)
    throw new LarmorError(
      'ERR_SHAPE',
      `errorPicture: reference must have shape [${image.shape.join(',')}], got [${reference.shape.join(',')}]`,
    );
  const data = new Uint8Array(3 * height * width);
  image.data.forEach((value, i) => {
    const colour = 3 * toByte(Math.abs(value - reference.data[i]) / limit);
    data.set(ERROR_TABLE.subarray(colour, colour + 3), 3 * i);
  });
  return { width, height, channels: 3, data };
}

/** Pictures in rows on black, each in a cell of the size of the largest; `undefined` leaves its cell empty. */
export function panel(rows: readonly (readonly (Picture | undefined)[])[], gap = 4): Picture {
  const all = rows.flat().filter((picture) => picture !== undefined);
  const cellWidth = Math.max(0, ...all.map(({ width }) => width));
  const cellHeight = Math.max(0, ...all.map(({ height }) => height));
  const columns = Math.max(0, ...rows.map((row) => row.length));
  if (cellWidth === 0) throw new LarmorError('ERR_ARGUMENT', 'panel: at least one picture is needed');
  const width = columns * (cellWidth + gap) - gap;
  const height = rows.length * (cellHeight + gap) - gap;
  const data = new Uint8Array(3 * width * height);
  rows.forEach((row, r) => {
    row.forEach((picture, c) => {
      if (!picture) return;
      const left = c * (cellWidth + gap) + ((cellWidth - picture.width) >> 1);
      const top = r * (cellHeight + gap) + ((cellHeight - picture.height) >> 1);
      for (let y = 0; y < picture.height; ++y)
        for (let x = 0; x < picture.width; ++x)
          for (let channel = 0; channel < 3; ++channel)
            data[3 * ((top + y) * width + left + x) + channel] =
              picture.data[(y * picture.width + x) * picture.channels + (picture.channels === 3 ? channel : 0)];
    });
  });
  return { width, height, channels: 3, data };
}

/** The picture as a PNG file: 8-bit grey or 8-bit RGB. */
export function encodePng({ width, height, channels, data }: Picture): Buffer {
  const png = new PNG({ width, height });
  png.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const colorType = channels === 1 ? 0 : 2;
  return PNG.sync.write(png, { colorType, inputColorType: colorType, inputHasAlpha: false });
}
