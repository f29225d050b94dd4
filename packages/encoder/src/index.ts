export {
  DEFAULT_LIMITS,
  type DecodedPicture,
  type DecodeTarget,
  decodeFullSize,
  decodePicture,
  frameHashes,
  pixelHash,
  pixelHashAndThumbnail,
  pixelHashIfReadable,
  thumbnail,
} from './decode.ts';
export type * from './encoder.ts';
export { type ErrorRates, errorRatesAt } from './error-rates.ts';
export type * from './model.ts';
export { readModelDescription, readModelFile } from './model-description.ts';
export { DEFAULT_MODEL, type InstalledModel, listModels, modelsFolder, resolveModel } from './models.ts';
export { describeModel, type EncoderOptions, embeddingHash, openEncoder } from './open-encoder.ts';
export { PictureError } from './picture-error.ts';
export { PICTURE_FORMATS, type PictureFormat } from './picture-format.ts';
