import { LookalikeApiError } from '@lookalike/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { AppContext, type AppState } from './app-context.ts';
import { CollectionsIcon, CompareIcon, DuplicatesIcon, Logo, SearchIcon } from './components/icons.tsx';
import { IngestTray } from './components/ingest-tray.tsx';
import { KeyForm } from './components/key-form.tsx';
import { KeyboardHelp } from './components/keyboard-help.tsx';
import { ProblemNotice } from './components/problem-notice.tsx';
import { formatRoute, type Route, type ViewName } from './route.ts';
import { type Collection, server } from './server.ts';
import { useIngest } from './use-ingest.ts';
import { useLoad } from './use-load.ts';
import { NavigationContext, useHashRoute } from './use-route.ts';
import { CollectionsView } from './views/collections.tsx';
import { CompareView } from './views/compare.tsx';
import { DuplicatesView } from './views/duplicates.tsx';
import { SearchView } from './views/search.tsx';

const tabs: { view: ViewName; label: string; icon: () => preact.JSX.Element }[] = [
  { view: 'search', label: 'Search', icon: SearchIcon },
  { view: 'compare', label: 'Compare', icon: CompareIcon },
  { view: 'duplicates', label: 'Duplicates', icon: DuplicatesIcon },
  { view: 'collections', label: 'Collections', icon: CollectionsIcon },
];

const views = {
  search: SearchView,
  compare: CompareView,
  duplicates: DuplicatesView,
  collections: CollectionsView,
};

export function App() {
  const navigation = useHashRoute();
  const { route } = navigation;
  const [writes, setWrites] = useState(0);
  const start = useLoad('start', async (signal) => {
    const models = await server.models({ signal });
    const collections: Collection[] = [];
    const damaged: string[] = [];
    const all = server.listCollections({
      signal,
      onDamaged: ({ name, detail }) => damaged.push(`${name}: ${detail}`),
    });
    for await (const one of all) collections.push(one);
    return { models, collections, damaged };
  });
  const noteWrite = () => setWrites((count) => count + 1);
  const ingest = useIngest(() => {
    noteWrite();
    start.reload();
  });
  const collections = start.value?.collections ?? [];
  const collection = route.collection
    ? collections.find((one) => one.name === route.collection)
    : collections[0];

  // A file dropped beside the zones must not replace the page by itself.
  useEffect(() => {
    const keepPage = (event: DragEvent) => event.preventDefault();
    addEventListener('dragover', keepPage);
    addEventListener('drop', keepPage);
    return () => {
      removeEventListener('dragover', keepPage);
      removeEventListener('drop', keepPage);
    };
  }, []);

  const main = useRef<HTMLElement>(null);
  const shown = useRef(route.view);
  useEffect(() => {
    document.title = `${tabs.find((tab) => tab.view === route.view)?.label} · Lookalike`;
    if (shown.current === route.view) return;
    shown.current = route.view;
    // A new view is a new page to who cannot see it change.
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [route.view]);

  const app: AppState = {
    models: start.value?.models.models ?? [],
    defaultModel: start.value?.models.default ?? '',
    collections,
    collection,
    reloadCollections: start.reload,
    writes,
    noteWrite,
    ingest: (name, files) => {
      ingest.start(name, files, !collections.some((one) => one.name === name));
      if (route.collection !== name) navigation.adjust({ collection: name });
    },
    ingesting: ingest.run?.state === 'running',
  };
  const View = views[route.view];
  const needsKey =
    start.state === 'failed' && start.error instanceof LookalikeApiError && start.error.status === 401;

  return (
    <NavigationContext.Provider value={navigation}>
      <AppContext.Provider value={app}>
        <button type="button" class="skip" onClick={() => main.current?.focus()}>
          Skip to content
        </button>
        <Header route={route} app={app} />
        <main ref={main} id="main" tabIndex={-1}>
          {needsKey && <KeyForm onSaved={start.reload} />}
          {start.state === 'failed' && !needsKey && (
            <div class="stack">
              {!start.value && <h1 class="visually-hidden">Lookalike</h1>}
              <ProblemNotice error={start.error} retry={start.reload} />
            </div>
          )}
          {start.state === 'loading' && !start.value && (
            <p class="soft" role="status">
              Loading …
            </p>
          )}
          {start.value && start.value.damaged.length > 0 && (
            <div class="notice bad" role="alert">
              <p>Collections that cannot be read:</p>
              <ul>
                {start.value.damaged.map((one) => (
                  <li key={one}>{one}</li>
                ))}
              </ul>
            </div>
          )}
          {start.value && <View />}
        </main>
        {ingest.run && <IngestTray run={ingest.run} onStop={ingest.stop} onClose={ingest.close} />}
      </AppContext.Provider>
    </NavigationContext.Provider>
  );
}

function Header(props: { route: Route; app: AppState }) {
  const { route, app } = props;
  const chosen = app.collection?.name;
  const within = chosen ? { collection: chosen } : {};
  return (
    <header class="header">
      <a class="brand" href={formatRoute({ view: 'search', ...within })}>
        <Logo />
        Lookalike
      </a>
      <nav class="tabs" aria-label="Views">
        {tabs.map(({ view, label, icon: TabIcon }) => (
          <a
            key={view}
            class="tab"
            href={formatRoute({ view, ...within })}
            aria-current={route.view === view ? 'page' : undefined}
          >
            <TabIcon />
            {label}
          </a>
        ))}
      </nav>
      <div class="header-end">
        <a class="api-link soft small" href="docs">
          API
        </a>
        <KeyboardHelp />
        <CollectionPicker route={route} app={app} />
      </div>
    </header>
  );
}

/** Not a link but a setting: it stays in the view, and forgets what belonged to the other collection. */
function CollectionPicker(props: { route: Route; app: AppState }) {
  const { route, app } = props;
  if (app.collections.length === 0) return null;
  return (
    <label class="collection-picker">
      <span class="soft small">Collection</span>
      <select
        class="select"
        value={app.collection?.name ?? ''}
        onChange={(event) => {
          const a = route.a && 'kept' in route.a ? { a: route.a } : {};
          const b = route.b && 'kept' in route.b ? { b: route.b } : {};
          location.hash = formatRoute({
            view: route.view,
            collection: event.currentTarget.value,
            ...a,
            ...b,
          });
        }}
      >
        {!app.collection && <option value="">{route.collection ?? 'choose'}</option>}
        {app.collections.map((one) => (
          <option key={one.name} value={one.name}>
            {one.name}
          </option>
        ))}
      </select>
    </label>
  );
}
