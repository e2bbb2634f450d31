// Networks of other software as models of larmor's, by the kind of file.
import type { Model } from './model.js';
import { importOnnx } from './onnx-model.js';
import { type ImportOptions, importCheckpoint } from './torch-model.js';

const CHECKPOINT = /\.(pt|pth|ckpt)$/i;
const ONNX = /\.onnx$/i;

/** Whether a file is of other software, by its name. */
export const isForeign = (path: string): boolean => CHECKPOINT.test(path) || ONNX.test(path);

/**
 * The model in a file of other software: an `.onnx` file as `importOnnx` takes it, any other as `importCheckpoint` does.
 *
 * @throws what these throw.
 */
export function importModel(path: string, options: ImportOptions = {}): Promise<Model> {
  return ONNX.test(path) ? importOnnx(path, options) : importCheckpoint(path, options);
}
