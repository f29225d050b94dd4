import { useEffect, useState } from 'preact/hooks';
import type { KeptPicture } from '../kept-pictures.ts';
import { PictureIcon } from './icons.tsx';

/** A picture of this browser, shown from memory; formats the browser cannot show (TIFF) keep their name. */
export function PicturePreview(props: { picture: KeptPicture }) {
  const { picture } = props;
  const [src, setSrc] = useState<string>();
  const [shown, setShown] = useState(true);
  useEffect(() => {
    const url = URL.createObjectURL(picture.blob);
    setSrc(url);
    setShown(true);
    return () => URL.revokeObjectURL(url);
  }, [picture.blob]);
  return (
    <span class="preview">
      {shown && src ? (
        <img src={src} alt={picture.name} onError={() => setShown(false)} />
      ) : (
        <span class="missing">
          <PictureIcon />
          <span class="small">This browser cannot show {picture.name}; the server can read it.</span>
        </span>
      )}
    </span>
  );
}
