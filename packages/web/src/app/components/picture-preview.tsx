import { useEffect, useState } from 'preact/hooks';
import type { KeptPicture } from '../kept-pictures.ts';
import { PictureIcon } from './icons.tsx';

/** A picture of this browser, shown from memory; formats the browser cannot show (TIFF) keep their name. */
export function PicturePreview(props: { picture: KeptPicture; small?: boolean | undefined }) {
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
        <Unshown name={picture.name} small={props.small} />
      )}
    </span>
  );
}

function Unshown(props: { name: string; small: boolean | undefined }) {
  if (props.small) {
    return (
      <span class="missing" role="img" aria-label={props.name}>
        <PictureIcon />
      </span>
    );
  }
  return (
    <span class="missing">
      <PictureIcon />
      <span class="small">This browser cannot show {props.name}; the server can read it.</span>
    </span>
  );
}
