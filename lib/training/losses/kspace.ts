// Losses that compare the k-space of a prediction with samples.
import { multiply, subtract } from '../../graph/operations.js';
import { sampleWeights } from '../../graph/operators/physics-forms.js';
import { dataLoss } from '../../graph/physics-operations.js';
import type { Value } from '../../graph/types.js';
import type { GraphInputs } from '../../networks/graph-inputs.js';
import type { Prediction } from '../../networks/network.js';
import { mean, type Norm, relativeMisfit } from './misfit.js';

/** Samples, and masks that say which of them count: [n,1,x] or [n,y,x], both of one shape. */
interface Samples {
  /** [n,coil,y,x,2]. */
  readonly kspace: Value;
  readonly mask: Value;
  readonly heldOutMask: Value;
}

interface Misfits {
  /** Over `mask`. */
  readonly loss: Value;
  /** Over `heldOutMask`; carries no gradient for networks that give one image. */
  readonly heldOutLoss: Value;
}

function misfits({ image, coils }: Prediction, inputs: GraphInputs, samples: Samples, norm: Norm): Misfits {
  const { kspace, mask, heldOutMask } = samples;
  if (coils) {
    const over = (part: Value): Value => {
      const weights = sampleWeights(part);
      return relativeMisfit(multiply(weights, subtract(coils.kspace, kspace)), multiply(weights, kspace), norm);
    };
    return { loss: over(mask), heldOutLoss: over(heldOutMask) };
  }
  const one = (simple: 'l1' | 'l2'): Misfits => dataLoss(image, { maps: inputs.maps(), ...samples }, simple);
  if (norm !== 'l1-l2') return one(norm);
  // Two passes over the coils: the slopes of both norms are known only after all of them, and the adjoint cannot run on a sum without its
  // weights. Beside networks that hold dozens of such passes it does not count.
  const [l1, l2] = [one('l1'), one('l2')];
  return { loss: mean(l1.loss, l2.loss), heldOutLoss: mean(l1.heldOutLoss, l2.heldOutLoss) };
}

/** Misfit to the measured samples of `lossMask`, which trains, and of `heldOutMask`, which does not. */
export function selfMisfits(prediction: Prediction, inputs: GraphInputs, norm: Norm): Misfits {
  const [mask, heldOutMask] = [inputs.lossSamples('lossMask'), inputs.lossSamples('heldOutMask')];
  return misfits(prediction, inputs, { kspace: inputs.measured(), mask, heldOutMask }, norm);
}

/** Misfit to fully sampled k-space, [1]. */
export function fullMisfit(prediction: Prediction, inputs: GraphInputs, norm: Norm): Value {
  const kspace = inputs.coils('targetKspace');
  const [n, , , x] = kspace.shape;
  const columns = (value: number): Value => kspace.graph.constant(new Float32Array(n * x).fill(value), [n, 1, x]);
  return misfits(prediction, inputs, { kspace, mask: columns(1), heldOutMask: columns(0) }, norm).loss;
}
