import type { Metadata } from '@lookalike/index';

/** Names one content of an object; two are equal only for equal content of the same key. */
export interface ObjectVersion {
  etag: string;
  /** Of a versioned bucket. */
  versionId?: string;
}

export interface SourcePicture extends ObjectVersion {
  bytes: Uint8Array;
  /** From the object's tags and user metadata. */
  metadata: Metadata;
}

/** Where pictures are ingested from: a bucket. Strongly consistent, as S3 is. */
export interface PictureSource {
  /** For messages and the rows: the name of the bucket. */
  readonly bucket: string;
  /**
   * `undefined` where there is no such object.
   * @throws `LookalikeError('picture-too-large')`, before the body is read; `picture-archived`, where it must be restored first.
   */
  read(key: string): Promise<SourcePicture | undefined>;
  /** What `read` would find now. */
  version(key: string): Promise<ObjectVersion | undefined>;
  /** The whole object as text; `undefined` where there is none. */
  readText(key: string): Promise<(ObjectVersion & { text: string }) | undefined>;
}
