// The same transforms, wavelets and encodings at every instruction set this processor has.
import { test } from 'vitest';
import { expectSameAtEveryIsa } from '../support/isa.js';

/** Fused multiply-adds round differently; float32 leaves this much. */
const TOLERANCE = 1e-6;

const program = `
  import { MT19937 } from '#larmor/arrays/mt19937.js';
  import { EncodingOperator } from '#larmor/operators/encoding.js';
  import { fft2 } from '#larmor/operators/fft2.js';
  import { Wavelet } from '#larmor/operators/wavelet.js';
  const random = new MT19937(41);
  const noise = (shape) => {
    const data = new Float32Array(2 * shape.reduce((a, b) => a * b)).map(() => random.normal());
    return { data, shape };
  };
  const results = [(await fft2(noise([2, 46, 127]))).data, (await fft2(noise([3, 34, 60]))).data];
  const wavelet = new Wavelet([67, 96], { levels: 4 });
  results.push((await wavelet.apply(noise([67, 96]))).data, (await wavelet.adjoint(noise([67, 96]))).data);
  const maps = noise([3, 40, 37]);
  const masks = [
    { data: Uint8Array.from({ length: 37 }, (_, i) => (i % 3 === 0 ? 1 : 0)), shape: [37] },
    { data: Uint8Array.from({ length: 40 * 37 }, (_, i) => (i % 5 < 2 ? 1 : 0)), shape: [40, 37] },
  ];
  for (const mask of masks) {
    const A = new EncodingOperator({ maps, mask });
    const x = noise(A.domain);
    results.push((await A.apply(x)).data, (await A.adjoint(noise(A.codomain))).data, (await A.normal(x)).data);
  }
`;

test('agree within rounding', async () => {
  await expectSameAtEveryIsa(program, TOLERANCE);
});
