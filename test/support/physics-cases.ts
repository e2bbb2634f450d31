// One or more calls of every operator of the measurement.
import * as physics from '#larmor/graph/physics-operations.js';
import type { OperatorCase } from './operator-case.js';

/** Masks of two slices of 4x5: every line sampled or not, every point sampled or not. */
const LINES = { mask: [1, 0, 1, 1, 0, 0, 1, 1, 0, 1], heldOutMask: [0, 1, 0, 0, 0, 1, 0, 0, 0, 0] };
const POINTS = {
  mask: Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? 1 : 0)),
  heldOutMask: Array.from({ length: 40 }, (_, i) => (i % 3 === 1 && i % 4 < 2 ? 1 : 0)),
};

/** Under masks of lines or of points. */
export function physicsCases(kind: 'lines' | 'points'): OperatorCase[] {
  const given = kind === 'lines' ? LINES : POINTS;
  const mask = kind === 'lines' ? [2, 1, 5] : [2, 4, 5];
  const [picture, coils] = [
    [2, 2, 4, 5],
    [2, 3, 4, 5, 2],
  ];
  const loss = (norm: 'l1' | 'l2'): OperatorCase => ({
    operator: 'DataLoss',
    what: `${norm}, ${kind}`,
    inputs: { image: picture, maps: coils, mask, heldOutMask: mask, kspace: coils },
    differentiable: ['image'],
    given,
    apply: ({ image, maps, mask, heldOutMask, kspace }) => [
      physics.dataLoss(image, { maps, mask, heldOutMask, kspace }, norm).loss,
    ],
  });
  return [
    {
      operator: 'Encode',
      what: kind,
      inputs: { image: picture, maps: coils, mask },
      differentiable: ['image', 'maps'],
      given,
      apply: ({ image, maps, mask }) => [physics.encode(image, maps, mask)],
    },
    {
      operator: 'EncodeAdjoint',
      what: kind,
      inputs: { kspace: coils, maps: coils, mask },
      differentiable: ['kspace', 'maps'],
      given,
      apply: ({ kspace, maps, mask }) => [physics.encodeAdjoint(kspace, maps, mask)],
    },
    {
      operator: 'EncodeNormal',
      what: kind,
      inputs: { image: picture, maps: coils, mask },
      differentiable: ['image', 'maps'],
      given,
      apply: ({ image, maps, mask }) => [physics.encodeNormal(image, maps, mask)],
    },
    {
      operator: 'SampleStep',
      what: kind,
      inputs: { kspace: coils, mask, step: [1], measured: coils, change: coils },
      differentiable: ['kspace', 'step', 'measured', 'change'],
      given,
      apply: ({ kspace, mask, step, measured, change }) => [physics.sampleStep(kspace, mask, step, measured, change)],
    },
    {
      operator: 'SampleStep',
      what: `${kind}, towards zero`,
      inputs: { kspace: coils, mask, step: [1] },
      differentiable: ['kspace', 'step'],
      given,
      apply: ({ kspace, mask, step }) => [physics.sampleStep(kspace, mask, step)],
    },
    {
      operator: 'SampleStepGradient',
      what: kind,
      inputs: { dy: coils, kspace: coils, mask, measured: coils },
      differentiable: [],
      given,
      apply: ({ dy, kspace, mask, measured }) => [physics.sampleStepGradient(dy, kspace, mask, measured)],
    },
    {
      operator: 'EncodeMapsGradient',
      what: kind,
      inputs: { image: picture, kspace: coils, mask },
      differentiable: ['image', 'kspace'],
      given,
      apply: ({ image, kspace, mask }) => [physics.encodeMapsGradient(image, kspace, mask)],
    },
    {
      // enough iterations for the exact solution, whose gradient the operator has
      operator: 'SolveNormal',
      what: kind,
      inputs: { b: picture, maps: coils, mask, weight: [1] },
      differentiable: ['b', 'maps', 'weight'],
      given: { ...given, weight: [0.5] },
      apply: ({ b, maps, mask, weight }) => [physics.solveNormal(b, { maps, mask, weight }, { iterations: 40 })],
    },
    loss('l1'),
    loss('l2'),
  ];
}
