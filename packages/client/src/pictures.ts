/** The bytes of a picture file. */
export type PictureSource = Uint8Array | ArrayBuffer | Blob;

/** As a body: the server looks at the bytes, the type only says that it is a picture. */
export function pictureBlob(picture: PictureSource): Blob {
  if (picture instanceof Blob) return picture;
  return new Blob([picture as Uint8Array<ArrayBuffer> | ArrayBuffer]);
}

export function pictureType(blob: Blob): string {
  return blob.type.startsWith('image/') ? blob.type : 'application/octet-stream';
}

/** For pictures inside JSON; a third larger than the file. */
export async function pictureBase64(picture: PictureSource): Promise<string> {
  const bytes = new Uint8Array(await pictureBlob(picture).arrayBuffer());
  // In parts: a call takes only so many arguments. A multiple of 3, so that the parts need no padding.
  const part = 3 * 8192;
  let text = '';
  for (let start = 0; start < bytes.length; start += part) {
    text += btoa(String.fromCharCode(...bytes.subarray(start, start + part)));
  }
  return text;
}
