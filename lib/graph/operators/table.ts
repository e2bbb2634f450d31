// The operator table.
import type { Operator } from '../types.js';
import { convolution } from './convolution.js';
import { elementwise } from './elementwise.js';
import { fusedConvolution } from './fused-convolution.js';
import { linear } from './linear.js';
import { normalisation } from './normalisation.js';
import { physics } from './physics.js';
import { pooling } from './pooling.js';
import { reductions } from './reductions.js';
import { sampleSteps } from './sample-step.js';
import { shapes } from './shapes.js';

const all = [
  ...elementwise,
  ...reductions,
  ...shapes,
  ...linear,
  ...convolution,
  ...fusedConvolution,
  ...pooling,
  ...normalisation,
  ...physics,
  ...sampleSteps,
];

/** Every operator by name. */
export const operators: ReadonlyMap<string, Operator> = new Map(all.map((operator) => [operator.name, operator]));
