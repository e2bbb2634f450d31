// A step of k-space towards measured samples, as unrolled networks take it: one pass over memory where elementwise operators take five.
import { add, multiply, negate, reduceSum, reshape, subtract } from '../operations.js';
import { sampleStep, sampleStepGradient } from '../physics-operations.js';
import type { Operator, Value } from '../types.js';
import { defineOperator, expectShape, float32 } from './define.js';
import { sizes } from './physics.js';
import { sampleWeights } from './physics-forms.js';

function checkStep(
  operator: string,
  kspace: Value,
  mask: Value,
  others: Readonly<Record<string, Value | undefined>>,
): void {
  sizes(operator, kspace, { mask }, 'kspace');
  for (const [name, value] of Object.entries(others)) if (value) expectShape(operator, name, kspace.shape, value);
}

const misfit = (kspace: Value, measured: Value | undefined): Value => (measured ? subtract(kspace, measured) : kspace);

export const sampleSteps: readonly Operator[] = [
  // k - s M (k - y) + c
  defineOperator({
    name: 'SampleStep',
    domain: 'larmor',
    inputs: ['kspace', 'mask', 'step', 'measured?', 'change?'],
    infer([kspace, mask, step, measured, change]) {
      checkStep('SampleStep', kspace, mask, { measured, change });
      expectShape('SampleStep', 'step', [1], step);
      return [float32(kspace.shape)];
    },
    gradient({ inputs: [kspace, mask, step, measured], dy }) {
      const dk = sampleStep(dy, mask, step);
      return [dk, undefined, sampleStepGradient(dy, kspace, mask, measured), subtract(dy, dk), dy];
    },
    portable([kspace, mask, step, measured, change]) {
      const descent = multiply(multiply(sampleWeights(mask), step), misfit(kspace, measured));
      const result = subtract(kspace, descent);
      return [change ? add(result, change) : result];
    },
  }),

  // dL/ds = -<M (k - y), dL/d(result)>
  defineOperator({
    name: 'SampleStepGradient',
    domain: 'larmor',
    inputs: ['dy', 'kspace', 'mask', 'measured?'],
    infer([dy, kspace, mask, measured]) {
      checkStep('SampleStepGradient', kspace, mask, { dy, measured });
      return [float32([1])];
    },
    portable: ([dy, kspace, mask, measured]) => [
      negate(reshape(reduceSum(multiply(multiply(sampleWeights(mask), misfit(kspace, measured)), dy)), [1])),
    ],
  }),
];
