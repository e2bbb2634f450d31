// The installed package's types from ESM: compiled by .ci/pack-smoke where only larmor is installed.
import { LarmorError, type LarmorErrorCode, type RealArray } from 'larmor';

const image: RealArray = { data: new Float32Array(4), shape: [2, 2] };
const code: LarmorErrorCode = new LarmorError('ERR_SHAPE', String(image.shape)).code;
console.log(code);
