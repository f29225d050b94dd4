import { useState } from 'preact/hooks';
import { formatBytes, formatCount, formatPlural, formatSimilarity } from '../number-format.ts';
import { pictureOf } from '../picture-metadata.ts';
import { formatRoute } from '../route.ts';
import type { DuplicateGroup, DuplicateItem } from '../server.ts';
import { Thumbnail } from './thumbnail.tsx';

const kinds: Record<DuplicateItem['kind'], { label: string; tone: string; title: string }> = {
  exact: { label: 'exact', tone: 'good', title: 'The same bytes as the one to keep' },
  pixels: { label: 'pixels', tone: 'info', title: 'The same pixels in another file' },
  near: { label: 'near', tone: 'warn', title: 'A near-duplicate' },
};

/** Of a large group, pictures shown at first and by each request for more. */
const itemPage = 60;

interface Props {
  collection: string;
  group: DuplicateGroup;
  /** From 0. */
  number: number;
  count: number;
  top: number;
  kept: readonly string[];
  /** The item that is the list's tab stop, where it is in this group. */
  activeItem: number | undefined;
  onFocusItem: (item: number) => void;
  onToggle: (id: string) => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

export function GroupRow(props: Props) {
  const { group, number, count, top, kept, activeItem } = props;
  const [asked, setAsked] = useState(itemPage);
  // The arrow keys reach every picture of the group by themselves.
  const shown = Math.max(asked, (activeItem ?? 0) + 2);
  return (
    <li
      class="group"
      aria-setsize={count}
      aria-posinset={number + 1}
      data-group={number}
      style={{ transform: `translateY(${top}px)` }}
    >
      <div class="group-head">
        <h2>
          Group {formatCount(number + 1)}
          <span class="soft small"> · {formatPlural(group.items.length, 'picture')}</span>
        </h2>
        <p class="small soft">
          <span title={`${group.weakestPair[0]} and ${group.weakestPair[1]}`}>
            least alike <span class="number">{formatSimilarity(group.weakest)}</span>
          </span>{' '}
          · keep <span class="group-keep">{group.keep}</span> ({group.reason})
        </p>
      </div>
      <ul class="group-items">
        {group.items.slice(0, shown).map((item, index) => (
          <GroupItem
            key={item.id}
            {...props}
            item={item}
            index={index}
            isKept={kept.includes(item.id)}
            tabbable={activeItem === index}
          />
        ))}
        {shown < group.items.length && (
          <li class="group-more">
            <button type="button" class="button small" onClick={() => setAsked(shown + itemPage)}>
              {formatCount(group.items.length - shown)} more
            </button>
          </li>
        )}
      </ul>
    </li>
  );
}

function GroupItem(
  props: Props & { item: DuplicateItem; index: number; isKept: boolean; tabbable: boolean },
) {
  const { collection, group, item, index, isKept, tabbable } = props;
  const picture = pictureOf(item.metadata);
  const kind = kinds[item.kind];
  const isProposal = item.id === group.keep;
  return (
    <li class={isKept ? 'group-item kept' : 'group-item'}>
      <label title={item.id}>
        <Thumbnail collection={collection} id={item.id} metadata={item.metadata} alt="" />
        <span class="group-choice">
          <input
            type="checkbox"
            data-item={index}
            checked={isKept}
            tabIndex={tabbable ? 0 : -1}
            aria-label={`Keep ${item.id}`}
            aria-describedby={`group-${props.number}-${index}`}
            onFocus={() => props.onFocusItem(index)}
            onKeyDown={props.onKeyDown}
            onClick={(event) => {
              // The choice decides what is checked, not the browser: the last kept one cannot be dropped.
              event.preventDefault();
              props.onToggle(item.id);
            }}
          />
          {isKept ? 'keep' : 'remove'}
        </span>
        <span class="card-name small">{item.id}</span>
      </label>
      <p class="group-facts small" id={`group-${props.number}-${index}`}>
        {isProposal ? (
          <span class="badge">proposal</span>
        ) : (
          <span class={`badge ${kind.tone}`} title={kind.title}>
            {kind.label} <span class="number">&nbsp;{formatSimilarity(item.similarity)}</span>
          </span>
        )}
        {!isProposal && (
          <a
            tabIndex={tabbable ? 0 : -1}
            aria-label={`Compare ${item.id} with ${group.keep}`}
            href={formatRoute({ view: 'compare', collection, a: { item: group.keep }, b: { item: item.id } })}
          >
            Compare
          </a>
        )}
      </p>
      <p class="small soft number group-size">
        {picture ? `${picture.width} × ${picture.height} · ${formatBytes(picture.bytes)}` : ''}
      </p>
    </li>
  );
}
