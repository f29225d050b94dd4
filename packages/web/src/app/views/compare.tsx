import type { ComponentChildren } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { modelOf, useApp } from '../app-context.ts';
import { oneIn } from '../calibration.ts';
import { CloseIcon, DifferentIcon, SwapIcon } from '../components/icons.tsx';
import { PictureInput } from '../components/picture-input.tsx';
import { PicturePreview } from '../components/picture-preview.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Thumbnail } from '../components/thumbnail.tsx';
import type { Pair } from '../different-pictures.ts';
import { keepPicture } from '../kept-pictures.ts';
import { formatSimilarity } from '../number-format.ts';
import type { ChosenFile } from '../picture-files.ts';
import { referenceKey, resolveReference } from '../picture-reference.ts';
import { formatRoute, type PictureReference } from '../route.ts';
import { type CompareAnswer, server } from '../server.ts';
import { useLoad } from '../use-load.ts';
import { useNavigation } from '../use-route.ts';

type Side = 'a' | 'b';

export function CompareView() {
  const app = useApp();
  const { route, go, adjust } = useNavigation();

  /** Fills the side it was dropped on; a second picture of the same drop goes to the other one. */
  const fill = useCallback(
    async (side: Side, files: ChosenFile[]) => {
      const next = { ...route };
      for (const [index, chosen] of files.slice(0, 2).entries()) {
        const target = index === 0 ? side : side === 'a' ? 'b' : 'a';
        next[target] = { kept: await keepPicture(chosen.file, chosen.path) };
      }
      go(next);
    },
    [route, go],
  );
  const nextSide: Side = route.a ? 'b' : 'a';
  const { a, b, ...others } = route;
  // An item is compared by the embedding it has; dropped pictures by any encoder of the server.
  const isBound = [a, b].some((side) => side && 'item' in side);
  const collectionModel = modelOf(app, app.collection)?.name;
  const model = (isBound ? undefined : route.model) ?? collectionModel ?? app.defaultModel;

  return (
    <div class="compare stack">
      <div class="row between">
        <div>
          <h1>Compare two pictures</h1>
          <p class="soft">Is it one picture in two versions, or two pictures?</p>
        </div>
        <div class="row">
          {app.models.length > 1 && (
            <label class="row small">
              <span class="soft">Encoder</span>
              <select
                class="select small"
                value={model}
                disabled={isBound}
                title={isBound ? 'A picture of a collection is compared by its encoder' : undefined}
                onChange={(event) => adjust({ model: event.currentTarget.value })}
              >
                {app.models.map((one) => (
                  <option key={one.name} value={one.name}>
                    {one.name}
                  </option>
                ))}
              </select>
            </label>
          )}
          {a && b && (
            <a class="button small" href={formatRoute({ ...others, a: b, b: a })}>
              <SwapIcon /> Swap
            </a>
          )}
        </div>
      </div>
      <div class="compare-sides">
        {(['a', 'b'] as const).map((side) => (
          <CompareSide
            key={side}
            side={side}
            reference={route[side]}
            wholePage={side === nextSide}
            onFiles={(files) => void fill(side, files)}
          />
        ))}
      </div>
      {a && b && <Verdict key={`${referenceKey(a)} ${referenceKey(b)} ${model}`} a={a} b={b} model={model} />}
    </div>
  );
}

function CompareSide(props: {
  side: Side;
  reference: PictureReference | undefined;
  wholePage: boolean;
  onFiles: (files: ChosenFile[]) => void;
}) {
  const { side, reference, wholePage, onFiles } = props;
  const app = useApp();
  const { route } = useNavigation();
  const referred = useLoad(reference && referenceKey(reference), () =>
    reference ? resolveReference(reference) : Promise.reject(new Error('no picture')),
  );
  const label = side === 'a' ? 'First picture' : 'Second picture';
  const { [side]: _, ...without } = route;

  if (!reference || referred.state === 'failed') {
    return (
      <section class="compare-side" aria-label={label}>
        <PictureInput
          class="hero"
          label={side === 'a' ? 'Choose the first picture' : 'Choose the second picture'}
          multiple
          wholePage={wholePage}
          onFiles={onFiles}
        >
          <p class="hero-title">{label}</p>
          <p class="soft">Drop{wholePage ? ', paste' : ''} or choose</p>
        </PictureInput>
        {referred.state === 'failed' && reference && <ProblemNotice error={referred.error} />}
      </section>
    );
  }
  return (
    <section class="compare-side panel" aria-label={label}>
      <div class="query-picture">
        {referred.value?.kind === 'item' && app.collection && (
          <Thumbnail collection={app.collection.name} id={referred.value.id} alt={referred.value.id} />
        )}
        {referred.value?.kind === 'kept' && <PicturePreview picture={referred.value.picture} />}
        <a
          class="button round query-clear"
          href={formatRoute(without)}
          aria-label={`Clear the ${label.toLowerCase()}`}
        >
          <CloseIcon />
        </a>
      </div>
      <p class="card-name small">
        {referred.value?.kind === 'item' && referred.value.id}
        {referred.value?.kind === 'kept' && referred.value.picture.name}
      </p>
      <PictureInput class="compact" label="Another picture" wholePage={wholePage} onFiles={onFiles} />
    </section>
  );
}

