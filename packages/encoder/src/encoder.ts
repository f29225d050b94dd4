import type { ModelDescription } from './model.ts';

/** The bytes of a picture file: JPEG, PNG, WebP, AVIF, GIF or TIFF. */
export type PictureBytes = Uint8Array;

export interface PictureFacts {
  format: string;
  /** As displayed, EXIF orientation applied. */
  width: number;
  height: number;
  /** Of an animation, or pages of a TIFF file; 1 for a still. All else here is of the first one. */
  frames: number;
  /** Blank or nearly so: its embedding says little. */
  lowInformation: boolean;
  /** Text, a receipt, a line drawing: marks on an even ground, see `isPage`. Its embedding says little but the layout. */
  page: boolean;
  /** 256 bits as 64 hex digits, of the pixels that the model sees: see `perceptualHash`. */
  perceptualHash: string;
  /** Share of the contrast that is in fine detail, 0 to about 1; of pictures of one model to be compared: see `sharpness`. */
  sharpness: number;
}

export type EncodeResult =
  | { ok: true; embedding: Float32Array; picture: PictureFacts }
  | { ok: false; error: { code: PictureErrorCode; message: string } };

export type PictureErrorCode =
  | 'picture-empty'
  | 'picture-too-large'
  | 'picture-too-many-pixels'
  | 'picture-unsupported-format'
  | 'picture-damaged';

export interface PictureLimits {
  /** Bytes of the file; default 64 MiB. */
  maxBytes: number;
  /** Width x height, checked before decoding; default 100 million. */
  maxPixels: number;
  /**
   * Bytes of memory that decoding may take, estimated from the header: by format, pixels, channels and whether the file is
   * progressive, and of what reads a picture at its own size, of its pixels. Where it takes more, `picture-too-many-pixels`.
   * Default: a quarter of the memory of the process, which is that of the machine, of its cgroup, or of its Lambda function.
   */
  maxDecodeBytes: number;
}

/**
 * Picture -> embedding: L2-normalised, `model.output.dimension` numbers. The same bytes give the same embedding on any
 * CPU. Inference runs in worker threads; the calling thread stays free.
 */
export interface Encoder {
  readonly model: ModelDescription;
  /**
   * SHA-256 (hex) over all that decides the embedding: the model file and the preprocessing. Equal hashes: comparable
   * embeddings.
   */
  readonly hash: string;
  /** Of the pictures it takes; for whatever else reads them. */
  readonly limits: PictureLimits;
  /** One result a picture, in order. A bad picture is its own result and never fails the others. */
  encode(pictures: readonly PictureBytes[], options?: { signal?: AbortSignal }): Promise<EncodeResult[]>;
  /** Time spent so far by stage, summed over pictures and threads, in milliseconds. */
  readonly timings: { pictures: number; decode: number; preprocess: number; inference: number };
  close(): Promise<void>;
}
