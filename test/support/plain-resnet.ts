// The ResNet of MoDL in plain loops and double precision.
import type { ParameterStore } from '#larmor/networks/parameters.js';

/** Images [channel], pixels in rows. */
export type Planes = readonly Float64Array[];

/** Correlation of planes with a kernel [to,planes,3,3], zero outside. */
function convolve(planes: Planes, kernel: Float32Array, width: number): Planes {
  const pixels = planes[0].length;
  const height = pixels / width;
  const to = kernel.length / (9 * planes.length);
  return Array.from({ length: to }, (_, o) => {
    const sum = new Float64Array(pixels);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let i = 0; i < planes.length; i++)
          for (let v = -1; v <= 1; v++)
            for (let u = -1; u <= 1; u++)
              if (y + v >= 0 && y + v < height && x + u >= 0 && x + u < width)
                sum[y * width + x] +=
                  kernel[((o * planes.length + i) * 3 + v + 1) * 3 + u + 1] * planes[i][(y + v) * width + x + u];
    return sum;
  });
}

const sum = (a: Planes, b: Planes, scale = 1): Planes =>
  a.map((plane, i) => plane.map((value, p) => value + scale * b[i][p]));

/** The network between two data consistencies: blocks of two convolutions each, which may share their kernel. */
export function resnet(
  input: Planes,
  weights: ParameterStore,
  { width, blocks, tied }: { width: number; blocks: number; tied: boolean },
): Planes {
  const filter = (planes: Planes, kernel: Float32Array): Planes => convolve(planes, kernel, width);
  const kernel = (name: string): Float32Array => weights.get(`regulariser.${name}.weight`);
  const first = filter(input, kernel('first'));
  let x = first;
  for (let block = 0; block < blocks; block++) {
    const [before, after] = tied ? [`blocks.${block}`, `blocks.${block}`] : [`blocks.${block}.0`, `blocks.${block}.1`];
    const hidden = filter(x, kernel(before)).map((plane) => plane.map((value) => Math.max(0, value)));
    x = sum(x, filter(hidden, kernel(after)), 0.1);
  }
  return filter(sum(filter(x, kernel('last')), first), kernel('output'));
}
