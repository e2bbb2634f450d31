import { expect, test } from 'vitest';
import { adaptationSettings } from '#larmor/adaptation/options.js';
import { adaptationOf, type FieldTree, fieldOf } from '#larmor/cli/adapt-flags.js';

const fields = (...texts: string[]): FieldTree => texts.reduce<FieldTree>((tree, text) => fieldOf(text, tree), {});

test('fields gather, numbers and truth values as such', () => {
  expect(
    fields('loss.samples=disjoint', 'loss.fraction=.3', 'heldOut.removeFromInput=true', 'parameters=decoder'),
  ).toEqual({
    loss: { samples: 'disjoint', fraction: 0.3 },
    heldOut: { removeFromInput: true },
    parameters: 'decoder',
  });
  expect(fields('seed=3', 'seed=4')).toEqual({ seed: 4 });
  expect(fields('stop=window', 'stop.rule=window')).toEqual({ stop: { rule: 'window' } });
});

test.each(['loss', 'loss=', '=3', 'loss..fraction=3', '__proto__.x=1', 'a b=3'])('refuses %j', (text) => {
  expect(() => fieldOf(text)).toThrow('FIELD=VALUE');
});

test('fields stand beside the other flags and are checked like options', () => {
  const adapt = adaptationOf({ adapt: true, adaptIterations: 7, adaptOption: fields('loss.samples=disjoint') });
  expect(adapt).toEqual({ maxIterations: 7, loss: { samples: 'disjoint' } });
  expect(adaptationSettings(adapt || {})).toMatchObject({
    maxIterations: 7,
    loss: { samples: 'disjoint', fraction: 0.4 },
  });
  expect(() => adaptationSettings(fields('loss.share=1'))).toThrow('adapt.loss');
  expect(() => adaptationSettings(fields('constructor=1'))).toThrow('constructor');
});

test('nothing goes without --adapt', () => {
  expect(adaptationOf({})).toBe(false);
  expect(() => adaptationOf({ adaptOption: fields('seed=3') })).toThrow('--adapt-option go with --adapt');
});
