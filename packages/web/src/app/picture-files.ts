/** A file chosen to become an item; `path` is its id: the path inside of a dropped folder, or its name. */
export interface ChosenFile {
  path: string;
  file: File;
}

const endings = ['jpg', 'jpeg', 'jpe', 'jfif', 'png', 'webp', 'avif', 'gif', 'tif', 'tiff'];

/** For the `accept` of file inputs. */
export const acceptedTypes: string = [
  ...['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'].map((type) => `image/${type}`),
  ...endings.map((ending) => `.${ending}`),
].join(',');

/** Whether a file of a dropped folder is worth sending; hidden files never are. */
export function looksLikePicture(path: string): boolean {
  const name = path.split('/').pop() ?? '';
  return (
    /^[^.].*\.([a-z]+)$/i.test(name) && endings.includes(name.slice(name.lastIndexOf('.') + 1).toLowerCase())
  );
}

/**
 * The files of a drop, folders read to the bottom. Files dropped one by one are taken whatever their name, so that a
 * wrong one gets its error; of folders, only what looks like a picture.
 */
export async function filesOfDrop(transfer: DataTransfer): Promise<ChosenFile[]> {
  // Entries must be taken before the first await: the transfer is emptied after the event.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) {
    return [...transfer.files].map((file) => ({ path: file.name, file }));
  }
  const chosen: ChosenFile[] = [];
  for (const entry of entries) if (entry) await collect(entry, chosen);
  return chosen;
}

async function collect(entry: FileSystemEntry, chosen: ChosenFile[], inFolder = false): Promise<void> {
  if (entry.isFile) {
    const path = entry.fullPath.replace(/^\//, '');
    if (inFolder && !looksLikePicture(path)) return;
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    chosen.push({ path, file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const page = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (page.length === 0) return;
    for (const child of page) await collect(child, chosen, true);
  }
}

/** The files of a file input; those of a folder input carry their path. */
export function filesOfInput(input: HTMLInputElement): ChosenFile[] {
  const chosen = [...(input.files ?? [])].map((file) => ({
    path: file.webkitRelativePath || file.name,
    file,
  }));
  return chosen.filter(({ path, file }) => !file.webkitRelativePath || looksLikePicture(path));
}

/**
 * A pasted file. Browsers call every picture of the clipboard the same (`image.png`), so such a one gets the time into its
 * name: it must not replace the one pasted before.
 */
export function pastedFile(file: File, index = 0): ChosenFile {
  if (file.name && !/^image\.\w+$/.test(file.name)) return { path: file.name, file };
  const time = new Date(file.lastModified).toISOString().slice(0, 23).replaceAll(':', '.');
  const ending = file.type.replace(/^image\//, '') || 'png';
  return { path: `pasted ${time}${index === 0 ? '' : ` ${index + 1}`}.${ending}`, file };
}
