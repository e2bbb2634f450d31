// The installed package's types from CommonJS: compiled by .ci/pack-smoke where only larmor is installed.
import larmor = require('larmor');

const image: larmor.RealArray = { data: new Float32Array(4), shape: [2, 2] };
const code: larmor.LarmorErrorCode = new larmor.LarmorError('ERR_SHAPE', String(image.shape)).code;
console.log(code);
