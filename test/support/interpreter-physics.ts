// The physics operators in double precision, by direct summation of the centred unitary DFT.
import { type Rule, type Tensor, tensor } from './tensor.js';

/** Centred unitary DFT of one interleaved [height, width] image; `sign` -1 forward, +1 inverse. */
function dft2(image: Float64Array, height: number, width: number, sign: 1 | -1): Float64Array {
  const along = (data: Float64Array, n: number, stride: number, starts: number[]): Float64Array => {
    const result = new Float64Array(data.length);
    for (const start of starts)
      for (let k = 0; k < n; k++)
        for (let j = 0; j < n; j++) {
          const angle = (sign * 2 * Math.PI * (k - Math.floor(n / 2)) * (j - Math.floor(n / 2))) / n;
          const [c, s] = [Math.cos(angle) / Math.sqrt(n), Math.sin(angle) / Math.sqrt(n)];
          const from = 2 * (start + j * stride);
          const to = 2 * (start + k * stride);
          result[to] += c * data[from] - s * data[from + 1];
          result[to + 1] += s * data[from] + c * data[from + 1];
        }
    return result;
  };
  const rows = along(
    image,
    width,
    1,
    Array.from({ length: height }, (_, y) => y * width),
  );
  return along(
    rows,
    height,
    width,
    Array.from({ length: width }, (_, x) => x),
  );
}

/** Whether sample (y, x) of batch entry b counts. */
function sampled(mask: Tensor, b: number, y: number, x: number): number {
  const [, rows, width] = mask.shape;
  return mask.data[(b * rows + (rows === 1 ? 0 : y)) * width + x];
}

function encode(image: Tensor, maps: Tensor, mask: Tensor): Tensor {
  const [n, coils, height, width] = maps.shape;
  const count = height * width;
  const result = tensor(maps.shape);
  for (let b = 0; b < n; b++)
    for (let c = 0; c < coils; c++) {
      const base = 2 * count * (b * coils + c);
      const weighted = new Float64Array(2 * count);
      for (let i = 0; i < count; i++) {
        const [re, im] = [image.data[2 * b * count + i], image.data[(2 * b + 1) * count + i]];
        const [sre, sim] = [maps.data[base + 2 * i], maps.data[base + 2 * i + 1]];
        weighted[2 * i] = sre * re - sim * im;
        weighted[2 * i + 1] = sre * im + sim * re;
      }
      const kspace = dft2(weighted, height, width, -1);
      for (let i = 0; i < count; i++) {
        const weight = sampled(mask, b, Math.floor(i / width), i % width);
        result.data[base + 2 * i] = weight * kspace[2 * i];
        result.data[base + 2 * i + 1] = weight * kspace[2 * i + 1];
      }
    }
  return result;
}

function adjoint(kspace: Tensor, maps: Tensor, mask: Tensor): Tensor {
  const [n, coils, height, width] = maps.shape;
  const count = height * width;
  const result = tensor([n, 2, height, width]);
  for (let b = 0; b < n; b++)
    for (let c = 0; c < coils; c++) {
      const base = 2 * count * (b * coils + c);
      const masked = kspace.data.slice(base, base + 2 * count);
      for (let i = 0; i < count; i++) {
        const weight = sampled(mask, b, Math.floor(i / width), i % width);
        masked[2 * i] *= weight;
        masked[2 * i + 1] *= weight;
      }
      const image = dft2(masked, height, width, 1);
      for (let i = 0; i < count; i++) {
        const [re, im] = [image[2 * i], image[2 * i + 1]];
        const [sre, sim] = [maps.data[base + 2 * i], maps.data[base + 2 * i + 1]];
        result.data[2 * b * count + i] += sre * re + sim * im;
        result.data[(2 * b + 1) * count + i] += sre * im - sim * re;
      }
    }
  return result;
}

/** conj(image) F^H M kspace of every coil. */
function mapsGradient(image: Tensor, kspace: Tensor, mask: Tensor): Tensor {
  const [n, coils, height, width] = kspace.shape;
  const count = height * width;
  const result = tensor(kspace.shape);
  for (let b = 0; b < n; b++)
    for (let c = 0; c < coils; c++) {
      const base = 2 * count * (b * coils + c);
      const masked = kspace.data.slice(base, base + 2 * count);
      for (let i = 0; i < 2 * count; i++) {
        const point = Math.floor(i / 2);
        masked[i] *= sampled(mask, b, Math.floor(point / width), point % width);
      }
      const z = dft2(masked, height, width, 1);
      for (let i = 0; i < count; i++) {
        const [re, im] = [image.data[2 * b * count + i], image.data[(2 * b + 1) * count + i]];
        result.data[base + 2 * i] = re * z[2 * i] + im * z[2 * i + 1];
        result.data[base + 2 * i + 1] = re * z[2 * i + 1] - im * z[2 * i];
      }
    }
  return result;
}