function Verdict(props: { a: PictureReference; b: PictureReference; model: string }) {
  const { a, b, model } = props;
  const app = useApp();
  const name = app.collection?.name;
  const answer = useLoad(`${name} ${referenceKey(a)} ${referenceKey(b)} ${model}`, async (signal) => {
    const side = async (reference: PictureReference): Promise<Blob | number[]> => {
      const referred = await resolveReference(reference);
      if (referred.kind === 'kept') return referred.picture.blob;
      if (!name) throw new Error('The picture is of a collection that is not here.');
      const { vector } = await server.getItem(name, referred.id, { include: ['vector'], signal });
      if (!vector) throw new Error(`The server gave no vector of “${referred.id}”.`);
      return vector;
    };
    const [first, second] = await Promise.all([side(a), side(b)]);
    return server.compare(first, second, { ...(model && { model }), signal });
  });

  if (answer.state === 'failed') return <ProblemNotice error={answer.error} retry={answer.reload} />;
  if (!answer.value) {
    return (
      <p class="soft" role="status">
        Comparing …
      </p>
    );
  }
  const pair = 'item' in a && 'item' in b && a.item !== b.item ? ([a.item, b.item] as Pair) : undefined;
  return (
    <VerdictPanel answer={answer.value}>
      {name && pair && <OwnVerdict collection={name} pair={pair} />}
    </VerdictPanel>
  );
}

/** Of two pictures of the collection: a person's word, which the searches for duplicates keep to. */
function OwnVerdict(props: { collection: string; pair: Pair }) {
  const { collection, pair } = props;
  const [told, setTold] = useState(false);
  const [error, setError] = useState<unknown>();
  const tell = async (different: boolean) => {
    setError(undefined);
    try {
      await server.markDifferent(collection, [pair], { different });
      setTold(different);
    } catch (problem) {
      setError(problem);
    }
  };
  return (
    <div class="stack">
      <div class="row">
        <button type="button" class="button small" disabled={told} onClick={() => tell(true)}>
          <DifferentIcon /> These are different pictures
        </button>
        {told && (
          <button type="button" class="button quiet small" onClick={() => tell(false)}>
            Undo
          </button>
        )}
        <span class="small soft" role="status">
          {told
            ? `Remembered: no search for duplicates in “${collection}” puts them together any more.`
            : 'To be remembered by the searches for duplicates, whatever the verdict above.'}
        </span>
      </div>
      {error !== undefined && <ProblemNotice error={error} />}
    </div>
  );
}

function VerdictPanel(props: { answer: CompareAnswer; children: ComponentChildren }) {
  const { answer } = props;
  const { a, b } = answer.pictures ?? {};
  const unread = answer.unreadPixels?.a ?? answer.unreadPixels?.b;
  const { same, similarity, threshold, falsePositiveRate, falseRejectRate } = answer;
  const app = useApp();
  const model = app.models.find((one) => one.name === answer.model);
  const isOfPictures = model?.purpose === 'near-duplicates';
  const verdict = same ? 'The same picture, or nearly' : 'Different pictures';
  return (
    <section class="verdict panel stack" aria-label="Verdict">
      <div class="row between" role="status">
        <h2 class="verdict-title">{isOfPictures ? verdict : same ? 'The same' : 'Different'}</h2>
        <span class={`badge ${same ? 'good' : 'warn'}`}>{same ? 'same' : 'different'}</span>
      </div>
      <div>
        <p class="figure number">
          {formatSimilarity(similarity)} <span class="figure-label soft">similarity</span>
        </p>
        <div class="scale" aria-hidden="true">
          <span class={same ? 'scale-fill good' : 'scale-fill'} style={{ width: `${similarity * 100}%` }} />
          <span class="scale-mark" style={{ left: `${threshold * 100}%` }} />
        </div>
        <p class="soft small">
          The line is at {formatSimilarity(threshold)}: from there on two {isOfPictures ? 'pictures ' : ''}
          count as the same.
          {falsePositiveRate !== undefined &&
            ` About ${oneIn(falsePositiveRate)} unrelated pairs get past it (${answer.model}).`}
          {falseRejectRate !== undefined &&
            ` About ${oneIn(falseRejectRate)} pairs that belong together do not reach it.`}
        </p>
        {/* What other encoders take for the same, their description says. */}
        {!isOfPictures && model && <p class="soft small">{model.description}</p>}
      </div>
      {answer.by === 'embedding' && (a?.lowInformation || b?.lowInformation) && (
        <p class="notice warn">
          {a?.lowInformation && b?.lowInformation ? 'Both pictures are' : 'One picture is'} blank or nearly
          so: the verdict says little.
        </p>
      )}
      {answer.by !== 'embedding' && <p class="notice">{reasons[answer.by]}</p>}
      {unread && <p class="notice warn">The verdict goes without comparing pixels: {unread.message}.</p>}
      <dl class="distances">
        <Distance name="Cosine" value={answer.cosine} meaning="1 − cosine of the angle; 0 to 2" />
        <Distance name="Euclidean" value={answer.euclidean} meaning="straight line between the embeddings" />
        <Distance name="Absolute" value={answer.absolute} meaning="sum of absolute differences" />
      </dl>
      {props.children}
    </section>
  );
}

const reasons: Record<Exclude<CompareAnswer['by'], 'embedding'>, string> = {
  bytes: 'The two files are equal, byte for byte.',
  pixels: 'The two pictures are equal, pixel for pixel.',
  'perceptual-hash': 'Their perceptual hashes agree: that makes them the same, whatever the similarity.',
  'low-information': 'A blank picture is the same as its own copies only, whatever the similarity.',
  frames: 'Both are animations, or files of several pages, that begin alike and go on differently.',
  page: 'Both are pages of text or the like, and their perceptual hashes disagree: that makes them different, whatever the similarity.',
};

function Distance(props: { name: string; value: number; meaning: string }) {
  return (
    <div>
      <dt>{props.name} distance</dt>
      <dd class="number">{props.value.toFixed(4)}</dd>
      <dd class="small soft">{props.meaning}</dd>
    </div>
  );
}
