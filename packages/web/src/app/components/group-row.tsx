import { useMemo, useState } from 'preact/hooks';
import { countDistinct, type ShownGroup, type ShownItem } from '../different-pictures.ts';
import { formatBytes, formatCount, formatPlural, formatSimilarity } from '../number-format.ts';
import { pictureOf } from '../picture-metadata.ts';
import { formatRoute } from '../route.ts';
import { DifferentIcon, EnlargeIcon } from './icons.tsx';
import { KindBadge } from './kind-badge.tsx';
import { Thumbnail } from './thumbnail.tsx';

/** Of a large group, pictures shown at first and by each request for more. */
const itemPage = 60;

/** Pictures that are told apart by one click, at most: it is a verdict on every two of them. */
const mostApart = 40;

interface Props {
  collection: string;
  group: ShownGroup;
  /** From 0. */
  number: number;
  count: number;
  top: number;
  kept: readonly string[];
  /** The item that is the list's tab stop, where it is in this group. */
  activeItem: number | undefined;
  onFocusItem: (item: number) => void;
  onToggle: (id: string) => void;
  onEnlarge: (id: string) => void;
  /** The item is none of the others; without an id, all of the group are different pictures. */
  onPart: (id?: string) => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

export function GroupRow(props: Props) {
  const { group, number, count, top, kept, activeItem } = props;
  const [asked, setAsked] = useState(itemPage);
  // The arrow keys reach every picture of the group by themselves.
  const shown = Math.max(asked, (activeItem ?? 0) + 2);
  const distinct = useMemo(() => countDistinct(group), [group]);
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
        <p class="small soft group-why">
          <span class="group-proposal" title={group.keep}>
            keep <span class="group-keep">{group.keep}</span>
          </span>
          <span class="group-reason" title={group.reason}>
            {group.reason}
          </span>
          <span title={group.weakestPair?.join(' and ')}>
            least alike{' '}
            <span class="number">
              {group.weakestPair ? '' : '≥ '}
              {formatSimilarity(group.weakest)}
            </span>
          </span>
        </p>
        {distinct > 1 && distinct <= mostApart && (
          <button
            type="button"
            class="button quiet small group-part"
            tabIndex={activeItem === undefined ? -1 : 0}
            title="No two of these are the same picture: remember that"
            onClick={() => props.onPart()}
          >
            All different
          </button>
        )}
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
            canPart={distinct > 1}
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
  props: Props & {
    item: ShownItem;
    index: number;
    isKept: boolean;
    tabbable: boolean;
    canPart: boolean;
  },
) {
  const { collection, group, item, index, isKept, tabbable, canPart } = props;
  const picture = pictureOf(item.metadata);
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
      <div class="group-tools">
        {canPart && (
          <button
            type="button"
            class="button small tool"
            tabIndex={tabbable ? 0 : -1}
            aria-label={`${item.id} is a different picture`}
            title="A different picture than the others: remember that (D)"
            onClick={() => props.onPart(item.id)}
          >
            <DifferentIcon />
          </button>
        )}
        <button
          type="button"
          class="button small tool"
          tabIndex={tabbable ? 0 : -1}
          aria-label={`Enlarge ${item.id}`}
          title="Enlarge (V)"
          onClick={() => props.onEnlarge(item.id)}
        >
          <EnlargeIcon />
        </button>
      </div>
      <p class="group-facts small" id={`group-${props.number}-${index}`}>
        {isProposal ? <span class="badge">proposal</span> : <KindBadge item={item} />}
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
        {item.lowInformation && <span title="It says little what is near to it">blank · </span>}
        {picture ? `${picture.width} × ${picture.height} · ${formatBytes(picture.bytes)}` : ''}
      </p>
    </li>
  );
}