/** Conjugate gradients on A^H A + mu from 0, every image of the batch on its own. */
function solveNormal(b: Tensor, maps: Tensor, mask: Tensor, mu: number, iterations: number): Tensor {
  const floats = b.data.length / b.shape[0];
  const x = tensor(b.shape);
  const [r, p] = [b.data.slice(), b.data.slice()];
  const dot = (u: Float64Array, v: Float64Array, n: number): number => {
    let sum = 0;
    for (let i = n * floats; i < (n + 1) * floats; i++) sum += u[i] * v[i];
    return sum;
  };
  for (let iteration = 0; iteration < iterations; iteration++) {
    const q = adjoint(encode(tensor(b.shape, p), maps, mask), maps, mask).data.map((value, i) => value + mu * p[i]);
    for (let n = 0; n < b.shape[0]; n++) {
      const energy = dot(r, r, n);
      if (energy === 0) continue;
      const alpha = energy / dot(p, q, n);
      for (let i = n * floats; i < (n + 1) * floats; i++) {
        x.data[i] += alpha * p[i];
        r[i] -= alpha * q[i];
      }
      const beta = dot(r, r, n) / energy;
      for (let i = n * floats; i < (n + 1) * floats; i++) p[i] = r[i] + beta * p[i];
    }
  }
  return x;
}

function transformCoils(x: Tensor, sign: 1 | -1): Tensor {
  const [n, coils, height, width] = x.shape;
  const result = tensor(x.shape);
  const floats = 2 * height * width;
  for (let start = 0; start < n * coils * floats; start += floats)
    result.data.set(dft2(x.data.slice(start, start + floats), height, width, sign), start);
  return result;
}

/** Loss over the samples of `mask`, and dloss/d(A x). */
function misfit(
  image: Tensor,
  maps: Tensor,
  mask: Tensor,
  kspace: Tensor,
  norm: string,
): { loss: Tensor; slope: Tensor } {
  const predicted = encode(image, maps, mask);
  const [, coils, height, width] = maps.shape;
  const slope = tensor(maps.shape);
  let [numerator, denominator] = [0, 0];
  const power = norm === 'l1' ? 1 : 2;
  predicted.data.forEach((prediction, k) => {
    const point = Math.floor(k / 2);
    const x = point % width;
    const y = Math.floor(point / width) % height;
    const weight = sampled(mask, Math.floor(point / (width * height * coils)), y, x);
    const residual = prediction - weight * kspace.data[k];
    numerator += Math.abs(residual) ** power;
    denominator += Math.abs(weight * kspace.data[k]) ** power;
    slope.data[k] = norm === 'l1' ? Math.sign(residual) : residual;
  });
  const scale = norm === 'l1' ? 1 / denominator : 1 / Math.sqrt(numerator * denominator);
  const loss = norm === 'l1' ? numerator / denominator : Math.sqrt(numerator / denominator);
  return {
    loss: tensor([1], Float64Array.of(loss)),
    slope: tensor(
      slope.shape,
      slope.data.map((s) => s * scale),
    ),
  };
}

/** M (k - y) of every part. */
function maskedMisfit(kspace: Tensor, mask: Tensor, measured: Tensor | undefined): Tensor {
  const [, coils, height, width] = kspace.shape;
  const data = Float64Array.from(kspace.data, (k, i) => {
    const sample = i >> 1;
    const [x, y] = [sample % width, Math.floor(sample / width) % height];
    const weight = sampled(mask, Math.floor(sample / (width * height * coils)), y, x);
    return weight * (k - (measured?.data[i] ?? 0));
  });
  return { ...kspace, data };
}

export const physicsRules: Readonly<Record<string, Rule>> = {
  Encode: ([image, maps, mask]) => [encode(image, maps, mask)],
  EncodeAdjoint: ([kspace, maps, mask]) => [adjoint(kspace, maps, mask)],
  EncodeNormal: ([image, maps, mask]) => [adjoint(encode(image, maps, mask), maps, mask)],
  SolveNormal: ([b, maps, mask, weight], { iterations }) => [
    solveNormal(b, maps, mask, weight.data[0], iterations as number),
  ],
  EncodeMapsGradient: ([image, kspace, mask]) => [mapsGradient(image, kspace, mask)],
  SampleStep([kspace, mask, step, measured, change]) {
    const misfit = maskedMisfit(kspace, mask, measured).data;
    const data = Float64Array.from(kspace.data, (k, i) => k - step.data[0] * misfit[i] + (change?.data[i] ?? 0));
    return [{ ...kspace, data }];
  },
  SampleStepGradient([dy, kspace, mask, measured]) {
    const misfit = maskedMisfit(kspace, mask, measured).data;
    return [tensor([1], Float64Array.of(misfit.reduce((sum, value, i) => sum - value * dy.data[i], 0)))];
  },
  Fft2: ([x], { inverse }) => [transformCoils(x, inverse ? 1 : -1)],
  DataLoss([image, maps, mask, heldOutMask, kspace], { norm }) {
    const { loss, slope } = misfit(image, maps, mask, kspace, norm as string);
    const heldOut = misfit(image, maps, heldOutMask, kspace, norm as string);
    return [loss, heldOut.loss, adjoint(slope, maps, mask)];
  },
};
