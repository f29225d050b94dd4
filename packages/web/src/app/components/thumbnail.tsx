import type { Ref } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { pictureOf } from '../picture-metadata.ts';
import { savedKey, server } from '../server.ts';
import { workQueue } from '../work-queue.ts';
import { PictureIcon } from './icons.tsx';

/** As many as browsers load from one host at a time: on AWS each one more would start one more function. */
const fetchInTurn = workQueue(6);

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
  const place = useRef<HTMLSpanElement>(null);
  const near = useNear(place);
  useEffect(() => {
    if (!near) return;
    const controller = new AbortController();
    let url: string | undefined;
    setFailed(false);
    const { signal } = controller;
    const fetched = () => server.thumbnail(collection, id, { ...(sha256 && { sha256 }), signal });
    fetchInTurn(fetched, signal).then(
      (blob) => {
        url = URL.createObjectURL(blob);
        if (signal.aborted) URL.revokeObjectURL(url);
        else setSrc(url);
      },
      () => setFailed(!signal.aborted),
    );
    return () => {
      controller.abort();
      if (url) URL.revokeObjectURL(url);
      setSrc(undefined);
    };
  }, [collection, id, sha256, near]);
  return <Frame place={place} src={src} alt={alt} failed={failed} />;
}

/** Whether an element has come near the viewport, as an `img` that is loaded lazily waits for. */
function useNear(place: { current: Element | null }): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    if (!place.current) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        observer.disconnect();
        setNear(true);
      },
      { rootMargin: '600px' },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return near;
}

function Frame(props: {
  src: string | undefined;
  alt: string;
  failed?: boolean;
  place?: Ref<HTMLSpanElement>;
}) {
  const { src, alt, place = null } = props;
  const [broken, setBroken] = useState<string>();
  if (props.failed || (src !== undefined && broken === src)) {
    const name = alt
      ? ({ role: 'img', 'aria-label': `${alt} (no preview)` } as const)
      : { 'aria-hidden': true };
    return (
      <span ref={place} class="thumbnail missing" title="No preview" {...name}>
        <PictureIcon />
      </span>
    );
  }
  return (
    <span ref={place} class="thumbnail">
      {src && <img src={src} alt={alt} loading="lazy" decoding="async" onError={() => setBroken(src)} />}
    </span>
  );
}
