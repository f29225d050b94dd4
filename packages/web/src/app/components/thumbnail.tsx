import { useEffect, useState } from 'preact/hooks';
import { pictureOf } from '../picture-metadata.ts';
import { savedKey, server } from '../server.ts';
import { PictureIcon } from './icons.tsx';

interface Props {
  collection: string;
  id: string;
  /** Of the item, where it is known: says whether there is a picture, and which. */
  metadata?: Parameters<typeof pictureOf>[0];
  /** Empty where the text beside it already names the picture. */
  alt: string;
}

/**
 * A thumbnail made by the server, loaded when it comes near the viewport and cached by the browser. Where the server
 * wants a key, an `img` cannot send it, so the bytes are fetched and shown from memory.
 */
export function Thumbnail(props: Props) {
  const { collection, id, metadata, alt } = props;
  const sha256 = pictureOf(metadata)?.sha256;
  if (metadata && !sha256) return <Frame src={undefined} alt={alt} failed />;
  if (savedKey()) return <FetchedThumbnail collection={collection} id={id} sha256={sha256} alt={alt} />;
  return <Frame src={server.thumbnailUrl(collection, id, sha256)} alt={alt} />;
}

function FetchedThumbnail(props: {
  collection: string;
  id: string;
  sha256: string | undefined;
  alt: string;
}) {
  const { collection, id, sha256, alt } = props;
  const [src, setSrc] = useState<string>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const controller = new AbortController();
    let url: string | undefined;
    setFailed(false);
    server.thumbnail(collection, id, { ...(sha256 && { sha256 }), signal: controller.signal }).then(
      (blob) => {
        url = URL.createObjectURL(blob);
        if (controller.signal.aborted) URL.revokeObjectURL(url);
        else setSrc(url);
      },
      () => setFailed(!controller.signal.aborted),
    );
    return () => {
      controller.abort();
      if (url) URL.revokeObjectURL(url);
      setSrc(undefined);
    };
  }, [collection, id, sha256]);
  return <Frame src={src} alt={alt} failed={failed} />;
}

function Frame(props: { src: string | undefined; alt: string; failed?: boolean }) {
  const { src, alt } = props;
  const [broken, setBroken] = useState<string>();
  if (props.failed || (src !== undefined && broken === src)) {
    const name = alt
      ? ({ role: 'img', 'aria-label': `${alt} (no preview)` } as const)
      : { 'aria-hidden': true };
    return (
      <span class="thumbnail missing" title="No preview" {...name}>
        <PictureIcon />
      </span>
    );
  }
  return (
    <span class="thumbnail">
      {src && <img src={src} alt={alt} loading="lazy" decoding="async" onError={() => setBroken(src)} />}
    </span>
  );
}
