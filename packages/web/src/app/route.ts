export const viewNames = ['search', 'compare', 'duplicates', 'collections'] as const;
export type ViewName = (typeof viewNames)[number];

/** Where the page is: all of it stands in the URL's hash, so that links, reload, back and forward work. */
export interface Route {
  view: ViewName;
  /** The chosen collection stays chosen from view to view. */
  collection?: string;
  /** Search: what is searched with. Compare: the left picture. */
  a?: PictureReference;
  /** Compare: the right picture. */
  b?: PictureReference;
  /** Compare: the encoder that compares two pictures of which none is an item. */
  model?: string;
  /** Search: ids of kept pictures that came together, `a` being one of them. */
  among?: string[];
  /** Search and duplicates: the item that is enlarged. */
  look?: string;
  /** Search and duplicates: least similarity, 0-1. */
  min?: number;
  /** Duplicates: the job whose groups are shown. */
  job?: string;
}

/** An item of the collection, or a picture kept in this browser. */
export type PictureReference = { item: string } | { kept: string };

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const parameters = new URLSearchParams(query);
  const route: Route = { view: viewNames.find((name) => name === path) ?? 'search' };
  const collection = parameters.get('collection');
  if (collection) route.collection = collection;
  const a = parseReference(parameters.get('a'));
  if (a) route.a = a;
  const b = parseReference(parameters.get('b'));
  if (b) route.b = b;
  const model = parameters.get('model');
  if (model) route.model = model;
  const among = parameters.getAll('among').filter((id) => id !== '');
  if (among.length > 0) route.among = among;
  const look = parameters.get('look');
  if (look) route.look = look;
  const min = Number(parameters.get('min') ?? Number.NaN);
  if (min >= 0 && min <= 1) route.min = min;
  const job = parameters.get('job');
  if (job) route.job = job;
  return route;
}

export function formatRoute(route: Route): string {
  const parameters = new URLSearchParams();
  if (route.collection) parameters.set('collection', route.collection);
  if (route.a) parameters.set('a', formatReference(route.a));
  if (route.b) parameters.set('b', formatReference(route.b));
  if (route.model) parameters.set('model', route.model);
  for (const id of route.among ?? []) parameters.append('among', id);
  if (route.look) parameters.set('look', route.look);
  if (route.min !== undefined) parameters.set('min', String(route.min));
  if (route.job) parameters.set('job', route.job);
  const query = parameters.toString();
  return query ? `#/${route.view}?${query}` : `#/${route.view}`;
}

function parseReference(text: string | null): PictureReference | undefined {
  const [, kind, value] = text?.match(/^(item|kept):(.+)$/s) ?? [];
  if (!value) return undefined;
  return kind === 'item' ? { item: value } : { kept: value };
}

function formatReference(reference: PictureReference): string {
  return 'item' in reference ? `item:${reference.item}` : `kept:${reference.kept}`;
}
