import { useEffect, useState } from 'preact/hooks';
import { savedKey, server } from '../server.ts';
import { PictureIcon } from './icons.tsx';

interface Props {
  collection: string;
  id: string;
  /** Of the picture, from its metadata. */
  sha256?: string | undefined;
  /** Empty where the text beside it already names the picture. */
  alt: string;
}

/**
 * A thumbnail made by the server, loaded when it comes near the viewport and cached by the browser. Where the server
 * wants a key, an `img` cannot send it, so the bytes are fetched and shown from memory.
 */
export function Thumbnail(props: Props) {
  const { collection, id, sha256, alt } = props;
  if (savedKey()) return <FetchedThumbnail {...props} />;
  return <Frame src={server.thumbnailUrl(collection, id, sha256)} alt={alt} />;
}

function FetchedThumbnail(props: Props) {
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
    return (
      <span class="thumbnail missing" role="img" aria-label={alt || 'no preview'} title="No preview">
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
