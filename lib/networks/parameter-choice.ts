// Parts of a network's parameters that can be trained while the others stay.
import type { ParameterSpec } from './network.js';

export const PARAMETER_CHOICES = ['all', 'decoder', 'norm', 'ends'] as const;

/**
 * `decoder`: the later half. `norm`: scales of normalisations, weights of data consistency, and the last layer. `ends`: the first and the
 * last layer of every image network inside.
 */
export type ParameterChoice = (typeof PARAMETER_CHOICES)[number];

const CHOICES: Readonly<Record<ParameterChoice, (spec: ParameterSpec) => boolean>> = {
  all: () => true,
  decoder: ({ part }) => part === 'decoder',
  norm: ({ role }) => role === 'scale' || role === 'last',
  ends: ({ role }) => role === 'first' || role === 'last',
};

/** Whether a choice trains a parameter. */
export const chooses = (choice: ParameterChoice, spec: ParameterSpec): boolean => CHOICES[choice](spec);
