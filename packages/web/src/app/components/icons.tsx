import type { ComponentChildren } from 'preact';

function Icon(props: { children: ComponentChildren }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      {props.children}
    </svg>
  );
}

export const SearchIcon = () => (
  <Icon>
    <circle cx="11" cy="11" r="6.5" />
    <path d="m16 16 4.5 4.5" />
  </Icon>
);

export const CompareIcon = () => (
  <Icon>
    <rect x="3.5" y="5" width="7" height="14" rx="1.5" />
    <rect x="13.5" y="5" width="7" height="14" rx="1.5" />
  </Icon>
);

export const DuplicatesIcon = () => (
  <Icon>
    <rect x="3.5" y="3.5" width="12" height="12" rx="2" />
    <path d="M19 8.5h.5a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-10a1 1 0 0 1-1-1V19" />
  </Icon>
);

export const CollectionsIcon = () => (
  <Icon>
    <ellipse cx="12" cy="6" rx="7.5" ry="2.75" />
    <path d="M4.5 6v12c0 1.5 3.4 2.75 7.5 2.75s7.5-1.25 7.5-2.75V6M4.5 12c0 1.5 3.4 2.75 7.5 2.75s7.5-1.25 7.5-2.75" />
  </Icon>
);

export const PictureIcon = () => (
  <Icon>
    <rect x="3.5" y="4.5" width="17" height="15" rx="2" />
    <circle cx="9" cy="10" r="1.5" />
    <path d="m4 17 5-4 3.5 2.5L16.5 11l4 4" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m6 6 12 12M18 6 6 18" />
  </Icon>
);

export const DownloadIcon = () => (
  <Icon>
    <path d="M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M4.5 19.5h15" />
  </Icon>
);

export const EnlargeIcon = () => (
  <Icon>
    <path d="M14 4.5h5.5V10M19.5 4.5 13 11M10 19.5H4.5V14M4.5 19.5 11 13" />
  </Icon>
);

export const DifferentIcon = () => (
  <Icon>
    <path d="M5 9h14M5 15h14M16 4.5l-8 15" />
  </Icon>
);

export const UndoIcon = () => (
  <Icon>
    <path d="M8.5 5 4.5 9l4 4M4.5 9h9a5 5 0 0 1 0 10h-3" />
  </Icon>
);

export const SwapIcon = () => (
  <Icon>
    <path d="M7.5 4 4 7.5 7.5 11M4 7.5h16M16.5 13l3.5 3.5-3.5 3.5M20 16.5H4" />
  </Icon>
);

export const PreviousIcon = () => (
  <Icon>
    <path d="m14.5 5-7 7 7 7" />
  </Icon>
);

export const NextIcon = () => (
  <Icon>
    <path d="m9.5 5 7 7-7 7" />
  </Icon>
);

export const KeyboardIcon = () => (
  <Icon>
    <rect x="2.5" y="6" width="19" height="12.5" rx="2" />
    <path d="M6.5 10h.01M10.5 10h.01M14.5 10h.01M18 10h.01M7.5 14.5h9" />
  </Icon>
);

export const Logo = () => (
  <svg aria-hidden="true" class="logo" viewBox="0 0 32 32">
    <rect x="3" y="3" width="18" height="18" rx="5" class="logo-back" />
    <rect x="11" y="11" width="18" height="18" rx="5" class="logo-front" />
  </svg>
);
